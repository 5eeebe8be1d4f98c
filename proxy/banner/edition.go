package banner

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"html/template"
	"regexp"
	"slices"
	"strconv"
	"sync"

	"github.com/numfocus/consentgate/consent"
)

// An edition is the notice in one language: what stands in every page of the site
// is there from the start, our own pages follow when the first of them is asked for.
type edition struct {
	*locale
	site
	notice []byte
	foot   [footKinds][]byte
	moulds moulds
	pages  func() pages
}

type pages struct {
	sections    []section
	declaration []byte
	hash        string // of what is shown before an answer
	err         error
}

// publishWhenAsked prepares the editions in all languages. Each is made once, and
// costs nothing but a look into a map after that. Where one cannot be made there is
// the default one, which New has tried out.
func (b *Banner) publishWhenAsked() map[Lang]func() *edition {
	all := make(map[Lang]func() *edition, len(b.library))
	for lang := range b.library {
		all[lang] = sync.OnceValue(func() *edition {
			e, err := b.publish(lang)
			if err != nil && lang != b.Default() {
				return b.in(b.Default())
			}
			return e
		})
	}
	return all
}

// tryOut makes the default edition and says what is wrong with it: with a service of
// each purpose, for all of them would show no other mistake and cost as much as the rest
// of New.
func (b *Banner) tryOut() error {
	few := b.WithServices(onePerPurpose(b.site.services))
	e, err := few.publish(b.Default())
	if err == nil {
		err = e.pages().err
	}
	if err != nil {
		return fmt.Errorf("prepare notice in language %s: %w", b.Default(), err)
	}
	return nil
}

func onePerPurpose(services []*consent.Service) (few []*consent.Service) {
	known := map[consent.Purpose]bool{}
	for _, s := range services {
		if !known[s.Purpose] {
			known[s.Purpose] = true
			few = append(few, s)
		}
	}
	return few
}

// in gives the edition of a language, or the default one.
func (b *Banner) in(l Lang) *edition {
	if edition, ok := b.editions[l]; ok {
		return edition()
	}
	return b.editions[b.Default()]()
}

func (b *Banner) publish(lang Lang) (*edition, error) {
	loc, err := b.library[lang].read()
	if err != nil {
		return nil, err
	}
	e := &edition{locale: loc.with(b.texts[string(lang)]), site: b.site}
	e.pages = sync.OnceValue(func() pages { return b.pagesOf(e) })
	if e.notice, err = b.render("banner", notice{edition: e}); err != nil {
		return e, err
	}
	for kind := range e.foot {
		if e.foot[kind], err = b.render("foot", footOf(e, kind)); err != nil {
			return e, err
		}
	}
	return e, nil
}

func (b *Banner) pagesOf(e *edition) (p pages) {
	if p.sections, p.err = b.sections(e); p.err != nil {
		return p
	}
	if p.declaration, p.err = b.render("declaration", declaration{e, p.sections}); p.err != nil {
		return p
	}
	var shown []byte
	if shown, p.err = b.shown(e, p.sections); p.err != nil {
		return p
	}
	sum := sha256.Sum256(shown)
	p.hash = hex.EncodeToString(sum[:])
	return p
}

func (b *Banner) shown(e *edition, sections []section) ([]byte, error) {
	settings, err := b.render("settings", settingsOf(e, sections, View{}))
	if err != nil {
		return nil, err
	}
	parts := [][]byte{e.notice, settings}
	for _, a := range b.assets {
		parts = append(parts, a.Body)
	}
	return bytes.Join(parts, nil), nil
}

// notice is what the template of the banner fills in.
type notice struct {
	*edition
	New string // names of services, where only these are asked for
}

// names lists services of the site by name.
func (e *edition) names(ids []consent.ServiceID) string {
	var names []string
	for _, s := range e.services {
		if slices.Contains(ids, s.ID) {
			names = append(names, s.Name)
		}
	}
	return e.list(names)
}

// The kinds of foot: which signal is honoured, and whether the page may have
// placeholders, whose buttons need forms.
const (
	footGPC = 1 << iota
	footDNT
	footForms
	footKinds = 1 << iota
)

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
	text := e.text("banner.parties", "count", strconv.Itoa(e.Parties))
	if e.Uncounted {
		text = inBrackets.ReplaceAllString(e.text("banner.parties"), "")
	}
	return template.HTML(`<a href="` + template.HTMLEscapeString(e.List()) + `">` + template.HTMLEscapeString(text) + `</a>`)
}

// inBrackets finds the number of third parties in the sentence of any language.
var inBrackets = regexp.MustCompile(` ?[(（]?\{count\}[)）]?`)
