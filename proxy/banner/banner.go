package banner

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"html/template"
	"slices"
	"strconv"
	"strings"

	"github.com/numfocus/consentgate/assets"
	"github.com/numfocus/consentgate/consent"
)

// A Banner holds everything a visitor can see on one site, ready to be sent.
// It is safe for concurrent use.
type Banner struct {
	site      site
	templates *template.Template
	matcher   *matcher
	edition   map[Lang]*edition
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
	Changes    []Change
	Position   string // of the banner, where it is not the bottom
	Logo       string // path on the site
	Schemes    string // for color-scheme

	inPage   string // path of the style sheet for pages of the site
	fallback Lang
	services []*consent.Service
}

// An edition is the notice in one language.
type edition struct {
	*locale
	site
	notice      []byte
	foot        [footKinds][]byte
	sections    []section
	declaration template.HTML
	hash        string
}

// New prepares the notice of a site in every language. services are those the
// site may use, in the order in which they are shown within their purpose;
// prefix is where the gateway's own routes are: "/_consent/".
func New(cfg Config, services []*consent.Service, prefix string) (*Banner, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	locales, err := loadLocales()
	if err != nil {
		return nil, err
	}
	templates, err := template.ParseFS(assets.Files, "*.html")
	if err != nil {
		return nil, fmt.Errorf("read templates: %w", err)
	}
	b := &Banner{
		templates: templates,
		matcher:   newMatcher(Lang(cfg.language()), locales),
		edition:   make(map[Lang]*edition, len(locales)),
	}
	if b.assets, err = loadAssets(cfg.Look); err != nil {
		return nil, err
	}
	b.site = newSite(cfg, services, prefix, b.assets)
	if b.scripts, err = loadScripts(services, prefix); err != nil {
		return nil, err
	}
	b.head = []byte(`<link rel="stylesheet" href="` + template.HTMLEscapeString(b.site.inPage) + `">`)
	for lang, loc := range locales {
		if b.edition[lang], err = b.publish(loc.with(cfg.Texts[string(lang)])); err != nil {
			return nil, fmt.Errorf("prepare notice in language %s: %w", lang, err)
		}
	}
	return b, nil
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
		inPage:     prefix + "assets/" + sheets[inPageSheet].Name,
		fallback:   Lang(cfg.language()),
		services:   services,
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

func (b *Banner) publish(loc *locale) (*edition, error) {
	e := &edition{locale: loc, site: b.site}
	var err error
	if e.sections, err = b.sections(e); err != nil {
		return nil, err
	}
	if e.notice, err = b.render("banner", e); err != nil {
		return nil, err
	}
	for kind := range e.foot {
		if e.foot[kind], err = b.render("foot", footOf(e, kind)); err != nil {
			return nil, err
		}
	}
	declaration, err := b.render("declaration", declarationOf(e))
	if err != nil {
		return nil, err
	}
	e.declaration = template.HTML(declaration)
	e.hash, err = b.hash(e)
	return e, err
}

// hash covers what a visitor who has not answered is shown: banner, settings
// and the style of both.
func (b *Banner) hash(e *edition) (string, error) {
	settings, err := b.render("settings", b.settings(e, View{}))
	if err != nil {
		return "", err
	}
	h := sha256.New()
	h.Write(e.notice)
	h.Write(settings)
	for _, a := range b.assets {
		h.Write(a.Body)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func (b *Banner) render(name string, data any) ([]byte, error) {
	var buf bytes.Buffer
	if err := b.templates.ExecuteTemplate(&buf, name, data); err != nil {
		return nil, fmt.Errorf("render %s: %w", name, err)
	}
	return buf.Bytes(), nil
}

// in gives the edition of a language, or the default one.
func (b *Banner) in(l Lang) *edition {
	if e, ok := b.edition[l]; ok {
		return e
	}
	return b.edition[b.matcher.fallback]
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
func (b *Banner) Has(l Lang) bool { return b.edition[l] != nil }

// Default is the language used where nothing better is known.
func (b *Banner) Default() Lang { return b.matcher.fallback }

// Revision of the notice in force.
func (b *Banner) Revision() string { return b.site.Revision }

// Controller is the name of who is responsible, or "".
func (b *Banner) Controller() string { return b.site.Controller }

// PolicyURL is a path on the site, an http(s) URL, or "".
func (b *Banner) PolicyURL() string { return b.site.Policy }

// Contact is an href: a path on the site, an http(s) or a mailto URL, or "".
func (b *Banner) Contact() string { return b.site.Contact }

// NoticeHash is the SHA-256, in hexadecimal, of exactly what a visitor is shown
// in a language before answering: banner, settings page and their style.
func (b *Banner) NoticeHash(l Lang) string { return b.in(l).hash }

// Notice is the banner, or nothing where the visitor is not to be asked. It
// belongs first into body. The caller must not change it.
func (b *Banner) Notice(l Lang, d consent.Decision) []byte {
	if !d.Ask {
		return nil
	}
	return b.in(l).notice
}

// The kinds of foot: which signal is honoured, and whether the page may have
// placeholders, whose buttons need forms.
const (
	footGPC = 1 << iota
	footDNT
	footForms
	footKinds = 1 << iota
)

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

type foot struct {
	*edition
	GPC, DNT, Forms bool
}

func footOf(e *edition, kind int) foot {
	return foot{edition: e, GPC: kind&footGPC != 0, DNT: kind&footDNT != 0, Forms: kind&footForms != 0}
}

// Home is the address of the settings page, in the language of the page that
// links to it.
func (e *edition) Home() string { return e.Prefix + e.ask() }

// List is the address of the cookie declaration.
func (e *edition) List() string { return e.Prefix + "cookies" + e.ask() }

// ask names the language where the page linked to would take another one.
func (e *edition) ask() string {
	if e.lang == e.fallback {
		return ""
	}
	return "?lang=" + string(e.lang)
}

// PurposeList names what consent is asked for: "a, b and c".
func (e *edition) PurposeList() string {
	var names []string
	for _, p := range []consent.Purpose{consent.Preferences, consent.Statistics, consent.Marketing} {
		names = append(names, e.text("purpose."+string(p)+".short"))
	}
	return e.list(names)
}

// PartiesLink names the third parties and leads to the list of them.
func (e *edition) PartiesLink() template.HTML {
	return template.HTML(`<a href="` + template.HTMLEscapeString(e.List()) + `">` +
		template.HTMLEscapeString(e.text("banner.parties", "count", strconv.Itoa(e.Parties))) + `</a>`)
}
