package proxy

import (
	"encoding/binary"
	"net/http"
	"net/netip"

	"github.com/numfocus/consentgate/consent"
	"github.com/numfocus/consentgate/consent/catalog"
	"github.com/numfocus/consentgate/proxy/inventory"
	"github.com/numfocus/consentgate/proxy/rewrite"
	"github.com/numfocus/consentgate/proxy/upstream"
)

var kindsSeen = [...]string{
	rewrite.Script:   "script",
	rewrite.Frame:    "frame",
	rewrite.Image:    "image",
	rewrite.Pixel:    "pixel",
	rewrite.Media:    "media",
	rewrite.Style:    "style",
	rewrite.Font:     "font",
	rewrite.Icon:     "icon",
	rewrite.Hint:     "hint",
	rewrite.Prefetch: "prefetch",
	rewrite.Beacon:   "beacon",
	rewrite.Refresh:  "refresh",
}

// seenAs is a kind as the inventory names it.
func seenAs(k rewrite.Kind) string { return kindsSeen[k] }

// Word is the kind of a finding as the inventory names it: "script", "frame".
func (f Finding) Word() string { return seenAs(f.Kind) }

// remember gives the inventory what this answer alone has shown: its headers,
// its cookies, and the page if it was not remembered.
func (x *exchange) remember() {
	if x.site == nil || x.seen.Empty() {
		return
	}
	x.site.inventory.Record(nil, x.example(x.w.status), &x.seen)
}

// example is the path of a page that exists, for the inventory.
func (x *exchange) example(status int) string {
	if !x.page || status != http.StatusOK {
		return ""
	}
	return x.r.URL.EscapedPath()
}

// sawSet notes a cookie that the origin sets. What the catalog knows is kept
// under the catalog's pattern, so that ids in names are not.
func (x *exchange) sawSet(name string, v Verdict) {
	if v.Service != nil {
		name = v.Rule
	}
	x.seen.Add(inventory.Cookie, name, v.Service, v.Withheld)
}

// sawReturned notes a cookie that the visitor sends with the request for a page.
// One that the catalog does not know may be anything.
func (x *exchange) sawReturned(v Verdict) {
	if x.page && v.Service != nil {
		x.seen.AddReturned(v.Rule, v.Service, v.Withheld)
	}
}

// appendRefs writes references into the inventory, for readRefs.
func appendRefs(dst, refs []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(refs)))
	return append(dst, refs...)
}

// readRefs reads what appendRefs wrote in front of made, and returns the rest.
func readRefs(made []byte) (refs, rest []byte) {
	n, size := binary.Uvarint(made)
	made = made[size:]
	return made[:n:n], made[n:]
}

// openInventory finds the site's inventory, and asks anew whose everything in
// it is: the site's services may have changed since.
func (s *site) openInventory(all *inventory.Store, hosts []string) {
	s.inventory = all.Site(s.name)
	s.inventory.Reclassify(func(kind, name string, was consent.ServiceID) (*consent.Service, bool) {
		if service, ok := s.catalog.Service(was); ok {
			return service, false
		}
		if kind == inventory.Cookie {
			return s.catalog.Cookie(name, "").Service, false
		}
		if len(hosts) > 0 && s.firstParty.has(hosts[0], name) {
			return nil, true
		}
		return s.whose("https://" + name + "/"), false
	})
}

func (s *site) whose(url string) *consent.Service {
	var parser catalog.Parser
	u, ok := parser.Parse(nil, []byte(url))
	if !ok {
		return nil
	}
	return s.catalog.URL(u).Service
}

// report counts what a browser reports of this site's pages, and returns false
// where too much comes from one source.
func (s *site) report(r *http.Request, trusted upstream.Trusted, mediaType string, body []byte) bool {
	if !s.inventory.AllowReport(source(upstream.ClientAddr(r, trusted))) {
		return false
	}
	violations, err := inventory.ParseReports(mediaType, body)
	if err != nil {
		s.parts.Log.Debug().Err(err).Str("site", s.name).Msg("report")
	}
	host := hostname(upstream.Host(r, trusted))
	for _, v := range violations {
		switch {
		case !s.firstParty.has(host, v.Document):
		case s.firstParty.has(host, v.Host):
			s.inventory.Report(v, nil)
		default:
			s.inventory.Report(v, s.whose(v.URL))
		}
	}
	return true
}

// source is what one visitor can hardly have many of: an IPv4 address, or the
// network of an IPv6 address.
func source(client netip.Addr) string {
	if client.Is4() || client.Is4In6() {
		return client.Unmap().String()
	}
	network, err := client.Prefix(64)
	if err != nil {
		return ""
	}
	return network.Masked().String()
}
