package proxy

import (
	"bytes"
	"slices"
	"strings"

	"github.com/numfocus/consentgate/consent"
	"github.com/numfocus/consentgate/proxy/banner"
)

// appendWidget puts a placeholder where a script would have drawn something: a form,
// a post, a shop window. Most scripts draw nothing, or elsewhere; the catalog says
// which do. What the same script would have drawn again has one placeholder.
func (p *page) appendWidget(dst []byte, source string) []byte {
	s := p.last.Service
	if s == nil || s.Withheld != consent.Placeholder || !draws(s, source, p.text) {
		return dst
	}
	f := banner.Frame{Service: s, Source: source, Script: true, Text: p.text}
	what := string(s.ID) + " " + f.Link()
	if f.Link() == "" {
		what += source
	}
	if slices.Contains(p.widgets, what) {
		return dst
	}
	p.widgets = append(p.widgets, what)
	p.boxes = true
	return p.offer.banner.AppendPlaceholder(dst, p.language(), f, p.decision)
}

func draws(s *consent.Service, source string, text []byte) bool {
	return slices.ContainsFunc(s.Draws, func(mark string) bool {
		return strings.Contains(source, mark) || bytes.Contains(text, []byte(mark))
	})
}

// AppendContent fills <div data-consent="cookies">, once in a page, with the cookie
// declaration.
func (p *page) AppendContent(dst, attribute []byte) []byte {
	if p.filled || p.site.observe || string(attribute) != "cookies" {
		return dst
	}
	p.filled = true
	return append(dst, withNonce(p.offer.banner.Part(p.language()), p.nonce)...)
}
