package catalog

import (
	"cmp"
	"encoding/binary"
	"math/bits"
	"slices"
)

// A finder finds all occurrences of many literals in one pass over a text.
//
// Each literal is represented by one gram: four of its bytes, or its first two
// if it is shorter. The pass takes the gram at every place of the text and asks
// a bitmap whether some literal has it. That is a multiplication and a bit test
// which need not wait for the byte before, and so faster than an automaton,
// whose every step does. The bitmap has 32 bits or more for each literal:
// however many there are, the answer is nearly always no. Where it is yes, the
// literals with that gram are compared with the text.
//
// Grams ignore the case of ASCII letters; the comparison minds it, except for
// folded literals.
type finder struct {
	long  grams
	short shortGrams
}

// A literal is something to find.
type literal struct {
	text string // in lower case if fold is set
	fold bool
	id   int32 // what the finder calls it
}

// An entry is a literal with its gram.
type entry struct {
	literal
	gram   uint32
	offset int32 // of the gram in the literal
}

const (
	// Setting these bits makes ASCII capitals small. It also makes some other
	// bytes equal, which costs a comparison.
	foldLong  = 0x20202020
	foldShort = 0x2020

	gramHash       = 0x9E3779B1 // 2^32 divided by the golden ratio
	bitsPerLiteral = 32
	minSize        = 16 // 2^16 bits are 8 kB: a fraction of the first cache
)

// newFinder makes a finder. Literals shorter than two bytes are never found.
func newFinder(literals []literal) *finder {
	var long, short []entry
	used := gramsOf(everyday)
	for _, l := range literals {
		switch {
		case len(l.text) >= 4:
			long = append(long, rarest(l, used))
		case len(l.text) >= 2:
			short = append(short, entry{literal: l, gram: gram2(l.text)})
		}
	}
	return &finder{long: newGrams(long), short: newShortGrams(short)}
}

// everyday is what scripts are full of: to find it says little about one.
const everyday = `function(){return this.document.window.createElement getElementsByTagName("script") parentNode.insertBefore ` +
	`appendChild classList addEventListener(event) https://www.google.com/ .src=.push .async=true type="text/javascript" var ` +
	`.length undefined prototype else new element data-attribute load cookie domain value index options config params ` +
	`analytics tracking plugin wp-content wp-includes/js/ jquery ajax url .js .css facebook twitter Object String Array`

// gramsOf returns the grams of a text, each as if that many literals used it.
func gramsOf(text string) map[uint32]int {
	const many = 1000
	used := make(map[uint32]int)
	for i := 0; i+4 <= len(text); i++ {
		used[gram4(text[i:])] += many
	}
	return used
}

// rarest picks the gram of a literal that has been used least so far, so that
// few places of a text have it and few literals share it.
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

func gram4(s string) uint32 {
	return (uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24) | foldLong
}

func gram2(s string) uint32 { return (uint32(s[0]) | uint32(s[1])<<8) | foldShort }

// grams holds literals by a hash of their four-byte grams.
type grams struct {
	bitmap  []uint64
	shift   uint8
	starts  []int32 // of each bucket in entries; a bucket is one word of the bitmap
	entries []entry
}

func newGrams(entries []entry) grams {
	size := max(bits.Len(uint(len(entries)*bitsPerLiteral)), minSize)
	g := grams{shift: uint8(32 - size), bitmap: make([]uint64, 1<<(size-6)), entries: entries}
	g.starts = make([]int32, len(g.bitmap)+1)
	slices.SortStableFunc(entries, func(a, b entry) int { return cmp.Compare(g.slot(a.gram), g.slot(b.gram)) })
	for _, e := range entries {
		slot := g.slot(e.gram)
		g.bitmap[slot/64] |= 1 << (slot % 64)
		g.starts[slot/64+1]++
	}
	for i := 1; i < len(g.starts); i++ {
		g.starts[i] += g.starts[i-1]
	}
	return g
}

func (g *grams) slot(gram uint32) uint32 { return gram * gramHash >> g.shift }

func (g *grams) has(gram uint32) bool {
	slot := g.slot(gram)
	return g.bitmap[slot/64]>>(slot%64)&1 != 0
}

// find returns the entries that may have a gram which the bitmap has.
func (g *grams) find(gram uint32) []entry {
	b := g.slot(gram) / 64
	return g.entries[g.starts[b]:g.starts[b+1]]
}

// shortGrams holds literals by their two-byte grams. As there are only so many,
// present has a bit for each; the zero value has no literals.
type shortGrams struct {
	present *[1 << 16 / 64]uint64
	grams
}

func newShortGrams(entries []entry) shortGrams {
	if len(entries) == 0 {
		return shortGrams{}
	}
	g := shortGrams{present: new([1 << 16 / 64]uint64), grams: newGrams(entries)}
	for _, e := range entries {
		g.present[e.gram/64] |= 1 << (e.gram % 64)
	}
	return g
}

func (g *shortGrams) has(gram uint32) bool {
	return g.present != nil && g.present[gram/64]>>(gram%64)&1 != 0
}

// A search is one pass of a finder over a text.
type search struct {
	finder *finder
	text   []byte

	// What was found last.
	at int
	id int32

	next     int  // the place to look at next
	shortDue bool // only its short gram is still to be looked at
	place    int  // what waiting is about
	gram     uint32
	waiting  []entry // still to be compared
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

func (s *search) compare(e *entry) bool {
	at := s.place - int(e.offset)
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

// advance goes on to the next place that has a gram of some literal.
func (s *search) advance() bool {
	if s.shortDue {
		s.shortDue = false
		gram := uint32(binary.LittleEndian.Uint16(s.text[s.next:])) | foldShort
		s.next++
		if s.finder.short.has(gram) {
			return s.stop(s.next-1, gram, s.finder.short.find(gram))
		}
	}
	s.next = s.finder.skip(s.text, s.next)
	for ; s.next+4 <= len(s.text); s.next++ {
		gram := binary.LittleEndian.Uint32(s.text[s.next:]) | foldLong
		if s.finder.long.has(gram) {
			s.shortDue = true
			return s.stop(s.next, gram, s.finder.long.find(gram))
		}
		if gram = gram&0xffff | foldShort; s.finder.short.has(gram) {
			s.next++
			return s.stop(s.next-1, gram, s.finder.short.find(gram))
		}
	}
	for ; s.next+2 <= len(s.text); s.next++ {
		gram := uint32(binary.LittleEndian.Uint16(s.text[s.next:])) | foldShort
		if s.finder.short.has(gram) {
			s.next++
			return s.stop(s.next-1, gram, s.finder.short.find(gram))
		}
	}
	return false
}

// skip returns the first place from i on that is among four with a gram of some
// literal, or the last ones of the text. Every byte of every inline script goes
// through this loop: it asks about four places at a time, with one branch.
func (f *finder) skip(text []byte, i int) int {
	long, shift, short := f.long.bitmap, f.long.shift&31, f.short.present
	for ; i+8 <= len(text); i += 4 {
		v := binary.LittleEndian.Uint64(text[i:]) | foldLong<<32 | foldLong
		a, b := uint32(v)*gramHash>>shift, uint32(v>>8)*gramHash>>shift
		c, d := uint32(v>>16)*gramHash>>shift, uint32(v>>24)*gramHash>>shift
		hit := long[a/64]>>(a%64) | long[b/64]>>(b%64) | long[c/64]>>(c%64) | long[d/64]>>(d%64)
		if short != nil {
			a, b, c, d := uint16(v), uint16(v>>8), uint16(v>>16), uint16(v>>24)
			hit |= short[a/64]>>(a%64) | short[b/64]>>(b%64) | short[c/64]>>(c%64) | short[d/64]>>(d%64)
		}
		if hit&1 != 0 {
			break
		}
	}
	return i
}

// stop puts entries up for comparison at a place.
func (s *search) stop(place int, gram uint32, entries []entry) bool {
	s.place, s.gram, s.waiting = place, gram, entries
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
