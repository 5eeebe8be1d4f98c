package proxy

import (
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/numfocus/consentgate/proxy/rewrite"
)

// watch sends a document on as it came and lets the rewriter look at a copy, so
// that a site that only observes counts what would be withheld.
func (x *exchange) watch(res *http.Response) {
	x.fence(false)
	if !hasBody(x.r, res) {
		x.pass(res)
		return
	}
	look, show := io.Pipe()
	done := make(chan struct{})
	// What it is judged by is read now: sending the page on writes to the same headers.
	rules, options := x.rules(), x.options(res)
	coding := strings.Join(res.Header["Content-Encoding"], ",")
	var broken error
	go func() {
		defer close(done)
		defer caught("watch", &broken)
		if !x.look(rules, options, coding, look) {
			x.tally.beyond++
		}
	}()
	defer func() {
		show.Close()
		<-done // the counts are complete before they are logged
		if b, ok := errors.AsType[*bug](broken); ok {
			x.gateway.report(b) // the visitor has the page
		}
	}()
	res.Body = readCloser{io.TeeReader(res.Body, show), res.Body}
	x.pass(res)
}

// look lets the rules count, and reports whether the page could be understood. It
// is read to its end in any case: whoever shows it waits for that.
func (x *exchange) look(rules *page, o rewrite.Options, coding string, raw io.Reader) bool {
	defer io.Copy(io.Discard, raw)
	decoded, err := x.gateway.codings.NewReader(coding, raw)
	if err != nil {
		return false
	}
	defer decoded.Close()
	w := rewrite.NewWriter(io.Discard, rules, o)
	if _, err := io.Copy(w, decoded); err != nil {
		return false
	}
	_ = w.Close() // nothing is written anywhere
	return true
}
