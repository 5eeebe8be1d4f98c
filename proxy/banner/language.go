package banner

import (
	"maps"
	"slices"

	"golang.org/x/text/language"
)

// A Lang is a language there are texts in, as a BCP 47 tag: "en", "pt-BR".
// The zero Lang stands for the site's default.
type Lang string

// matcher finds the best of the languages there are.
type matcher struct {
	fallback Lang
	langs    []Lang // as the language.Matcher numbers them
	matcher  language.Matcher
}

func newMatcher(fallback Lang, all library) *matcher {
	m := &matcher{fallback: fallback, langs: []Lang{fallback}}
	for _, l := range slices.Sorted(maps.Keys(all)) {
		if l != fallback {
			m.langs = append(m.langs, l)
		}
	}
	tags := make([]language.Tag, len(m.langs))
	for i, l := range m.langs {
		tags[i] = all[l].tag
	}
	m.matcher = language.NewMatcher(tags)
	return m
}

// match prefers the language the page is in, then what the browser asks for
// (an Accept-Language header, RFC 9110 section 12.5.4), then the default.
func (m *matcher) match(page, accept string) Lang {
	if slices.Contains(m.langs, Lang(page)) {
		return Lang(page) // what nearly every page says, without parsing
	}
	if l, ok := m.find(page); ok {
		return l
	}
	if l, ok := m.find(accept); ok {
		return l
	}
	return m.fallback
}

// longestHeader bounds what is parsed; the rest of a longer one is left out.
const longestHeader = 256

func (m *matcher) find(header string) (Lang, bool) {
	if header == "" {
		return "", false
	}
	tags, _, err := language.ParseAcceptLanguage(header[:min(len(header), longestHeader)])
	if err != nil || len(tags) == 0 {
		return "", false
	}
	_, i, confidence := m.matcher.Match(tags...)
	return m.langs[i], confidence >= language.High
}
