package proxy

import (
	"encoding/binary"

	"github.com/rs/zerolog"

	"github.com/numfocus/consentgate/proxy/rewrite"
)

// A tally counts what was withheld in answering one request.
type tally struct {
	kinds   [rewrite.Refresh + 1]int
	inbound int // cookies taken out of the request
	cookies int // cookies taken out of the response
	headers int // header members taken out of the response
	beyond  int // things too long or too odd to judge
}

func (t *tally) add(k rewrite.Kind, _ Verdict) { t.kinds[k]++ }

var kindNames = [...]string{
	rewrite.Script:   "scripts",
	rewrite.Frame:    "frames",
	rewrite.Image:    "images",
	rewrite.Pixel:    "pixels",
	rewrite.Media:    "media",
	rewrite.Style:    "styles",
	rewrite.Font:     "fonts",
	rewrite.Icon:     "icons",
	rewrite.Hint:     "hints",
	rewrite.Prefetch: "prefetches",
	rewrite.Beacon:   "beacons",
	rewrite.Refresh:  "refreshes",
}

// each visits the counts that are not zero.
func (t *tally) each(visit func(kind string, n int)) {
	some := func(name string, n int) {
		if n > 0 {
			visit(name, n)
		}
	}
	for kind, n := range t.kinds {
		some(kindNames[kind], n)
	}
	some("cookies_in", t.inbound)
	some("cookies_out", t.cookies)
	some("headers", t.headers)
	some("beyond_limit", t.beyond)
}

// MarshalZerologObject writes the counts that are not zero.
func (t *tally) MarshalZerologObject(e *zerolog.Event) {
	t.each(func(name string, n int) { e.Int(name, n) })
}

// append writes what was withheld from a page, for read.
func (t *tally) append(dst []byte) []byte {
	for _, n := range t.kinds {
		dst = binary.AppendUvarint(dst, uint64(n))
	}
	return binary.AppendUvarint(dst, uint64(t.beyond))
}

// read adds what append wrote in front of made, and returns the rest.
func (t *tally) read(made []byte) (rest []byte) {
	next := func() int {
		n, size := binary.Uvarint(made)
		made = made[max(size, 0):]
		return int(n)
	}
	for kind := range t.kinds {
		t.kinds[kind] += next()
	}
	t.beyond += next()
	return made
}
