package catalog

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// A finder finds all occurrences of many literals in one pass over a text.
//
// Each literal is represented by one gram, four of its bytes (two, if it is
// shorter than four). The pass looks at every gram of the text and asks a bitmap
// whether some literal has it: a multiplication and one bit, with nothing to
// wait for from the byte before, which is what makes it faster than an
// automaton. The bitmap has [bitsPerLiteral] bits for each literal, so that the
// answer is nearly always no however many there are. Only where it is yes are
// the literals with that gram compared with the text.
//
// The case of ASCII letters is ignored by the bitmap; the comparison minds it,
// except for literals that were added as folded.
type finder struct {
	long, short grams
}

// A literal is something to find.
type literal struct {
	text string // in lower case if fold is set
	fold bool
	id   int32 // what the finder calls it
}

// grams holds the literals whose grams have one length.
type grams struct {
	shift   uint8
	bitmap  []uint64
	starts  []int32 // first entry of each bucket
	entries []entry // by bucket
}

type entry struct {
	gram   uint32
	offset int32 // of the gram in the literal
	literal
}

const (
	bitsPerLiteral = 64
	foldLong       = 0x20202020 // makes ASCII capitals small, and some other bytes equal
	foldShort      = 0x2020
)

// newFinder makes a finder. Literals shorter than two bytes are never found.
func newFinder(literals []literal) *finder {
	var long, short []entry
	used := make(map[uint32]int)
	for _, l := range literals {
		switch {
		case len(l.text) >= 4:
			long = append(long, rarest(l, used))
		case len(l.text) >= 2:
			short = append(short, entry{literal: l, gram: gram2(l.text)})
		}
	}
	return &finder{long: newGrams(long), short: newGrams(short)}
}

// rarest picks the gram of a literal that the fewest literals use so far, so
// that no bucket grows long.
func rarest(l literal, used map[uint32]int) entry {
	best := entry{literal: l, gram: gram4(l.text)}
	for i := 1; i+4 <= len(l.text); i++ {
		if g := gram4(l.text[i:]); used[g] < used[best.gram] {
			best.gram, best.offset = g, int32(i)
		}
	}
	used[best.gram]++
	return best
}

func newGrams(entries []entry) grams {
	if len(entries) == 0 {
		return grams{}
	}
	size := max(bits.Len(uint(len(entries)*bitsPerLiteral-1)), 6)
	g := grams{shift: uint8(32 - size), bitmap: make([]uint64, 1<<size/64)}
	g.starts = make([]int32, 1<<size/bitsPerLiteral+1)
	slices.SortStableFunc(entries, func(a, b entry) int { return int(g.bucket(g.slot(a.gram))) - int(g.bucket(g.slot(b.gram))) })
	g.entries = entries
	for _, e := range entries {
		slot := g.slot(e.gram)
		g.bitmap[slot/64] |= 1 << (slot % 64)
		g.starts[g.bucket(slot)+1]++
	}
	for i := 1; i < len(g.starts); i++ {
		g.starts[i] += g.starts[i-1]
	}
	return g
}

func (g *grams) slot(gram uint32) uint32   { return gram * 0x9E3779B1 >> g.shift }
func (g *grams) bucket(slot uint32) uint32 { return slot / bitsPerLiteral }
func (g *grams) has(slot uint32) bool      { return g.bitmap[slot/64]&(1<<(slot%64)) != 0 }
func (g *grams) candidates(s uint32) []entry {
	b := g.bucket(s)
	return g.entries[g.starts[b]:g.starts[b+1]]
}

func gram4(s string) uint32 {
	return (uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24) | foldLong
}

func gram2(s string) uint32 { return (uint32(s[0]) | uint32(s[1])<<8) | foldShort }

// A search is one pass of a finder over a text.
type search struct {
	finder *finder
	text   []byte
	next   int // where the next gram begins

	// What was found last.
	at int
	id int32

	gram    uint32
	waiting []entry // still to be compared at next-1
	more    bool    // the short grams are still to be looked at there
}

func (f *finder) search(text []byte) search { return search{finder: f, text: text} }

// find moves on to the next occurrence, in the order of the places of the
// literals' grams. It reports false at the end.
func (s *search) find() bool {
	for {
		for len(s.waiting) > 0 {
			e := &s.waiting[0]
			s.waiting = s.waiting[1:]
			if e.gram == s.gram && s.compare(e) {
				return true
			}
		}
		if !s.advance() {
			return false
		}
	}
}

// advance goes to the next place where something may be.
func (s *search) advance() bool {
	long, short := &s.finder.long, &s.finder.short
	if s.more {
		s.more = false
		if s.look(short, uint32(binary.LittleEndian.Uint16(s.text[s.next-1:]))|foldShort) {
			return true
		}
	}
	for ; s.next+4 <= len(s.text); s.next++ {
		v := binary.LittleEndian.Uint32(s.text[s.next:])
		if len(long.entries) > 0 && s.look(long, v|foldLong) {
			s.more = len(short.entries) > 0
			s.next++
			return true
		}
		if len(short.entries) > 0 && s.look(short, v&0xffff|foldShort) {
			s.next++
			return true
		}
	}
	for ; len(short.entries) > 0 && s.next+2 <= len(s.text); s.next++ {
		if s.look(short, uint32(binary.LittleEndian.Uint16(s.text[s.next:]))|foldShort) {
			s.next++
			return true
		}
	}
	return false
}

// look asks whether some literal has the gram, and puts them up for comparison.
func (s *search) look(g *grams, gram uint32) bool {
	slot := g.slot(gram)
	if !g.has(slot) {
		return false
	}
	s.gram, s.waiting = gram, g.candidates(slot)
	return true
}

func (s *search) compare(e *entry) bool {
	at := s.next - 1 - int(e.offset)
	if at < 0 || at+len(e.text) > len(s.text) {
		return false
	}
	there := s.text[at : at+len(e.text)]
	if string(there) != e.text && !(e.fold && equalFold(there, e.text)) {
		return false
	}
	s.at, s.id = at, e.id
	return true
}

// equalFold reports whether s is lower, which is in lower case, but for the case
// of ASCII letters.
func equalFold(s []byte, lower string) bool {
	if len(s) != len(lower) {
		return false
	}
	for i, c := range s {
		if lowered(c) != lower[i] {
			return false
		}
	}
	return true
}
