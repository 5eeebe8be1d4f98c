package catalog

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// found lists all that a finder finds, as place and literal.
func found(f *finder, text string) []string {
	var list []string
	s := f.search([]byte(text))
	for s.find() {
		list = append(list, fmt.Sprintf("%d:%d", s.at, s.id))
	}
	slices.Sort(list)
	return list
}

// foundSimply does the same the slow way.
func foundSimply(literals []literal, text string) []string {
	var list []string
	for _, l := range literals {
		for i := range text {
			there := text[i:min(i+len(l.text), len(text))]
			if there == l.text || l.fold && strings.ToLower(there) == l.text {
				list = append(list, fmt.Sprintf("%d:%d", i, l.id))
			}
		}
	}
	slices.Sort(list)
	return list
}

func TestFinder(t *testing.T) {
	literals := []literal{
		{text: "gtm.start", id: 0}, {text: "start", id: 1}, {text: "ga", id: 2}, {text: "ga(", id: 3}, {text: "fbq", fold: true, id: 4},
		{text: "GTM-", id: 5}, {text: "create", fold: true, id: 6}, {text: "gtm.start", id: 7},
	}
	f := newFinder(literals)
	for _, text := range []string{
		"", "g", "ga", "ga(", "xga(", "gtm.start", "gtm.starT", "gtm.gtm.startstart", "FBQ fbq Fbq", "gtm-GTM-", "CreaTE", "gagaga(", "start\x00ga",
	} {
		if got, want := found(f, text), foundSimply(literals, text); !slices.Equal(got, want) {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	}
	if got := found(newFinder(nil), "anything"); len(got) > 0 {
		t.Errorf("an empty finder found %v", got)
	}
}

// Random literals over few letters, so that they overlap, share grams and end
// where the text does.
func TestFinderFindsWhatASlowOneDoes(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		letters := "abAB(. "[:2+r.IntN(6)]
		word := func(n int) string {
			b := make([]byte, n)
			for i := range b {
				b[i] = letters[r.IntN(len(letters))]
			}
			return string(b)
		}
		var literals []literal
		for id := range int32(1 + r.IntN(12)) {
			l := literal{text: word(2 + r.IntN(7)), fold: r.IntN(3) == 0, id: id}
			if l.fold {
				l.text = strings.ToLower(l.text)
			}
			literals = append(literals, l)
		}
		text := word(r.IntN(120))
		if got, want := found(newFinder(literals), text), foundSimply(literals, text); !slices.Equal(got, want) {
			t.Fatalf("seed %d: %v in %q: got %v, want %v", seed, literals, text, got, want)
		}
	}
}
