package rewrite

import "bytes"

// A cssReader finds what a style sheet loads. CSS Syntax Level 3, chapter 4.
type cssReader struct {
	s    []byte
	i    int
	from int  // s[:from] is in the output
	font bool // inside @font-face
	attr string
	out  []byte
	name [24]byte
}

// emptyURL loads nothing and is a URL wherever one may stand.
const emptyURL = `"data:,"`

// rewriteCSS appends a style sheet, or a list of declarations, without the
// URLs that are withheld.
func (w *Writer) rewriteCSS(dst, text []byte, attr string) (out []byte, changed bool) {
	if !mayLoad(text) {
		return dst, false
	}
	r := cssReader{s: text, attr: attr, out: dst}
	if w.charset.trails {
		r.s = maskTrails(text)
	}
	for {
		if r.i += lengthUntil(r.s[r.i:], &cssMarks); r.i == len(r.s) {
			break
		}
		switch c := r.s[r.i]; {
		case c == '"', c == '\'':
			r.str()
		case c == '/':
			r.comment()
		case c == '@':
			w.cssRule(&r, text)
		case c == '}':
			r.font = false
			r.i++
		case c == '(':
			w.cssFunction(&r, text, r.nameBefore())
		default: // a backslash: a name that is written with escapes
			w.cssEscaped(&r, text)
		}
	}
	if r.from == 0 {
		return dst, false
	}
	return append(r.out, text[r.from:]...), true
}

// mayLoad reports whether anything in a style sheet could load something: a
// function that takes a URL, an @import, or an escape, which can be anything.
// Most style sheets within a page have neither.
func mayLoad(text []byte) bool {
	if bytes.IndexByte(text, '\\') >= 0 {
		return true
	}
	for i := 0; ; i++ {
		at := bytes.IndexByte(text[i:], '@')
		if at < 0 {
			break
		}
		if i += at; i+1 < len(text) && text[i+1]|0x20 == 'i' {
			return true
		}
	}
	for i := 0; ; i++ {
		open := bytes.IndexByte(text[i:], '(')
		if open < 0 {
			return false
		}
		if i += open; i > 0 && endsURLFunction[text[i-1]|0x20] {
			if r := (cssReader{s: text, i: i}); r.nameBefore() != "" {
				return true
			}
		}
	}
}

// endsURLFunction has the last letters of the names that cssFunctionName knows.
var endsURLFunction = [256]bool{'l': true, 'c': true, 't': true, 'e': true}

var cssMarks = [256]bool{'"': true, '\'': true, '/': true, '@': true, '}': true, '(': true, '\\': true}

// comment skips a comment, or the slash that starts none.
func (r *cssReader) comment() {
	r.i++
	if r.i == len(r.s) || r.s[r.i] != '*' {
		return
	}
	end := bytes.Index(r.s[r.i+1:], []byte("*/"))
	if end < 0 {
		r.i = len(r.s)
		return
	}
	r.i += end + 3
}

// str skips a string and gives its raw content. A line break ends it.
func (r *cssReader) str() []byte {
	quote := r.s[r.i]
	r.i++
	start := r.i
	for r.i < len(r.s) {
		switch c := r.s[r.i]; {
		case c == quote:
			r.i++
			return r.s[start : r.i-1]
		case c == '\n', c == '\r', c == '\f':
			return nil
		case c == '\\' && r.i+1 < len(r.s):
			r.i++
		}
		r.i++
	}
	return r.s[start:]
}

// space skips white space and comments.
func (r *cssReader) space() {
	for r.i < len(r.s) {
		switch {
		case isSpace(r.s[r.i]):
			r.i++
		case r.s[r.i] == '/' && r.i+1 < len(r.s) && r.s[r.i+1] == '*':
			r.comment()
		default:
			return
		}
	}
}

func isNameByte(c byte) bool {
	return isLetter(c) || isDigit(c) || c == '-' || c == '_' || c >= 0x80
}

// nameBefore gives the function name that ends at the parenthesis, in lower
// case and without escapes; none that matters is longer than 17.
func (r *cssReader) nameBefore() string {
	start := r.i
	for start > 0 && r.i-start < 18 && isNameByte(r.s[start-1]) {
		start--
	}
	return cssFunctionName(r.s[start:r.i])
}

func cssFunctionName(name []byte) string {
	for _, s := range [...]string{"url", "src", "image-set", "-webkit-image-set", "image"} {
		if foldEqual(name, s) {
			return s
		}
	}
	return ""
}

// ident reads a name with its escapes, in lower case.
func (r *cssReader) ident() []byte {
	name := r.name[:0]
	for r.i < len(r.s) {
		c := r.s[r.i]
		switch {
		case isNameByte(c):
			r.i++
		case c == '\\' && r.i+1 < len(r.s) && r.s[r.i+1] != '\n' && r.s[r.i+1] != '\r' && r.s[r.i+1] != '\f':
			c = byte(min(r.escape(), 0xFF))
		default:
			return name
		}
		if len(name) < len(r.name) {
			name = append(name, lower(c))
		}
	}
	return name
}

// escape reads an escape. CSS Syntax Level 3, 4.3.7.
func (r *cssReader) escape() rune {
	r.i++
	if r.i == len(r.s) {
		return 0xFFFD
	}
	v, n := rune(0), 0
	for ; n < 6 && r.i < len(r.s); n++ {
		d := digit(r.s[r.i])
		if d < 0 || d > 15 {
			break
		}
		v = v<<4 | d
		r.i++
	}
	if n == 0 {
		v = rune(r.s[r.i])
		r.i++
		return v
	}
	if r.i+1 < len(r.s) && r.s[r.i] == '\r' && r.s[r.i+1] == '\n' {
		r.i++
	}
	if r.i < len(r.s) && isSpace(r.s[r.i]) {
		r.i++
	}
	return scalar(v)
}

// cssEscaped reads the name around a backslash.
func (w *Writer) cssEscaped(r *cssReader, text []byte) {
	at := r.i
	for n := 0; r.i > r.from && n < 32 && isNameByte(r.s[r.i-1]); n++ {
		r.i--
	}
	name := r.ident()
	if r.i <= at {
		r.i = at + 1 // the backslash starts no name
		return
	}
	if r.i < len(r.s) && r.s[r.i] == '(' {
		w.cssFunction(r, text, cssFunctionName(name))
	}
}

// cssFunction reads what follows a name and its parenthesis.
func (w *Writer) cssFunction(r *cssReader, text []byte, name string) {
	r.i++
	kind := Image
	if r.font {
		kind = Font
	}
	switch name {
	case "url", "src":
		w.cssURL(r, text, kind)
	case "image-set", "-webkit-image-set", "image":
		w.cssStrings(r, text, kind)
	}
}

// cssURL judges the argument of url(), of which the parenthesis is read.
func (w *Writer) cssURL(r *cssReader, text []byte, kind Kind) {
	for r.i < len(r.s) && isSpace(r.s[r.i]) {
		r.i++
	}
	from := r.i
	url := r.url()
	if w.askCSS(r, kind, url) == Withhold {
		r.replace(text, from, r.i, emptyURL)
	}
}

// url reads a string, or what stands without quotes before the parenthesis.
func (r *cssReader) url() []byte {
	if r.i < len(r.s) && (r.s[r.i] == '"' || r.s[r.i] == '\'') {
		return r.str()
	}
	start := r.i
	for r.i < len(r.s) && r.s[r.i] != ')' {
		if r.s[r.i] == '\\' && r.i+1 < len(r.s) {
			r.i++
		}
		r.i++
	}
	return trim(r.s[start:r.i])
}

// cssStrings judges the strings of image-set(), of which the parenthesis is
// read; url() in it is found as anywhere.
func (w *Writer) cssStrings(r *cssReader, text []byte, kind Kind) {
	for depth := 1; r.i < len(r.s) && depth > 0; {
		switch c := r.s[r.i]; {
		case c == '"', c == '\'':
			from := r.i
			if url := r.str(); w.askCSS(r, kind, url) == Withhold {
				r.replace(text, from, r.i, emptyURL)
			}
		case c == '/':
			r.comment()
		case c == '(':
			name := r.nameBefore()
			r.i++
			if name == "url" || name == "src" {
				w.cssURL(r, text, kind)
			}
			depth++
		case c == ')':
			depth--
			r.i++
		case c == '\\':
			w.cssEscaped(r, text)
		case c == ';', c == '}':
			return
		default:
			r.i++
		}
	}
}

// cssRule reads an at-rule's name and judges what @import loads.
func (w *Writer) cssRule(r *cssReader, text []byte) {
	from := r.i
	r.i++
	switch name := r.ident(); {
	case foldEqual(name, "font-face"):
		r.font = true
	case foldEqual(name, "namespace"):
		r.rule()
	case foldEqual(name, "import"):
		w.cssImport(r, text, from)
	}
}

func (w *Writer) cssImport(r *cssReader, text []byte, from int) {
	r.space()
	start := r.i
	var url []byte
	if r.i < len(r.s) && (r.s[r.i] == '"' || r.s[r.i] == '\'') {
		url = r.str()
	} else {
		name := r.ident()
		if cssFunctionName(name) == "" || r.i == len(r.s) || r.s[r.i] != '(' {
			r.i = start
			return
		}
		r.i++
		for r.i < len(r.s) && isSpace(r.s[r.i]) {
			r.i++
		}
		url = r.url()
	}
	withheld := w.askCSS(r, Style, url) == Withhold
	r.rule()
	if withheld {
		r.replace(text, from, r.i, "")
	}
}

// rule skips to the end of a rule without a block.
func (r *cssReader) rule() {
	for r.i < len(r.s) {
		switch r.s[r.i] {
		case ';':
			r.i++
			return
		case '{', '}':
			return
		case '"', '\'':
			r.str()
		case '/':
			r.comment()
		case '\\':
			r.i = min(r.i+2, len(r.s))
		default:
			r.i++
		}
	}
}

// replace puts something of ours in place of text[from:to].
func (r *cssReader) replace(text []byte, from, to int, with string) {
	r.out = append(r.out, text[r.from:from]...)
	r.out = append(r.out, with...)
	r.from = to
}

// askCSS asks about a URL as it is written in CSS.
func (w *Writer) askCSS(r *cssReader, kind Kind, raw []byte) Action {
	url := raw
	if bytes.IndexByte(raw, '\\') >= 0 {
		url = w.unescapeCSS(raw)
	}
	url = trimControls(url)
	if len(url) == 0 || url[0] == '#' {
		return Keep
	}
	if isData(url) {
		if kind == Style {
			return w.askSheet(url, r.attr)
		}
		return Keep
	}
	if r.attr == "" {
		w.ref = Ref{Kind: kind, Element: "style", URL: url, At: w.ref.At}
		return w.rules.URL(&w.ref)
	}
	return w.askURL(kind, r.attr, url)
}

func (w *Writer) unescapeCSS(raw []byte) []byte {
	w.urls = w.urls[:0]
	r := cssReader{s: raw}
	for r.i < len(raw) {
		switch c := raw[r.i]; {
		case c != '\\':
			w.urls = append(w.urls, c)
			r.i++
		case r.i+1 < len(raw) && (raw[r.i+1] == '\n' || raw[r.i+1] == '\f' || raw[r.i+1] == '\r'):
			r.i += 2 // a line continued
		default:
			w.urls = append(w.urls, string(r.escape())...)
		}
	}
	return w.urls
}

// maskTrails hides the bytes of two-byte characters that look like ASCII.
func maskTrails(text []byte) []byte {
	text = bytes.Clone(text)
	for i := 0; i+1 < len(text); i++ {
		if text[i] >= 0x81 && text[i+1] >= 0x40 {
			text[i+1] = 'x'
			i++
		}
	}
	return text
}
