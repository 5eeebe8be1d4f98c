package proxy

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/numfocus/consentgate/consent"
	"github.com/numfocus/consentgate/consent/catalog"
	"github.com/numfocus/consentgate/proxy/encode"
	"github.com/numfocus/consentgate/proxy/headers"
	"github.com/numfocus/consentgate/proxy/rewrite"
)

// pageHeaders makes the header of an edited page and chooses its coding.
func (x *exchange) pageHeaders(h http.Header) (coding string) {
	headers.Page{Language: true}.Apply(h)
	readAsHTML(h)
	x.nonce = nonceOf(h)
	x.fence(false)
	coding, _ = encode.Negotiate(x.r.Header["Accept-Encoding"], encode.Brotli, encode.Zstd, encode.Gzip)
	setCoding(h, coding)
	return coding
}

func setCoding(h http.Header, coding string) {
	delete(h, "Content-Encoding")
	if coding != encode.Identity {
		h["Content-Encoding"] = []string{coding}
	}
}

// readAsHTML has the browser read a page by the rules by which it was edited:
// in XHTML a script element may end where it begins.
func readAsHTML(h http.Header) {
	for i, line := range h["Content-Type"] {
		essence, parameters, _ := strings.Cut(line, ";")
		if !strings.EqualFold(strings.TrimSpace(essence), "application/xhtml+xml") {
			continue
		}
		h["Content-Type"] = slices.Clone(h["Content-Type"])
		h["Content-Type"][i] = "text/html"
		if parameters != "" {
			h["Content-Type"][i] += ";" + parameters
		}
	}
}

// fence adds the policy that has the browser itself refuse what is withheld;
// the strict one where nobody could look into the page.
func (x *exchange) fence(strict bool) {
	x.fenceBy(x.site.sources(x.secure()), strict)
}

// fenceUnedited is for what is sent as it came: there may be pictures in it of
// somebody who is withheld, and a policy can only tell them from those of
// strangers by leaving out both.
func (x *exchange) fenceUnedited() {
	s := x.site.sources(x.secure())
	if s.Unknown == headers.BlockActive && !x.site.observe {
		s.Unknown = headers.BlockAll
	}
	x.fenceBy(s, false)
}

func (x *exchange) fenceBy(s headers.Sources, strict bool) {
	d := x.decision()
	if d.AllowsEverything() {
		return
	}
	h := x.w.Header()
	if d.AllowsUnknown() {
		s.Unknown = headers.Allow // no list of hosts could say so
	}
	if !x.site.observe {
		headers.Restrict(h, x.headerPolicy())
	}
	if strict {
		s.FirstParty = x.site.firstParty.patterns(x.judge.host)
		s.Add(h, s.Strict(), false)
		return
	}
	key := string(x.base().Scheme) + "://" + x.judge.host + " " + d.Key() + " " + strconv.Itoa(int(s.Unknown))
	within := x.site.reaches()
	s.Add(h, within.policies.get(key, func() string {
		s.FirstParty = x.site.firstParty.patterns(x.judge.host)
		all := func(consent.ServiceID) bool { return true }
		whole := x.site.allowedPatterns(d, all)
		s.Services, s.Sockets = whole.Services, whole.Sockets
		s.Narrower = []headers.Hosts{x.site.allowedPatterns(d, within.seenOrReported), x.site.allowedPatterns(d, within.seen)}
		return s.Policy()
	}), x.site.observe)
}

// filterHints takes out of a header what would make the browser contact
// somebody who is withheld.
func (x *exchange) filterHints(h http.Header) {
	if x.decision().AllowsEverything() {
		return
	}
	if x.site.observe {
		h = h.Clone() // to count
	}
	x.tally.headers += headers.Filter(h, x.headerPolicy())
}

func (x *exchange) headerPolicy() headers.Policy {
	return headers.Policy{Allowed: x.allowedInHeader, Ads: x.decision().Purposes.Has(consent.Marketing)}
}

func (x *exchange) allowedInHeader(kind headers.Kind, url string) bool {
	base := x.base()
	v := x.judge.url(&base, inPage(kind), []byte(url))
	x.seen.Add(seenAs(inPage(kind)), v.Host, v.Service, v.Withheld)
	return !v.Withheld
}

// inPage is the kind under which a page would hold what a header has.
func inPage(k headers.Kind) rewrite.Kind {
	switch k {
	case headers.Style:
		return rewrite.Style
	case headers.Image:
		return rewrite.Image
	case headers.Font:
		return rewrite.Font
	case headers.Media:
		return rewrite.Media
	case headers.Frame:
		return rewrite.Frame
	case headers.Hint:
		return rewrite.Hint
	case headers.Prefetch:
		return rewrite.Prefetch
	case headers.Refresh:
		return rewrite.Refresh
	case headers.Report:
		return rewrite.Beacon
	}
	return rewrite.Script
}

// base is the URL of the request: what relative URLs resolve against.
func (x *exchange) base() catalog.URL {
	if x.at.Host == nil {
		scheme := "http"
		if x.secure() {
			scheme = "https"
		}
		x.at = catalog.URL{Scheme: []byte(scheme), Host: []byte(x.judge.host), Path: []byte(x.r.URL.RequestURI())}
	}
	return x.at
}

// sources are those of a policy; the hosts are added where one is made.
func (s *site) sources(secure bool) headers.Sources {
	return headers.Sources{
		Unknown:    s.unknown.inPolicy(),
		ReportPath: s.offers.now.Load().endpoint.Prefix() + "report",
		Secure:     secure,
	}
}

// allowedPatterns are the URL patterns of the services that d allows: the necessary
// ones, and those among the others that used says. Only the others may open a
// WebSocket.
func (s *site) allowedPatterns(d *consent.Decision, used func(consent.ServiceID) bool) (of headers.Hosts) {
	for _, service := range s.catalog.Services() {
		switch {
		case !d.Allows(service):
		case service.Purpose == consent.Necessary:
			of.Services = append(of.Services, service.URLs...)
		case used(service.ID):
			of.Services = append(of.Services, service.URLs...)
			of.Sockets = append(of.Sockets, service.URLs...)
		}
	}
	return of
}

// A reach is whom the site is known to call, for policies that cannot name all who
// are granted, and the policies that were made by it.
type reach struct {
	parties        uint64 // of the inventory
	used, reported map[consent.ServiceID]bool
	policies       policies
}

func (r *reach) seen(id consent.ServiceID) bool { return r.used[id] }

// seenOrReported counts what tag managers bring as well: no document shows it, but a
// browser that refuses it reports it. It only ever widens a policy by what the visitor
// has granted.
func (r *reach) seenOrReported(id consent.ServiceID) bool { return r.used[id] || r.reported[id] }

// reaches makes another one where somebody else has been seen or reported since.
func (s *site) reaches() *reach {
	parties := s.inventory.Parties()
	if now := s.reach.Load(); now != nil && now.parties == parties {
		return now
	}
	next := &reach{parties: parties, used: s.inventory.Seen(), reported: s.inventory.Reported()}
	for id, own := range s.named {
		next.used[id] = next.used[id] || own
	}
	s.reach.Store(next)
	return next
}

func (u Unknown) inPolicy() headers.Unknown {
	switch u {
	case UnknownAllow:
		return headers.Allow
	case UnknownBlockAll:
		return headers.BlockAll
	}
	return headers.BlockActive
}

// policies remembers Content-Security-Policies by host and decision. There are
// few: it stops remembering rather than grow.
type policies struct {
	known sync.Map
	count atomic.Int32
}

const maxPolicies = 512

func (p *policies) get(key string, build func() string) string {
	if known, ok := p.known.Load(key); ok {
		return known.(string)
	}
	policy := build()
	if p.count.Load() < maxPolicies {
		if _, loaded := p.known.LoadOrStore(strings.Clone(key), policy); !loaded {
			p.count.Add(1)
		}
	}
	return policy
}
