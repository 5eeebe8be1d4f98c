package banner

import (
	"bytes"
	"fmt"
	"html/template"
	"slices"
	"strings"

	"github.com/numfocus/consentgate/assets"
	"github.com/numfocus/consentgate/consent"
)

// A Banner holds everything a visitor can see on one site. What is seen in a
// language is made when somebody first comes to see it. It is safe for concurrent
// use.
type Banner struct {
	site      site
	templates *template.Template
	matcher   *matcher
	library   library
	texts     map[string]map[string]string // the site's own: language, then key
	editions  map[Lang]func() *edition
	assets    []Asset
	scripts   scripts
	head      []byte
}

// site is what all languages share.
type site struct {
	Controller string
	Policy     string // href
	Contact    string // href
	Revision   string
	Prefix     string // "/_consent/"
	Style      string // path of the style sheet of our own pages
	Parties    int    // organisations that data may go to
	Uncounted  bool   // which of them the site uses is not known yet
	Changes    []Change
	Position   string // of the banner, where it is not the bottom
	Logo       string // path on the site
	Schemes    string // for color-scheme

	losses  map[string]map[string]string
	earlier []string // revisions whose choices still hold
	askNew  bool     // services that join are asked about

	inPage   string // path of the style sheet for pages of the site
	fallback Lang
	services []*consent.Service // that the site may use
	offered  []*consent.Service // of these that it is known to use, which are shown
}

// New prepares the notice of a site, and tries it out in the site's language.
// services are those the site may use, in the order in which they are shown within
// their purpose; prefix is where the gateway's own routes are: "/_consent/".
func New(cfg Config, services []*consent.Service, prefix string) (*Banner, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	b := &Banner{texts: cfg.Texts}
	var err error
	if b.library, err = openLibrary(); err != nil {
		return nil, err
	}
	if b.templates, err = template.ParseFS(assets.Files, "*.html"); err != nil {
		return nil, fmt.Errorf("read templates: %w", err)
	}
	if b.assets, err = loadAssets(cfg.Look); err != nil {
		return nil, err
	}
	b.matcher = newMatcher(Lang(cfg.language()), b.library)
	b.site = newSite(cfg, services, prefix, b.assets)
	b.head = []byte(`<link rel="stylesheet" href="` + template.HTMLEscapeString(b.site.inPage) + `">`)
	if b.scripts, err = loadScripts(services, prefix); err != nil {
		return nil, err
	}
	b.editions = b.publishWhenAsked()
	return b, b.tryOut()
}

// WithServices is the same notice for a site that uses these of its services, at
// little cost: nothing is made before somebody asks for it. Scripts go on knowing
// all of them, for a page can hold what nobody has seen on the site yet.
func (b *Banner) WithServices(offered []*consent.Service) *Banner {
	other := *b
	other.site.offered = offered
	other.site.Parties = countVendors(offered)
	other.editions = other.publishWhenAsked()
	return &other
}

// Unseen is the same notice for a site of which nobody knows yet what it uses: a
// number of third parties would be that of the catalog, so it tells none.
func (b *Banner) Unseen() *Banner {
	other := *b
	other.site.Uncounted = true
	other.editions = other.publishWhenAsked()
	return &other
}

func newSite(cfg Config, services []*consent.Service, prefix string, sheets []Asset) site {
	return site{
		Controller: cfg.Controller,
		Policy:     linkTo(cfg.PrivacyPolicy),
		Contact:    linkTo(cfg.Contact),
		Revision:   cfg.revision(),
		Prefix:     prefix,
		Style:      prefix + "assets/" + sheets[pageSheet].Name,
		Parties:    countVendors(services),
		Changes:    cfg.Changes,
		Position:   strings.TrimPrefix(cfg.Look.Position, "bottom"),
		Logo:       cfg.Look.Logo,
		Schemes:    cfg.Look.schemes(),
		losses:     cfg.Losses,
		earlier:    cfg.earlier(),
		askNew:     cfg.NewServices != "allow",
		inPage:     prefix + "assets/" + sheets[inPageSheet].Name,
		fallback:   Lang(cfg.language()),
		services:   services,
		offered:    services,
	}
}

// countVendors counts the organisations behind what waits for consent.
func countVendors(services []*consent.Service) int {
	vendors := make(map[string]bool)
	for _, s := range services {
		if s.Purpose != consent.Necessary && !s.FirstParty {
			vendors[s.Vendor] = true
		}
	}
	return len(vendors)
}

func (b *Banner) render(name string, data any) ([]byte, error) {
	var buf bytes.Buffer
	if err := b.templates.ExecuteTemplate(&buf, name, data); err != nil {
		return nil, fmt.Errorf("render %s: %w", name, err)
	}
	return buf.Bytes(), nil
}

// Match chooses the language: the page's lang attribute first, then the
// request's Accept-Language header, then the site's default.
func (b *Banner) Match(page, accept string) Lang { return b.matcher.match(page, accept) }

// Languages lists the languages there are, sorted.
func (b *Banner) Languages() []Lang {
	langs := slices.Clone(b.matcher.langs)
	slices.Sort(langs)
	return langs
}

// Has reports whether there are texts in exactly this language.
func (b *Banner) Has(l Lang) bool { return b.editions[l] != nil }

// Default is the language used where nothing better is known.
func (b *Banner) Default() Lang { return b.matcher.fallback }

// Revision of the notice in force.
func (b *Banner) Revision() string { return b.site.Revision }

// Policy is what the notice means for choices made before it, where services
// joined the site's offer at the times given.
func (b *Banner) Policy(added []consent.Addition) consent.Policy {
	p := consent.Policy{Revision: b.site.Revision, Earlier: b.site.earlier}
	if b.site.askNew {
		p.Added = added
	}
	return p
}

// Controller is the name of who is responsible, or "".
func (b *Banner) Controller() string { return b.site.Controller }

// PolicyURL is a path on the site, an http(s) URL, or "".
func (b *Banner) PolicyURL() string { return b.site.Policy }

// Contact is an href: a path on the site, an http(s) or a mailto URL, or "".
func (b *Banner) Contact() string { return b.site.Contact }

// NoticeHash is the SHA-256, in hexadecimal, of Shown.
func (b *Banner) NoticeHash(l Lang) string { return b.in(l).pages().hash }

// Shown is exactly what a visitor is shown in a language before answering, for the
// record: banner, settings page and the style and scripts of both.
func (b *Banner) Shown(l Lang) ([]byte, error) {
	e := b.in(l)
	return b.shown(e, e.pages().sections)
}

// Notice is the banner, or nothing where the visitor is not to be asked. It
// belongs first into body. The caller must not change it.
func (b *Banner) Notice(l Lang, d consent.Decision) []byte {
	switch {
	case !d.Ask:
		return nil
	case len(d.New) > 0:
		return b.newsIn(b.in(l), d.New)
	}
	return b.in(l).notice
}

// newsIn is the banner for somebody who chose before, which says what is new. It is
// made each time: few are asked again, and for each of their pages once.
func (b *Banner) newsIn(e *edition, added []consent.ServiceID) []byte {
	banner, err := b.render("banner", notice{e, e.names(added)})
	if err != nil {
		return e.notice // which asks for more, but asks
	}
	return banner
}

// Link is the link to the settings, with a line about the signal where one is
// in force, and the forms that the buttons of placeholders send. It belongs last
// into the body of every page. The caller must not change it.
func (b *Banner) Link(l Lang, d consent.Decision) []byte {
	kind := 0
	if d.NoSale {
		kind |= footGPC
	}
	if d.NoTracking {
		kind |= footDNT
	}
	if !d.AllowsEverything() {
		kind |= footForms
	}
	return b.in(l).foot[kind]
}
