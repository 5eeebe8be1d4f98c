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
	f := banner.Frame{Service: s, Source: source, Script: true, Text: p.text, Inside: p.insideOf(s)}
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

// A container is an element in which a script is to draw something that has a page.
type container struct {
	service *consent.Service
	link    string
}

// mostContainers bounds what is remembered of a page.
const mostContainers = 32

// Container is [rewrite.Containers].
func (p *page) Container(attr string, value []byte) {
	link := banner.ContainerLink(attr, string(value))
	if link == "" || len(p.inside) == mostContainers {
		return
	}
	if u, ok := p.parser.Parse(&p.base, []byte(link)); ok {
		p.inside = append(p.inside, container{p.site.catalog.URL(u).Service, link})
	}
}

// insideOf is the page of what the service's script would have drawn: of the element that
// came last.
func (p *page) insideOf(s *consent.Service) string {
	for _, c := range slices.Backward(p.inside) {
		if c.service == s {
			return c.link
		}
	}
	return ""
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
