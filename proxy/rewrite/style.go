package rewrite

import "bytes"

// judgeStyle judges the text of a style element, which lies in the window.
func (w *Writer) judgeStyle(text []byte, from, to int) {
	seen := w.heldText(text)
	out, changed := w.rewriteCSS(w.text[:0], seen, "")
	w.text = out
	if !changed {
		return
	}
	if w.held.foreign {
		out = appendEscaped(nil, out)
	}
	w.cut(from, to)
	w.emit(out)
}

// appendEscaped appends text so that markup reads it as it is.
func appendEscaped(dst, text []byte) []byte {
	for _, c := range text {
		switch c {
		case '&':
			dst = append(dst, "&amp;"...)
		case '<':
			dst = append(dst, "&lt;"...)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// judgeCSS judges an attribute that holds CSS.
func (w *Writer) judgeCSS(a attr) {
	value := w.valueOf(a)
	if bytes.IndexByte(value, '(') < 0 {
		return // neither url() nor anything else that loads
	}
	start := len(w.text)
	out, changed := w.rewriteCSS(w.text, value, w.attrName(a))
	w.text = out[:start]
	if changed {
		w.plain = append(w.plain[:0], out[start:]...)
		w.setAttr(a, w.plain)
	}
}
