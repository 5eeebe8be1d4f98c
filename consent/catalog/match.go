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

// A urlIndex finds the best pattern for a URL: those of a host through a hash
// of its suffixes, those of any host through one pass over the path.
type urlIndex struct {
	bySuffix map[string][]*pattern // each list in the order of rank
	byPath   *finder               // of literals of anywhere's paths
	anywhere []*pattern            // what byPath found
}

func newURLIndex(services []*consent.Service) urlIndex {
	x := urlIndex{bySuffix: make(map[string][]*pattern)}
	var literals []literal
	for _, p := range ranked(services) {
		if p.host != hostAny {
			x.bySuffix[p.suffix] = append(x.bySuffix[p.suffix], p)
			continue
		}
		literals = append(literals, literal{text: longest(p.path), id: int32(len(x.anywhere))})
		x.anywhere = append(x.anywhere, p)
	}
	x.byPath = newFinder(literals)
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

func longest(pieces []string) string {
	return slices.MaxFunc(pieces, func(a, b string) int { return cmp.Compare(len(a), len(b)) })
}

func (x *urlIndex) find(u *URL) *pattern {
	if len(u.Host) == 0 {
		return nil
	}
	var best *pattern
	rank := math.MaxInt
	for suffix := u.Host; ; {
		best, rank = first(x.bySuffix[string(suffix)], u, best, rank)
		dot := bytes.IndexByte(suffix, '.')
		if dot < 0 {
			break
		}
		suffix = suffix[dot+1:]
	}
	best, rank = first(x.bySuffix[""], u, best, rank)
	s := x.byPath.search(u.Path)
	for s.find() {
		if p := x.anywhere[s.id]; p.rank < rank && p.matches(u) {
			best, rank = p, p.rank
		}
	}
	return best
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
