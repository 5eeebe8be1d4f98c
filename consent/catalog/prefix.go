package catalog

import (
	"encoding/binary"
	"math/bits"
	"strings"
)

// A suffixSet tells nearly all ends of hosts that no pattern has from those
// that some pattern has, for less than looking one up takes.
type suffixSet struct {
	bitmap []uint64
	shift  uint8
}

func newSuffixSet(suffixes map[string][]*pattern) suffixSet {
	size := max(bits.Len(uint(len(suffixes)*bitsPerLiteral)), minSize)
	s := suffixSet{shift: uint8(32 - size), bitmap: make([]uint64, 1<<(size-6))}
	for suffix := range suffixes {
		slot := s.slot([]byte(suffix))
		s.bitmap[slot/64] |= 1 << (slot % 64)
	}
	return s
}

func (s *suffixSet) mayHave(suffix []byte) bool {
	slot := s.slot(suffix)
	return s.bitmap[slot/64]>>(slot%64)&1 != 0
}

// slot is made of the length and the first eight bytes: many hosts begin with
// "www.".
func (s *suffixSet) slot(suffix []byte) uint32 {
	var v uint64
	if len(suffix) >= 8 {
		v = binary.LittleEndian.Uint64(suffix)
	} else {
		for _, c := range suffix {
			v = v<<8 | uint64(c)
		}
	}
	return uint32((v+uint64(len(suffix)))*wordHash>>32) >> s.shift
}

// wordHash is 2^64 divided by the golden ratio.
const wordHash = 0x9E3779B97F4A7C15

// A prefixTree finds the patterns whose path begins like a text, in one walk
// along the text. It is made once and never changes.
type prefixTree struct {
	text     string     // what it adds to the tree it is in
	patterns []*pattern // that begin with all of this, in the order of rank
	keys     string     // the first byte of each of below
	below    []prefixTree
}

// add puts a pattern where prefix leads. Patterns are added in the order of
// rank.
func (t *prefixTree) add(prefix string, p *pattern) {
	if t.empty() {
		t.text, t.patterns = prefix, []*pattern{p}
		return
	}
	same := 0
	for same < min(len(prefix), len(t.text)) && prefix[same] == t.text[same] {
		same++
	}
	if same < len(t.text) {
		t.split(same)
	}
	rest := prefix[same:]
	if rest == "" {
		t.patterns = append(t.patterns, p)
		return
	}
	i := strings.IndexByte(t.keys, rest[0])
	if i < 0 {
		t.keys += rest[:1]
		t.below = append(t.below, prefixTree{text: rest, patterns: []*pattern{p}})
		return
	}
	t.below[i].add(rest, p)
}

func (t *prefixTree) empty() bool { return len(t.patterns)+len(t.below) == 0 }

// split moves all but the first n bytes of the text one level down.
func (t *prefixTree) split(n int) {
	moved := *t
	moved.text = t.text[n:]
	*t = prefixTree{text: t.text[:n], keys: moved.text[:1], below: []prefixTree{moved}}
}

// find looks along text and returns the first pattern that matches u and is
// better than best, which has the given rank; or else best.
func (t *prefixTree) find(text []byte, u *URL, best *pattern, rank int) (*pattern, int) {
	for len(text) >= len(t.text) && string(text[:len(t.text)]) == t.text {
		if len(t.patterns) > 0 {
			best, rank = first(t.patterns, u, best, rank)
		}
		if text = text[len(t.text):]; len(text) == 0 {
			break
		}
		i := strings.IndexByte(t.keys, text[0])
		if i < 0 {
			break
		}
		t = &t.below[i]
	}
	return best, rank
}
