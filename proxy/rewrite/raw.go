package rewrite

import "bytes"

// A raw is an element whose content is text until its end tag.
type raw struct {
	name    string
	escaped uint8 // of a script: 1 after "<!--", 2 after "<script" in there
}

// scanRaw looks for the end tag.
func (w *Writer) scanRaw() bool {
	text, cut := w.hiding()
	i, found := findEndTag(text, w.raw.name)
	if found {
		w.startEndTag(w.pos + i)
		return true
	}
	if cut {
		return w.breakOff(len(text), "")
	}
	w.pos += i
	return false
}

// scanScript looks for the end tag of a script, which a "<!--" can hide.
// HTML Standard 13.2.5.4, 13.2.5.15 to 13.2.5.31.
func (w *Writer) scanScript() bool {
	text, cut := w.hiding()
	for i := 0; ; {
		lt := bytes.IndexByte(text[i:], '<')
		seg := text[i:]
		if lt >= 0 {
			seg = seg[:lt]
		}
		if w.raw.escaped > 0 {
			if end := bytes.Index(seg, []byte("-->")); end >= 0 {
				w.raw.escaped = 0
				i += end + len("-->")
				continue
			}
		}
		if lt < 0 {
			if cut {
				break
			}
			w.pos += len(text)
			if w.raw.escaped > 0 {
				w.pos -= partial(seg, "--")
			}
			return false
		}
		i += lt
		n, more := w.scriptMark(text[i:])
		if more && !cut {
			w.pos += i
			return false
		}
		if n < 0 {
			w.startEndTag(w.pos + i)
			return true
		}
		i += n
	}
	return w.breakOff(len(text), "")
}

// scriptMark looks at what follows a '<' in a script and gives how far to go
// on: -1 for the end tag. It asks for more where it cannot tell.
func (w *Writer) scriptMark(s []byte) (n int, more bool) {
	switch {
	case w.raw.escaped == 0:
		if bytes.HasPrefix(s, []byte("<!--")) {
			w.raw.escaped = 1
			return len("<!"), false // its dashes may already be those of "-->"
		}
		if prefixOf(s, "<!--") {
			return 1, true
		}
	case w.raw.escaped == 1:
		if is, more := isTagStart(s, "<script"); is || more {
			if is {
				w.raw.escaped = 2
			}
			return len("<script"), more
		}
	}
	is, more := isTagStart(s, "</script")
	if is && w.raw.escaped == 2 {
		w.raw.escaped = 1
		return len("</script"), false
	}
	if is {
		return -1, false
	}
	return 1, more
}

// isTagStart reports whether s starts with mark, in any case, and then a byte
// that ends a tag's name. More is needed where s ends too early to tell.
func isTagStart(s []byte, mark string) (is, more bool) {
	if len(s) <= len(mark) {
		return false, foldEqual(s, mark[:len(s)])
	}
	c := s[len(mark)]
	return hasFoldPrefix(s, mark) && (c == '>' || c == '/' || isSpace(c)), false
}

// findEndTag finds "</name". Not found, it gives from where on to look again
// when more has come.
func findEndTag(text []byte, name string) (i int, found bool) {
	for {
		lt := bytes.IndexByte(text[i:], '<')
		if lt < 0 {
			return len(text), false
		}
		i += lt
		rest := text[i:]
		if len(rest) == 1 {
			return i, false
		}
		if rest[1] == '/' {
			n := min(len(rest)-2, len(name))
			if foldEqual(rest[2:2+n], name[:n]) {
				if len(rest) <= 2+len(name) {
					return i, false
				}
				if c := rest[2+len(name)]; c == '>' || c == '/' || isSpace(c) {
					return i, true
				}
			}
		}
		i++
	}
}

// startEndTag goes on with an end tag at place i of the window.
func (w *Writer) startEndTag(i int) {
	w.traced(w.mode, w.pos, i)
	w.tok, w.pos = i, i
	w.t.begin(2)
	w.mode = inTag
}

// hiding gives the text that is open to a mode in which tags mean nothing. In
// noscript a browser that runs scripts knows no such modes: for it the text
// ends at the next "</noscript", and so it does here; cut says so.
func (w *Writer) hiding() (text []byte, cut bool) {
	text = w.b[w.pos:]
	if !w.tree.noscript {
		return text, false
	}
	i, found := findEndTag(text, "noscript")
	return text[:i], found
}

// breakOff ends a hiding mode n bytes on, where "</noscript" is, in a way that
// every browser understands.
func (w *Writer) breakOff(n int, closer string) bool {
	w.pos += n
	w.rules.Beyond("noscript", w.at+int64(w.pos))
	switch {
	case w.hold >= 0:
		w.cut(w.hold, w.pos)
		w.hold = -1
	case w.drop.depth > 0 && w.drop.tag == w.t.tag:
		w.endDrop(w.pos)
	case closer == "":
		w.put(w.pos, w.appendCloser(nil))
	default:
		w.put(w.pos, []byte(closer))
	}
	w.mode = inData
	return true
}

// appendCloser appends what ends the raw element that is open.
func (w *Writer) appendCloser(dst []byte) []byte {
	if w.mode == inScript && w.raw.escaped > 0 {
		dst = append(dst, "-->"...)
	}
	dst = append(dst, "</"...)
	dst = append(dst, w.raw.name...)
	return append(dst, '>')
}
