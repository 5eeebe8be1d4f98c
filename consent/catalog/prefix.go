package catalog

import (
	"bytes"
	"cmp"
	"math/bits"
	"slices"
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

// slot is made of the length and the first four bytes.
func (s *suffixSet) slot(suffix []byte) uint32 {
	gram := uint32(len(suffix))
	for _, c := range suffix[:min(4, len(suffix))] {
		gram = gram*31 + uint32(c)
	}
	return gram * gramHash >> s.shift
}

// A pathIndex finds the best of the patterns that any host may have.
type pathIndex struct {
	begins prefixTree // by how the path begins
	within prefixTree // "/*/x": by what follows a later slash
	after  [256]bool  // that slash: the next bytes of within
	rest   []*pattern // "/*x": what contains finds
	texts  *finder    // of the longest literals of rest
}

// add takes a pattern; the winners come first.
func (x *pathIndex) add(p *pattern) {
	switch {
	case p.path[0] != "/" || len(longest(p.path)) < 2:
		x.begins.add(p.path[0], p)
	case len(p.path[1]) > 1 && p.path[1][0] == '/':
		x.within.add(p.path[1], p)
		x.after[p.path[1][1]] = true
	default:
		x.rest = append(x.rest, p)
	}
}

func (x *pathIndex) compile() {
	literals := make([]literal, len(x.rest))
	for i, p := range x.rest {
		literals[i] = literal{text: longest(p.path), id: int32(i)}
	}
	x.texts = newFinder(literals)
}

func longest(pieces []string) string {
	return slices.MaxFunc(pieces, func(a, b string) int { return cmp.Compare(len(a), len(b)) })
}

func (x *pathIndex) find(u *URL, best *pattern, rank int) *pattern {
	if !x.begins.empty() {
		best, rank = x.begins.find(u.Path, u, best, rank)
	}
	if !x.within.empty() {
		best, rank = x.findWithin(u, best, rank)
	}
	if len(x.rest) == 0 {
		return best
	}
	for s := x.texts.search(u.Path); s.find(); {
		if p := x.rest[s.id]; p.rank < rank && p.matches(u) {
			best, rank = p, p.rank
		}
	}
	return best
}

func (x *pathIndex) findWithin(u *URL, best *pattern, rank int) (*pattern, int) {
	for path := u.Path[min(1, len(u.Path)):]; ; path = path[1:] {
		slash := bytes.IndexByte(path, '/')
		if slash < 0 || slash+1 == len(path) {
			return best, rank
		}
		if path = path[slash:]; x.after[path[1]] {
			best, rank = x.within.find(path, u, best, rank)
		}
	}
}

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
