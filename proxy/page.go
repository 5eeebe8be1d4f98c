package proxy

import (
	"slices"

	"github.com/numfocus/consentgate/consent"
	"github.com/numfocus/consentgate/consent/catalog"
	"github.com/numfocus/consentgate/proxy/banner"
	"github.com/numfocus/consentgate/proxy/inventory"
	"github.com/numfocus/consentgate/proxy/rewrite"
)

// A page is where the rewriter and the decision meet: it answers for one
// document what to withhold and what to put into it. It is [rewrite.Rules].
type page struct {
	judge
	base    catalog.URL // what URLs of the document resolve against
	accept  string      // Accept-Language of the visitor
	lang    banner.Lang // of what is put into the page; empty: not chosen yet
	nonce   string      // by which the origin's policy knows scripts; empty: none
	last    Verdict     // on what is about to get a placeholder
	text    []byte      // of the script that the verdict is on; nil: it has an address
	boxes   bool        // there are placeholders in the page
	widgets []string    // what scripts have been replaced for
	inside  []container // what elements say that scripts draw in them
	filled  bool        // the page has the cookie declaration
	tally   *tally
	seen    *inventory.Sightings
	trace   func(Finding) // nil: nobody looks
}

var _ rewrite.Rules = (*page)(nil)

// A Finding is one thing in a page with its verdict, as Explain reports it.
type Finding struct {
	Verdict
	Kind    rewrite.Kind
	Element string
	Attr    string
	URL     string // as the page has it; empty for an inline script
	At      int64  // where the element starts, in bytes
}

func (p *page) Base(href []byte) {
	if u, ok := p.parser.Parse(&p.base, href); ok && len(u.Host) > 0 {
		p.base = catalog.URL{
			Scheme: slices.Clone(u.Scheme),
			Host:   slices.Clone(u.Host),
			Path:   slices.Clone(u.Path),
		}
	}
}

func (p *page) Language(tag []byte) { p.lang = p.offer.banner.Match(string(tag), p.accept) }

func (p *page) URL(ref *rewrite.Ref) rewrite.Action {
	v := p.url(&p.base, ref.Kind, ref.URL)
	p.text = nil
	return p.conclude(v, Finding{Verdict: v, Kind: ref.Kind, Element: ref.Element, Attr: ref.Attr, At: ref.At}, ref.URL)
}

func (p *page) Script(s *rewrite.Inline) rewrite.Action {
	p.site.noticeWPConsent(s.Text)
	v := p.script(s.Text)
	p.text = s.Text
	return p.conclude(v, Finding{Verdict: v, Kind: rewrite.Script, Element: "script", At: s.At}, nil)
}

func (p *page) conclude(v Verdict, f Finding, url []byte) rewrite.Action {
	p.last = v
	p.seen.Add(seenAs(f.Kind), v.Host, v.Service, v.Withheld)
	if p.trace != nil {
		f.URL = string(url)
		p.trace(f)
	}
	if !v.Withheld {
		return rewrite.Keep
	}
	p.tally.add(f.Kind, v)
	if p.site.observe {
		return rewrite.Keep
	}
	return rewrite.Withhold
}

func (p *page) Beyond(what string, at int64) { p.tally.beyond++ }

func (p *page) AppendPlaceholder(dst []byte, el *rewrite.Element) []byte {
	if el.Name == "script" {
		return p.appendWidget(dst, p.resolve(el.Ref.URL))
	}
	s := p.last.Service
	if s == nil && p.last.Host == "" || s != nil && s.Withheld != consent.Placeholder {
		return dst
	}
	attr := func(name string) string {
		value, _ := el.Attr(name)
		return string(value)
	}
	p.boxes = true
	return p.offer.banner.AppendPlaceholder(dst, p.language(), banner.Frame{
		Service: s,
		Source:  p.resolve(el.Ref.URL),
		Title:   attr("title"),
		Width:   attr("width"),
		Height:  attr("height"),
	}, p.decision)
}

// resolve gives a URL of the page in full, or nothing where a browser could not
// read it.
func (p *page) resolve(ref []byte) string {
	u, ok := p.parser.Parse(&p.base, ref)
	if !ok || len(u.Host) == 0 {
		return ""
	}
	return string(u.Scheme) + "://" + string(u.Host) + string(u.Path)
}

func (p *page) AppendInsert(dst []byte, at rewrite.Place) []byte {
	if p.site.observe {
		return dst
	}
	lang := p.language()
	switch at {
	case rewrite.HeadStart:
		return append(dst, withNonce(p.offer.banner.Head(lang, p.decision), p.nonce)...)
	case rewrite.BodyStart:
		return append(dst, p.offer.banner.Notice(lang, p.decision)...)
	case rewrite.BodyEnd:
		dst = append(dst, p.offer.banner.Link(lang, p.decision)...)
		if p.boxes {
			dst = append(dst, withNonce(p.offer.banner.Tail(p.decision), p.nonce)...)
		}
	}
	return dst
}

// language is the page's where there is a notice in it, else one the visitor
// reads.
func (p *page) language() banner.Lang {
	if p.lang == "" {
		p.lang = p.offer.banner.Match("", p.accept)
	}
	return p.lang
}
