package catalog

import (
	"cmp"
	"encoding/binary"
	"math/bits"
	"slices"
)

// A pathIndex finds the best of the patterns that any host may have.
type pathIndex struct {
	begins prefixTree // by how the path begins
	starts prefixSet  // the prefixes in begins
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
		x.starts.add(p.path[0])
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
	if x.starts.mayBegin(u.Path) {
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

// findWithin looks at every slash but the first, eight bytes at a time.
func (x *pathIndex) findWithin(u *URL, best *pattern, rank int) (*pattern, int) {
	path := u.Path
	at := 1
	for ; at+8 < len(path); at += 8 {
		for slashes := marks(binary.LittleEndian.Uint64(path[at:]), '/'); slashes != 0; slashes &= slashes - 1 {
			if i := at + bits.TrailingZeros64(slashes)/8; x.after[path[i+1]] {
				best, rank = x.within.find(path[i:], u, best, rank)
			}
		}
	}
	for ; at+1 < len(path); at++ {
		if path[at] == '/' && x.after[path[at+1]] {
			best, rank = x.within.find(path[at:], u, best, rank)
		}
	}
	return best, rank
}

// A prefixSet tells nearly all paths that begin with none of some prefixes from
// those that may. Of each prefix it has the last four bytes that are at a multiple
// of four. The zero value has no prefix.
type prefixSet struct {
	bitmap [1 << 15 / 64]uint64
	end    int  // no prefix has its bytes behind this
	short  bool // there is a prefix of less than four bytes
}

func (s *prefixSet) add(prefix string) {
	at := len(prefix)/4*4 - 4
	if at < 0 {
		s.short = true
		return
	}
	slot := prefixSlot([]byte(prefix[at:at+4]), at)
	s.bitmap[slot/64] |= 1 << (slot % 64)
	s.end = max(s.end, at+4)
}

func (s *prefixSet) mayBegin(path []byte) bool {
	path = path[:min(len(path), s.end)]
	for at := 0; at+4 <= len(path); at += 4 {
		if slot := prefixSlot(path[at:], at); s.bitmap[slot/64]>>(slot%64)&1 != 0 {
			return true
		}
	}
	return s.short
}

// prefixSlot is made of four bytes and where they are.
func prefixSlot(b []byte, at int) uint32 {
	return (binary.LittleEndian.Uint32(b) + uint32(at)) * gramHash >> (32 - 15)
}
