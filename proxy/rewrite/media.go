package rewrite

import "bytes"

// judgeList judges URLs between white space or semicolons. One that is
// withheld is taken out; it reports whether any is left.
func (w *Writer) judgeList(a attr, u use) bool {
	value := w.valueOf(a)
	start, left, lost := len(w.text), false, false
	for len(value) > 0 {
		var url []byte
		if u.form == list {
			url, value = cutToken(value)
		} else {
			url, value, _ = bytes.Cut(value, []byte(";"))
		}
		switch {
		case len(url) == 0:
		case w.ask(u.kind, a, url) == Withhold:
			lost = true
		default:
			w.text = appendPart(w.text, start, u.form == list, url)
			left = true
		}
	}
	return w.setList(a, start, left, lost)
}

// judgeSrcset judges the candidates of a srcset in the same way.
func (w *Writer) judgeSrcset(a attr, u use) bool {
	value := w.valueOf(a)
	start, left, lost := len(w.text), false, false
	for {
		var candidate, url []byte
		candidate, url, value = cutCandidate(value)
		if len(url) == 0 {
			break
		}
		if w.ask(u.kind, a, url) == Withhold {
			lost = true
			continue
		}
		if len(w.text) > start {
			w.text = append(w.text, ", "...)
		}
		w.text = append(w.text, candidate...)
		left = true
	}
	return w.setList(a, start, left, lost)
}

func appendPart(dst []byte, start int, spaced bool, part []byte) []byte {
	if len(dst) > start {
		if spaced {
			dst = append(dst, ' ')
		} else {
			dst = append(dst, ';')
		}
	}
	return append(dst, part...)
}

// setList gives an attribute what is left of it, which is in the scratch text
// from start on.
func (w *Writer) setList(a attr, start int, left, lost bool) bool {
	if lost && left {
		w.plain = append(w.plain[:0], w.text[start:]...)
		w.text = w.text[:start]
		w.setAttr(a, w.plain)
	} else {
		w.text = w.text[:start]
	}
	return left || !lost
}

// cutCandidate cuts the first candidate off a srcset. HTML Standard 4.8.4.3.10.
func cutCandidate(s []byte) (candidate, url, rest []byte) {
	for len(s) > 0 && (isSpace(s[0]) || s[0] == ',') {
		s = s[1:]
	}
	n := 0
	for n < len(s) && !isSpace(s[n]) {
		n++
	}
	url = s[:n]
	if bytes.HasSuffix(url, []byte(",")) {
		url = bytes.TrimRight(url, ",")
		return url, url, s[n:]
	}
	end, depth := n, 0
	for end < len(s) && (s[end] != ',' || depth > 0) {
		switch s[end] {
		case '(':
			depth++
		case ')':
			depth = max(0, depth-1)
		}
		end++
	}
	return trim(s[:end]), url, s[end:]
}

// judgeBackground judges what a lazy-loading script will put into a
// background: a URL, or CSS.
func (w *Writer) judgeBackground(a attr, u use) bool {
	if bytes.IndexByte(w.valueOf(a), '(') >= 0 {
		w.judgeCSS(a)
		return true
	}
	return w.askValue(u.kind, a) == Keep
}
