package inventory

import (
	"cmp"
	"slices"
	"strings"

	"github.com/numfocus/consentgate/consent"
)

// A Reported is one thing that browsers say they refused to load.
type Reported struct {
	Host        string            `json:"host"` // or a word such as "inline"
	Directive   string            `json:"directive"`
	Disposition string            `json:"disposition"` // enforce, or report: it was loaded all the same
	Service     consent.ServiceID `json:"service,omitempty"`
	Count       uint64            `json:"count"`
	FirstSeen   string            `json:"first_seen"`
	LastSeen    string            `json:"last_seen"`
	Pages       []string          `json:"pages,omitempty"`
}

type reportKey struct {
	host, directive, disposition string
	service                      consent.ServiceID
}

func (r Reported) key() reportKey {
	return reportKey{r.Host, r.Directive, r.Disposition, r.Service}
}

// A book keeps reports: as many of what the catalog knows as of what it does
// not. When there is no room, what was reported least makes room, so that
// somebody who makes up a new host each time pushes out only his own.
type book struct {
	known, unknown map[reportKey]*Reported
	refused        uint64
}

func (b *book) shelf(r Reported) map[reportKey]*Reported {
	if b.known == nil {
		b.known, b.unknown = map[reportKey]*Reported{}, map[reportKey]*Reported{}
	}
	if r.Service != "" {
		return b.known
	}
	return b.unknown
}

func (b *book) add(r Reported, page, today string) {
	shelf := b.shelf(r)
	kept, ok := shelf[r.key()]
	if !ok {
		if len(shelf) >= maxReported {
			delete(shelf, least(shelf))
		}
		r.FirstSeen = today
		r.Host = strings.Clone(r.Host) // and not the whole report
		r.Directive = strings.Clone(r.Directive)
		kept = &r
		shelf[r.key()] = kept
	}
	kept.Count++
	kept.LastSeen = today
	kept.Pages = withPage(kept.Pages, page)
}

func least(shelf map[reportKey]*Reported) reportKey {
	var least *Reported
	for _, r := range shelf {
		if least == nil || r.Count < least.Count || r.Count == least.Count && r.LastSeen < least.LastSeen {
			least = r
		}
	}
	return least.key()
}

func (b *book) restore(r Reported) {
	shelf := b.shelf(r)
	if len(shelf) >= maxReported || r.Host == "" {
		return
	}
	pages := r.Pages
	r.Pages = nil
	for _, page := range pages {
		r.Pages = withPage(r.Pages, page)
	}
	shelf[r.key()] = &r
}

// list gives the most reported first.
func (b *book) list() []Reported {
	list := make([]Reported, 0, len(b.known)+len(b.unknown))
	for _, shelf := range []map[reportKey]*Reported{b.known, b.unknown} {
		for _, r := range shelf {
			entry := *r
			entry.Pages = slices.Clone(r.Pages)
			list = append(list, entry)
		}
	}
	slices.SortFunc(list, func(a, b Reported) int {
		return cmp.Or(
			-cmp.Compare(a.Count, b.Count),
			strings.Compare(a.Host, b.Host),
			strings.Compare(a.Directive, b.Directive),
			strings.Compare(a.Disposition, b.Disposition),
			strings.Compare(string(a.Service), string(b.Service)),
		)
	})
	return list
}
