package main

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/numfocus/consentgate/consent"
	"github.com/numfocus/consentgate/proxy"
	"github.com/numfocus/consentgate/proxy/cookies"
	"github.com/numfocus/consentgate/proxy/rewrite"
)

// A scanReport is all that a scan has found.
type scanReport struct {
	URL       string        `json:"url"` // where the scan arrived
	At        time.Time     `json:"at"`
	Version   string        `json:"version"` // of the program
	Pages     []scanPage    `json:"pages"`
	Problems  []scanProblem `json:"problems,omitempty"`
	Forbidden int           `json:"forbidden,omitempty"` // links that robots.txt keeps robots from
	Left      int           `json:"left,omitempty"`      // pages known but not read
	Cut       bool          `json:"cut,omitempty"`       // somebody ended it
	Gateway   bool          `json:"gateway,omitempty"`   // pages came through a gateway, which had taken things out

	Services []scanService `json:"services"` // by purpose
	Unknown  []scanUnknown `json:"unknown"`
	Cookies  []scanCookie  `json:"cookies"` // set in a header; scripts may set more
	Policies []string      `json:"policies,omitempty"`
	Needs    []scanSource  `json:"needs"` // what a policy of the site's own would have to name
	Block    string        `json:"services_yaml,omitempty"`
	strange  []*stranger   // of which Block is made
}

type scanPage struct {
	URL    string `json:"url"`
	Things int    `json:"things"` // of third parties
}

type scanService struct {
	ID       consent.ServiceID `json:"id"`
	Name     string            `json:"name"`
	Vendor   string            `json:"vendor,omitempty"` // empty: the site itself
	Country  string            `json:"country,omitempty"`
	Purpose  consent.Purpose   `json:"purpose"`
	Withheld bool              `json:"withheld"` // until the visitor agrees
	Hosts    []string          `json:"hosts,omitempty"`
	Kinds    []string          `json:"kinds"`
	Sets     []string          `json:"may_set,omitempty"` // cookies, by the catalog
	Pages    []string          `json:"pages"`
	Times    int               `json:"times"`
}

type scanUnknown struct {
	Host     string   `json:"host"`
	Kinds    []string `json:"kinds"`
	Withheld bool     `json:"withheld"` // some of it, until the visitor agrees
	Pages    []string `json:"pages"`
	Times    int      `json:"times"`
	Example  string   `json:"example,omitempty"` // a URL
}

type scanCookie struct {
	Name     string            `json:"name"`
	Service  consent.ServiceID `json:"service,omitempty"`
	Purpose  consent.Purpose   `json:"purpose,omitempty"`
	Withheld bool              `json:"withheld"`
	Pages    []string          `json:"pages"`
}

type scanSource struct {
	Directive string   `json:"directive"`
	Hosts     []string `json:"hosts"`
}

// scanFindings gathers what pages show.
type scanFindings struct {
	explainer *proxy.Explainer
	decision  consent.Decision // of somebody who has not chosen anything
	pages     []scanPage
	services  map[consent.ServiceID]*scanService
	unknown   map[string]*scanUnknown
	cookies   map[string]*scanCookie
	needs     map[string][]string
	policies  []string
	gateway   bool // a page has our link to the settings
}

func newFindings(e *proxy.Explainer) *scanFindings {
	return &scanFindings{
		explainer: e,
		decision:  consent.Policy{}.Decide(consent.Visitor{}, time.Now()),
		services:  map[consent.ServiceID]*scanService{},
		unknown:   map[string]*scanUnknown{},
		cookies:   map[string]*scanCookie{},
		needs:     map[string][]string{},
	}
}

// add judges one page.
func (f *scanFindings) add(p *webPage) error {
	here, err := f.explainer.At(p.url.String())
	if err != nil {
		return err
	}
	path := p.url.EscapedPath()
	found, err := here.Page(bytes.NewReader(p.body), p.charset(), f.decision)
	if err != nil {
		return fmt.Errorf("%s: %w", p.url, err)
	}
	page := scanPage{URL: p.url.String()}
	for _, finding := range append(found, here.Header(p.header, f.decision)...) {
		if f.addFinding(finding, path) {
			page.Things++
		}
	}
	f.pages = append(f.pages, page)
	f.addCookies(here, p, path)
	f.gateway = f.gateway || bytes.Contains(p.body, []byte(`id="cg-settings"`))
	for _, name := range []string{"Content-Security-Policy", "Content-Security-Policy-Report-Only"} {
		for _, line := range p.header.Values(name) {
			if f.gateway && strings.HasPrefix(line, "default-src ") && strings.Contains(line, "; report-uri /") {
				continue // the gateway's
			}
			f.policies = include(f.policies, name+": "+line)
		}
	}
	return nil
}

// addFinding reports whether it is of a third party.
func (f *scanFindings) addFinding(found proxy.Finding, path string) bool {
	kind := found.Word()
	switch {
	case found.Service != nil:
		s := f.service(found.Service)
		s.Times++
		s.Withheld = s.Withheld || found.Withheld
		s.Kinds = include(s.Kinds, kind)
		s.Pages = include(s.Pages, path)
		if found.Host != "" {
			s.Hosts = include(s.Hosts, found.Host)
		}
	case found.Host != "":
		u := f.unknown[found.Host]
		if u == nil {
			u = &scanUnknown{Host: found.Host, Example: found.URL}
			f.unknown[found.Host] = u
		}
		u.Times++
		u.Withheld = u.Withheld || found.Withheld
		u.Kinds = include(u.Kinds, kind)
		u.Pages = include(u.Pages, path)
	default:
		return false
	}
	if directive := directiveOf(found.Kind); directive != "" && found.Host != "" {
		f.needs[directive] = include(f.needs[directive], found.Host)
	}
	return found.Host != "" || found.URL == ""
}

func (f *scanFindings) service(s *consent.Service) *scanService {
	known := f.services[s.ID]
	if known == nil {
		known = &scanService{ID: s.ID, Name: s.Name, Vendor: s.Vendor, Country: s.Country, Purpose: s.Purpose}
		for _, c := range s.Cookies {
			known.Sets = include(known.Sets, c.Name)
		}
		f.services[s.ID] = known
	}
	return known
}

func (f *scanFindings) addCookies(here *proxy.Explainer, p *webPage, path string) {
	for _, line := range p.header.Values("Set-Cookie") {
		set, ok := cookies.ParseSetCookie(line)
		if !ok {
			continue
		}
		c := f.cookies[set.Name]
		if c == nil {
			v := here.Cookie(set.Name, f.decision)
			c = &scanCookie{Name: set.Name, Withheld: v.Withheld}
			if v.Service != nil {
				c.Service, c.Purpose = v.Service.ID, v.Service.Purpose
			}
			f.cookies[set.Name] = c
		}
		c.Pages = include(c.Pages, path)
	}
}

// report sorts what was found.
func (f *scanFindings) report(c *crawler, cut bool) *scanReport {
	r := &scanReport{
		URL: c.home.String(), At: time.Now().UTC().Truncate(time.Second), Version: buildVersion(),
		Pages: f.pages, Problems: c.problems, Forbidden: c.forbidden, Left: len(c.queue), Cut: cut, Gateway: f.gateway,
		Services: []scanService{}, Unknown: []scanUnknown{}, Cookies: []scanCookie{}, Needs: []scanSource{},
		Policies: f.policies,
	}
	for _, s := range f.services {
		r.Services = append(r.Services, *s)
	}
	slices.SortFunc(r.Services, func(a, b scanService) int {
		return cmp.Or(cmp.Compare(purposeRank(a.Purpose), purposeRank(b.Purpose)), cmp.Compare(a.ID, b.ID))
	})
	var strangers []*party
	for _, host := range slices.Sorted(maps.Keys(f.unknown)) {
		u := f.unknown[host]
		r.Unknown = append(r.Unknown, *u)
		strangers = append(strangers, &party{name: u.Host, kinds: u.Kinds, pages: u.Pages})
	}
	if len(strangers) > 0 {
		r.strange = strangersOf(strangers)
		r.Block = snippet(r.strange)
	}
	for _, name := range slices.Sorted(maps.Keys(f.cookies)) {
		r.Cookies = append(r.Cookies, *f.cookies[name])
	}
	for _, directive := range slices.Sorted(maps.Keys(f.needs)) {
		r.Needs = append(r.Needs, scanSource{directive, slices.Sorted(slices.Values(f.needs[directive]))})
	}
	return r
}

func purposeRank(p consent.Purpose) int { return slices.Index(consent.AllPurposes(), p) }

// directiveOf is the directive of a content security policy that rules a kind.
func directiveOf(k rewrite.Kind) string {
	switch k {
	case rewrite.Script:
		return "script-src"
	case rewrite.Frame:
		return "frame-src"
	case rewrite.Image, rewrite.Pixel, rewrite.Icon:
		return "img-src"
	case rewrite.Media:
		return "media-src"
	case rewrite.Style:
		return "style-src"
	case rewrite.Font:
		return "font-src"
	case rewrite.Beacon:
		return "connect-src"
	}
	return ""
}

// Waits says what a thing waits for, for people.
func (s scanService) Waits() string {
	if !s.Withheld {
		return "passes"
	}
	return "waits for " + string(s.Purpose)
}

func (u scanUnknown) Waits() string {
	if !u.Withheld {
		return "passes"
	}
	return "waits for marketing"
}

func (c scanCookie) Waits() string {
	switch {
	case !c.Withheld:
		return "passes"
	case c.Purpose == "":
		return "waits for marketing"
	}
	return "waits for " + string(c.Purpose)
}

// ByPurpose counts the services for each purpose, in words.
func (r *scanReport) ByPurpose() string {
	counts := map[consent.Purpose]int{}
	for _, s := range r.Services {
		counts[s.Purpose]++
	}
	var words []string
	for _, p := range consent.AllPurposes() {
		if counts[p] > 0 {
			words = append(words, fmt.Sprintf("%d %s", counts[p], p))
		}
	}
	return strings.Join(words, ", ")
}

// Few lists some of many, for the report.
func (r *scanReport) Few(list []string) string { return few(list, 5) }

// Join lists all.
func (r *scanReport) Join(list []string) string { return strings.Join(list, ", ") }
