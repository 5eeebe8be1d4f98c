package catalog

import (
	"cmp"
	"slices"
	"strings"

	"github.com/numfocus/consentgate/consent"
)

// Cookie says whose a cookie is. domain is the one it is set for, in lower case,
// with or without a leading dot; empty stands for the site itself. It allocates
// nothing.
//
// A name of the site's own that no service claims may still be one whose purpose
// is known; the match is then with a service that stands for that purpose and is
// not among [Catalog.Services]. Its id begins with "cookie-".
func (c *Catalog) Cookie(name, domain string) Match {
	if domain == "" {
		if m := c.cookies[""].find(name); m.Service != nil {
			return m
		}
		return c.known.find(name)
	}
	for domain = strings.TrimPrefix(domain, "."); ; {
		if m := c.cookies[domain].find(name); m.Service != nil {
			return m
		}
		_, above, found := strings.Cut(domain, ".")
		if !found {
			return Match{}
		}
		domain = above
	}
}

// A cookieIndex finds whose a cookie name is, among those of one domain. The nil
// index knows no cookie.
type cookieIndex struct {
	exact   map[string]Match
	globs   map[string][]cookieGlob // by what is before the star
	lengths []int                   // of the keys of globs, falling
}

type cookieGlob struct {
	Match
	rest []string // pieces after the first star
}

// A claim is a service's claim to a cookie.
type claim struct {
	service *consent.Service
	name    string
}

// newCookieIndexes returns the index of each domain.
func newCookieIndexes(services []*consent.Service) map[string]*cookieIndex {
	claims := make(map[string][]claim)
	for _, s := range services {
		for _, c := range s.Cookies {
			claims[c.Domain] = append(claims[c.Domain], claim{service: s, name: c.Name})
		}
	}
	indexes := make(map[string]*cookieIndex, len(claims))
	for domain, list := range claims {
		indexes[domain] = newCookieIndex(list)
	}
	return indexes
}

func newCookieIndex(claims []claim) *cookieIndex {
	x := &cookieIndex{exact: make(map[string]Match), globs: make(map[string][]cookieGlob)}
	slices.SortStableFunc(claims, func(a, b claim) int {
		return cmp.Or(
			cmp.Compare(len(b.name), len(a.name)),
			cmp.Compare(reluctance(b.service.Purpose), reluctance(a.service.Purpose)))
	})
	for _, c := range claims {
		m := Match{Service: c.service, Rule: c.name}
		head, tail, isGlob := strings.Cut(c.name, "*")
		if isGlob {
			x.globs[head] = append(x.globs[head], cookieGlob{Match: m, rest: strings.Split(tail, "*")})
		} else if _, taken := x.exact[c.name]; !taken {
			x.exact[c.name] = m
		}
	}
	for head := range x.globs {
		x.lengths = append(x.lengths, len(head))
	}
	slices.Sort(x.lengths)
	x.lengths = slices.Compact(x.lengths)
	slices.Reverse(x.lengths)
	return x
}

func (x *cookieIndex) find(name string) Match {
	if x == nil {
		return Match{}
	}
	if m, ok := x.exact[name]; ok {
		return m
	}
	var best Match
	for _, n := range x.lengths {
		if n > len(name) {
			continue
		}
		for _, g := range x.globs[name[:n]] {
			if len(g.Rule) <= len(best.Rule) {
				break
			}
			if g.matches(name[n:]) {
				best = g.Match
				break
			}
		}
	}
	return best
}

// matches reports whether what follows the first star matches the rest of the
// glob.
func (g *cookieGlob) matches(s string) bool {
	last := len(g.rest) - 1
	if !strings.HasSuffix(s, g.rest[last]) {
		return false
	}
	s = s[:len(s)-len(g.rest[last])]
	for _, piece := range g.rest[:last] {
		i := strings.Index(s, piece)
		if i < 0 {
			return false
		}
		s = s[i+len(piece):]
	}
	return true
}

// reluctance orders purposes by how reluctantly they are granted.
func reluctance(p consent.Purpose) int { return slices.Index(consent.AllPurposes(), p) }
