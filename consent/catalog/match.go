package catalog

import (
	"bytes"
	"cmp"
	"math"
	"slices"

	"github.com/numfocus/consentgate/consent"
)

// A Match says whose something is. The zero Match is nobody the catalog knows.
type Match struct {
	Service *consent.Service
	Rule    string // the pattern that matched, as written: for people
}

// URL says whose a URL is. It allocates nothing.
func (c *Catalog) URL(u URL) Match {
	if p := c.urls.find(&u); p != nil {
		return Match{Service: p.service, Rule: p.text}
	}
	return Match{}
}

// A urlIndex finds the best pattern for a URL. How long that takes depends on
// the URL and not on how many patterns there are.
type urlIndex struct {
	bySuffix map[string][]*pattern // each list in the order of rank
	suffixes suffixSet             // the keys of bySuffix
	byPrefix prefixTree            // those with a star in the last label of the host
	anywhere pathIndex             // those of any host
}

func newURLIndex(services []*consent.Service) urlIndex {
	x := urlIndex{bySuffix: make(map[string][]*pattern)}
	for _, p := range ranked(services) {
		switch {
		case p.host == hostAny:
			x.anywhere.add(p)
		case p.suffix == "":
			x.byPrefix.add(p.glob[0], p)
		default:
			x.bySuffix[p.suffix] = append(x.bySuffix[p.suffix], p)
		}
	}
	x.suffixes = newSuffixSet(x.bySuffix)
	x.anywhere.compile()
	return x
}

// ranked lists all patterns of all services, the winners first.
func ranked(services []*consent.Service) []*pattern {
	var all []*pattern
	for _, s := range services {
		for _, u := range s.URLs {
			p := newPattern(u, s)
			all = append(all, &p)
		}
	}
	slices.SortStableFunc(all, func(a, b *pattern) int {
		return cmp.Or(cmp.Compare(weight(b.text), weight(a.text)), cmp.Compare(a.host, b.host))
	})
	for i, p := range all {
		p.rank = i
	}
	return all
}

func (x *urlIndex) find(u *URL) *pattern {
	if len(u.Host) == 0 {
		return nil
	}
	best, rank := x.byPrefix.find(u.Host, u, nil, math.MaxInt)
	for suffix := u.Host; ; {
		if x.suffixes.mayHave(suffix) {
			best, rank = first(x.bySuffix[string(suffix)], u, best, rank)
		}
		dot := bytes.IndexByte(suffix, '.')
		if dot < 0 {
			break
		}
		suffix = suffix[dot+1:]
	}
	return x.anywhere.find(u, best, rank)
}

// first returns the first of a list of patterns that matches u and is better
// than best, which has the given rank; or else best.
func first(list []*pattern, u *URL, best *pattern, rank int) (*pattern, int) {
	for _, p := range list {
		if p.rank >= rank {
			break
		}
		if p.matches(u) {
			return p, p.rank
		}
	}
	return best, rank
}
