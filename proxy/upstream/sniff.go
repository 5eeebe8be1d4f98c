package upstream

import (
	"bytes"
	"net/http"
	"strings"
)

// SniffLen is how many bytes of a body Sniff looks at.
const SniffLen = 512

// NeedsSniff reports whether the header alone does not say if a response is an
// HTML document, so that a browser would look into its bytes (MIME Sniffing
// section 7).
func NeedsSniff(h http.Header) bool {
	t := mediaTypes(h)
	return !t.html && !t.known && !noSniff(h) && !attachment(h)
}

// Sniff reports whether a browser would show a response as an HTML document.
// first is the beginning of the body with its content coding undone: SniffLen
// bytes, or all if it is shorter; it is looked at only where NeedsSniff.
//
// Browsers differ over several or malformed Content-Types and over what looks
// like HTML; where one of them would show a document, this one says so.
func Sniff(h http.Header, first []byte) bool {
	if attachment(h) {
		return false
	}
	t := mediaTypes(h)
	return t.html || !t.known && !noSniff(h) && looksLikeHTML(first)
}

// Undecided reports whether a body that begins with first may turn out to look
// like HTML, or not to, by what follows. A browser waits for more, and so must
// who decides for one; but no longer.
func Undecided(first []byte) bool {
	if len(first) >= SniffLen || looksLikeHTML(first) {
		return false
	}
	text := bytes.TrimPrefix(first, []byte("\xef\xbb\xbf"))
	text = bytes.TrimLeft(text, " \t\r\n\f")
	if len(text) == 0 || string(first) == "\xef\xbb\xbf"[:min(len(first), 3)] {
		return true
	}
	for _, start := range htmlStarts {
		if len(text) < len(start) && strings.EqualFold(string(text), start[:len(text)]) {
			return true
		}
	}
	return false
}

// Charset is the charset parameter of the Content-Type a browser would go by,
// lower case and without quotes; empty if there is none.
func Charset(h http.Header) string { return mediaTypes(h).charset }

// types is what all members of all Content-Type lines say together.
type types struct {
	html    bool // one of them is an HTML type
	known   bool // one of them is a type
	charset string
}

func mediaTypes(h http.Header) types {
	var t types
	for _, line := range h["Content-Type"] {
		for member := range splitQuoted(line, ',') {
			t.add(member)
		}
	}
	return t
}

// add reads one member as leniently as browsers do. A later charset wins, as
// the later type does (Fetch, "extract a MIME type").
func (t *types) add(member string) {
	essence := strings.ToLower(strings.Trim(member, " \t\r\n\f"))
	if i := strings.IndexAny(essence, "; \t("); i >= 0 {
		essence = essence[:i]
	}
	main, sub, found := strings.Cut(essence, "/")
	if !found || main == "" || sub == "" {
		return
	}
	switch essence {
	case "*/*", "unknown/unknown", "application/unknown":
	case "text/html", "application/xhtml+xml":
		t.html, t.known = true, true
	default:
		t.known = true
	}
	if c := charsetParameter(member); c != "" {
		t.charset = c
	}
}

func charsetParameter(member string) string {
	first := true
	for part := range splitQuoted(member, ';') {
		name, value, found := strings.Cut(part, "=")
		if !first && found && strings.EqualFold(strings.TrimSpace(name), "charset") {
			value = strings.Trim(strings.TrimSpace(value), `"'`)
			return strings.ToLower(strings.ReplaceAll(value, `\`, ""))
		}
		first = false
	}
	return ""
}

// splitQuoted yields the parts between separators that are not within quotes.
func splitQuoted(s string, sep byte) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		start, quoted := 0, false
		for i := 0; i < len(s); i++ {
			switch {
			case s[i] == '\\' && quoted:
				i++
			case s[i] == '"':
				quoted = !quoted
			case s[i] == sep && !quoted:
				if !yield(s[start:i]) {
					return
				}
				start = i + 1
			}
		}
		yield(s[start:])
	}
}

// noSniff follows Fetch: the first member of X-Content-Type-Options counts.
func noSniff(h http.Header) bool {
	lines := h["X-Content-Type-Options"]
	if len(lines) == 0 {
		return false
	}
	first, _, _ := strings.Cut(lines[0], ",")
	return strings.EqualFold(strings.Trim(first, " \t"), "nosniff")
}

// attachment reports whether a browser would save the response rather than
// show it: any disposition but inline (RFC 6266 section 4.2).
func attachment(h http.Header) bool {
	lines := h["Content-Disposition"]
	if len(lines) != 1 {
		return false
	}
	kind, _, _ := strings.Cut(lines[0], ";")
	return strings.EqualFold(strings.Trim(kind, " \t"), "attachment")
}

// htmlStarts are what the sniffers of the standard, of Chromium and of Firefox
// take for HTML. Chromium does not look at what follows, so "<a" stands for
// every tag that starts with an a.
var htmlStarts = [...]string{
	"<!", "<html", "<head", "<script", "<iframe", "<h1", "<h2", "<h3", "<h4", "<h5", "<h6", "<div", "<font",
	"<table", "<a", "<style", "<title", "<b", "<p", "<frameset", "<img", "<link", "<meta", "<center", "<form", "<isindex",
}

func looksLikeHTML(first []byte) bool {
	first = first[:min(len(first), SniffLen)]
	text := bytes.TrimPrefix(first, []byte("\xef\xbb\xbf"))
	text = bytes.TrimLeft(text, " \t\r\n\f")
	if len(text) == 0 {
		return len(first) == SniffLen // nothing but space so far: nobody knows yet
	}
	for _, start := range htmlStarts {
		if len(text) >= len(start) && strings.EqualFold(string(text[:len(start)]), start) {
			return true
		}
	}
	return false
}
