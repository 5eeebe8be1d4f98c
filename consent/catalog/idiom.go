package catalog

import "bytes"

// An idiom is something a script does to load something.
type idiom struct {
	text string
	// means says whether it does so here, from what follows; nil: always.
	means func(rest []byte) bool
}

// idioms lists what loads code, frames, pictures and data. Creating an element
// is the first of two steps, and inserting it is done to elements of all kinds;
// both count only where the kind fits or cannot be told.
func idioms() []idiom {
	return []idiom{
		{"createElement(", loadingElement},
		{"new Image", nil},
		{"document.write", nil},
		{".src=", nil},
		{".src =", nil},
		{`setAttribute("src"`, nil},
		{`setAttribute('src'`, nil},
		{"sendBeacon", nil},
		{"fetch(", nil},
		{"import(", nil},
		{"importScripts", nil},
		{"getScript(", nil},
		{"XMLHttpRequest", nil},
	}
}

func idiomLiterals(idioms []idiom) []literal {
	var list []literal
	for i, m := range idioms {
		list = append(list, literal{text: m.text, id: int32(i)})
	}
	return list
}

// loadingElement reports whether the first argument of a call is the name of an
// element that loads something, or no string at all.
func loadingElement(rest []byte) bool {
	rest = bytes.TrimLeft(rest, " \t")
	if len(rest) == 0 || rest[0] != '"' && rest[0] != '\'' && rest[0] != '`' {
		return true
	}
	name, _, _ := bytes.Cut(rest[1:], rest[:1])
	for _, loads := range [...]string{"script", "iframe", "img", "image", "object", "embed", "frame"} {
		if equalFold(name, loads) {
			return true
		}
	}
	return false
}

// loads reports whether a text has some idiom.
func (x *scriptIndex) loads(text []byte) bool {
	s := x.idiomTexts.search(text)
	for s.find() {
		if m := x.idioms[s.id]; m.means == nil || m.means(text[s.at+len(m.text):]) {
			return true
		}
	}
	return false
}

// loadsNear reports whether there is some idiom near a URL.
func (x *scriptIndex) loadsNear(s *urlSearch) bool {
	return x.loads(s.text[max(0, s.at-near):min(len(s.text), s.end+near)])
}

// namespace reports whether a host is one whose URLs are names of things, not
// places to load from.
func namespace(host []byte) bool {
	switch string(host) {
	case "www.w3.org", "schema.org", "www.schema.org", "ogp.me", "xmlns.com", "purl.org", "example.com", "www.example.com":
		return true
	}
	return false
}
