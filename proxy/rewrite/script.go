package rewrite

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"html"
)

// A held is an element whose text is judged as a whole, once its end has come.
type held struct {
	tag     tag
	judge   bool   // the rules are asked
	unsure  bool   // some browsers read the content as markup
	foreign bool   // references and CDATA sections count
	text    int    // where the text starts, counted from the element
	kind    []byte // a script's type
}

// A scriptKind says what becomes of a script's text.
type scriptKind uint8

const (
	inert scriptKind = iota // data, or parked until somebody's consent
	runs                    // now, or when an optimiser wakes it
	importMap
	speculation
)

// judgeText judges a script or style tag; what depends on the text waits for it.
func (w *Writer) judgeText(foreign bool) verdict {
	if w.t.tag == tagStyle {
		w.holdText(foreign)
		return kept
	}
	kind := kindOfScript(trim(w.attrValue(attrType)))
	if kind == inert {
		return kept
	}
	loads := false
	for _, a := range w.t.attrs {
		switch {
		case a.id == attrSrc:
			loads = loads || !foreign
		case foreign && (a.id == attrHref || a.id == attrXlinkHref): // its text may still run
		case a.id != attrLazyURL && a.id != attrLazyHref && a.id != attrLazyCSS && a.id != attrAttributionsrc:
			continue
		}
		if w.askValue(Script, a) == Withhold {
			return w.lose(w.drawn(foreign))
		}
	}
	if !loads {
		w.holdText(foreign)
	}
	return kept
}

// kindOfScript reads a script's type. What is not known to be data is taken to
// run: optimiser plugins park scripts under types of their own.
func kindOfScript(kind []byte) scriptKind {
	switch {
	case len(kind) == 0, foldEqual(kind, "text/javascript"):
		return runs
	case hasFoldPrefix(kind, "importmap"):
		return importMap
	case foldEqual(kind, "speculationrules"):
		return speculation
	}
	for _, s := range [...]string{"script", "module", "lazy", "delay", "defer", "rocket", "babel", "jsx"} {
		if foldContains(kind, s) {
			return runs
		}
	}
	return inert
}

// holdText holds the element whose start tag was just scanned until its text
// is there.
func (w *Writer) holdText(foreign bool) {
	w.hold = w.tok
	w.held = held{tag: w.t.tag, judge: true, foreign: foreign, text: w.t.n, kind: w.held.kind[:0]}
	for _, c := range trim(w.attrValue(attrType)) {
		w.held.kind = append(w.held.kind, lower(c))
	}
}

// judgeHeld judges the held element, whose text ends at textEnd and all of
// which at end.
func (w *Writer) judgeHeld(textEnd, end int) {
	start := w.hold
	text := w.b[start+w.held.text : textEnd]
	w.hold = -1
	w.ref.At = w.at + int64(start)
	switch {
	case w.held.unsure && bytes.IndexByte(text, '<') >= 0:
		w.rules.Beyond(elements[w.held.tag].name+" text", w.at+int64(start))
		w.cut(start, end)
	case !w.held.judge:
	case w.held.tag == tagStyle:
		w.judgeStyle(text, start+w.held.text, textEnd)
	case w.judgeScript(w.heldText(text), start) == Withhold:
		w.loseScript(start, end)
	}
}

// loseScript withholds the held script, which starts and ends at these places of
// the window.
func (w *Writer) loseScript(start, end int) {
	if w.drawn(w.held.foreign) == shown {
		w.elTag = append(w.elTag[:0], w.b[start:start+w.held.text]...)
		w.placeholder(start, tagScript, &Ref{Kind: Script, Element: "script", At: w.at + int64(start)})
	}
	w.cut(start, end)
}

// withholdHeld gives up on the held element at place i of the window.
func (w *Writer) withholdHeld(i int) {
	w.rules.Beyond(elements[w.held.tag].name+" text", w.at+int64(w.hold))
	w.cut(w.hold, i)
	w.hold = -1
}

// heldText gives the text as a browser sees it.
func (w *Writer) heldText(text []byte) []byte {
	if !w.held.foreign || bytes.IndexByte(text, '&') < 0 && bytes.IndexByte(text, '<') < 0 {
		return text
	}
	var out []byte
	for len(text) > 0 {
		plain, rest, found := bytes.Cut(text, []byte("<![CDATA["))
		out = append(out, html.UnescapeString(string(plain))...)
		if found {
			plain, rest, _ = bytes.Cut(rest, []byte("]]>"))
			out = append(out, plain...)
		}
		text = rest
	}
	return out
}

func (w *Writer) judgeScript(text []byte, start int) Action {
	switch kindOfScript(w.held.kind) {
	case importMap:
		return w.askStrings(Script, text)
	case speculation:
		if !json.Valid(text) {
			w.rules.Beyond("speculation rules", w.at+int64(start))
			return Withhold
		}
		return w.askStrings(Prefetch, text)
	}
	return w.askInline(text, w.intern(w.held.kind), w.at+int64(start))
}

func (w *Writer) askInline(text []byte, kind string, at int64) Action {
	if len(trim(text)) == 0 {
		return Keep
	}
	w.inline = Inline{Text: text, Type: kind, At: at}
	return w.rules.Script(&w.inline)
}

// askCode asks about a script that is inside a URL.
func (w *Writer) askCode(text []byte) Action {
	return w.askInline(text, "", w.at+int64(w.tok))
}

// askStrings asks about every string of a JSON text that can be a URL.
func (w *Writer) askStrings(k Kind, text []byte) Action {
	w.t.tag = tagScript
	for {
		quote := bytes.IndexByte(text, '"')
		if quote < 0 {
			return Keep
		}
		w.urls, text = appendJSONString(w.urls[:0], text[quote+1:])
		if !bytes.HasPrefix(w.urls, []byte("/")) && !bytes.Contains(w.urls, []byte("//")) {
			continue
		}
		at := w.ref.At
		w.ref = Ref{Kind: k, Element: "script", URL: w.urls, At: at}
		if w.rules.URL(&w.ref) == Withhold {
			return Withhold
		}
	}
}

// appendJSONString appends a string whose opening quote is gone. Of escapes it
// knows those that occur in URLs.
func appendJSONString(dst, s []byte) (text, rest []byte) {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return dst, s[i+1:]
		case c != '\\' || i+1 == len(s):
			dst = append(dst, c)
		case s[i+1] == 'u' && i+5 < len(s) && digit(s[i+2]) == 0 && digit(s[i+3]) == 0 && digit(s[i+4])|digit(s[i+5]) >= 0:
			dst = append(dst, byte(digit(s[i+4])<<4|digit(s[i+5])))
			i += 5
		default:
			i++
			dst = append(dst, s[i])
		}
	}
	return dst, nil
}

// codeOf gives the script in a data: URL, or what a javascript: URL runs.
func (w *Writer) codeOf(url []byte) ([]byte, bool) {
	if !isData(url) {
		return w.scriptURL(url)
	}
	return w.dataBody(url)
}

// scriptURL gives what a javascript: URL runs.
func (w *Writer) scriptURL(url []byte) ([]byte, bool) {
	w.plain = w.plain[:0]
	for i, c := range url {
		if c == '\t' || c == '\n' || c == '\r' {
			continue
		}
		w.plain = append(w.plain, c)
		if n := len(w.plain); n <= len("javascript:") {
			if lower(c) != "javascript:"[n-1] {
				return nil, false
			}
			continue
		}
		w.plain = append(w.plain, url[i+1:]...)
		break
	}
	if len(w.plain) < len("javascript:") {
		return nil, false
	}
	return unescapePercent(w.plain[len("javascript:"):]), true
}

// dataBody gives the content of a data: URL. RFC 2397, Fetch Standard 6.
func (w *Writer) dataBody(url []byte) ([]byte, bool) {
	head, body, found := bytes.Cut(url, []byte(","))
	if !found {
		return nil, true
	}
	if i := bytes.IndexByte(body, '#'); i >= 0 {
		body = body[:i]
	}
	w.plain = append(w.plain[:0], body...)
	text := unescapePercent(w.plain)
	if !foldContains(head, "base64") {
		return text, true
	}
	n := 0
	for _, c := range text {
		if !isSpace(c) && c != '=' {
			text[n] = c
			n++
		}
	}
	n, _ = base64.RawStdEncoding.Decode(text, text[:n])
	return text[:n], true
}

// unescapePercent resolves percent escapes in place.
func unescapePercent(s []byte) []byte {
	n := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '%' && i+2 < len(s) {
			if hi, lo := digit(s[i+1]), digit(s[i+2]); 0 <= hi && hi < 16 && 0 <= lo && lo < 16 {
				c = byte(hi<<4 | lo)
				i += 2
			}
		}
		s[n] = c
		n++
	}
	return s[:n]
}
