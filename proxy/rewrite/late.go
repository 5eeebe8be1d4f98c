package rewrite

// overflow withholds the tag or text that has grown too long to be held, and
// all that is still to come of it.
func (w *Writer) overflow() {
	start, what := w.tok, "tag"
	if w.hold >= 0 {
		start, what = w.hold, elements[w.held.tag].name+" text"
	}
	w.rules.Beyond(what, w.at+int64(start))
	w.cut(start, w.pos)
	if w.hold >= 0 {
		w.hold = -1
		w.startDropOf(w.held.tag)
	}
	if w.mode == inTag {
		w.late, w.quiet = true, false
		w.skipLate()
	}
}

// skipLate withholds what has come of a tag that is too long.
func (w *Writer) skipLate() {
	w.cut(w.tok, w.pos)
	w.tok = w.pos
	w.t.forget()
}

// lateStart is the end of a start tag that was too long. For the browser the
// element never was, so its content must not be either where it is no markup.
func (w *Writer) lateStart() {
	w.late = false
	w.cut(w.tok, w.pos)
	if w.drop.depth == 0 && elements[w.t.tag].traits&rawText != 0 && !w.tree.foreign(w.t.tag) {
		w.startDropOf(w.t.tag)
		w.openRaw(w.t.tag)
	}
}

// lateEnd is the end of an end tag that was too long: what is in it has no
// meaning, but that it ends something has.
func (w *Writer) lateEnd() {
	w.late = false
	w.cut(w.tok, w.pos)
	if name := elements[w.t.tag].name; name != "" {
		w.own = append(append(append(w.own[:0], "</"...), name...), '>')
		w.emit(w.own)
	}
	if w.raw.name == "" {
		w.closeElement()
	}
}
