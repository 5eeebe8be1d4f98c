package rewrite

// A verdict on an element.
type verdict uint8

const (
	kept     verdict = iota
	removed          // its tag, which is all of it
	replaced         // with all its content
)

// token gives the tag just scanned.
func (w *Writer) token() []byte { return w.b[w.tok : w.tok+w.t.n] }

// name gives the name of the tag just scanned as it is written.
func (w *Writer) name() []byte { return w.token()[w.t.nameAt:w.t.nameEnd] }

// startTag acts on a start tag.
func (w *Writer) startTag() {
	w.traced(inTag, w.tok, w.pos)
	switch {
	case w.late:
		w.lateStart()
	case w.tree.noscript && w.hidesNoscriptEnd():
	default:
		if w.hold >= 0 {
			w.withholdHeld(w.tok) // markup inside a script or style of svg
		}
		foreign := w.tree.enter(&w.t)
		w.asideStart(foreign)
		if w.drop.depth > 0 {
			w.drop.start(&w.t, foreign)
			w.open(kept, foreign)
		} else {
			w.placeStart(foreign)
			w.open(w.judge(foreign), foreign)
		}
	}
	w.settleQuiet()
}

// open takes note of what an element's start means for what follows.
func (w *Writer) open(v verdict, foreign bool) {
	if v != kept {
		w.closeBroken()
	}
	switch {
	case v == removed:
		w.cut(w.tok, w.pos)
		return
	case v == replaced:
		w.startDrop()
	case !foreign && w.misread():
		return
	}
	switch t := w.t.tag; {
	case foreign:
		w.openForeign(v)
	case elements[t].traits&rawText != 0:
		w.openRaw(t)
	case v == kept:
		w.tree.push(&w.t, w.name(), false)
		w.openHTML(t)
		w.placeInside()
		w.fill()
	}
}

// closeBroken ends the svg and math content that a withheld tag would have
// ended.
func (w *Writer) closeBroken() {
	s := &w.tree
	if s.broken == 0 {
		return
	}
	n := len(s.open)
	s.open = s.open[:n+s.broken]
	w.put(w.tok, s.appendClosers(nil, n))
	s.open, s.broken = s.open[:n], 0
}

// openForeign waits for the text of an svg script or style, if it is to be
// judged, before the element counts as open.
func (w *Writer) openForeign(v verdict) {
	switch {
	case v == replaced:
	case w.hold >= 0 && w.t.selfEnd:
		w.judgeHeld(w.pos, w.pos)
	case w.hold < 0:
		w.tree.push(&w.t, w.name(), true)
	}
}

func (w *Writer) openRaw(t tag) {
	w.raw = raw{name: elements[t].name}
	w.mode = inRaw
	if t == tagScript {
		w.mode = inScript
	}
}

func (w *Writer) openHTML(t tag) {
	switch t {
	case tagNoscript:
		w.tree.startNoscript()
	case tagTemplate:
		w.tree.templates++
	case tagSelect:
		w.tree.selected = true
	case tagFrameset:
		w.tree.frameset = true
	case tagPlaintext:
		w.mode = inPlain
	}
}

// misread sees to elements whose content some browsers read as text and others
// as markup, depending on what surrounds them.
func (w *Writer) misread() bool {
	t := w.t.tag
	switch {
	case t == tagPlaintext && (w.tree.noscript || w.tree.rawUnsure(t)):
		w.withholdTag("plaintext")
		return true
	case elements[t].traits&rawText != 0 && w.tree.rawUnsure(t) && w.drop.depth == 0:
		w.holdText(false)
		w.held.unsure = true
	}
	return false
}

// endTag acts on an end tag.
func (w *Writer) endTag() {
	w.traced(inTag, w.tok, w.pos)
	switch {
	case w.late:
		w.lateEnd()
	case w.raw.name != "":
		if w.hold >= 0 {
			w.judgeHeld(w.tok, w.pos)
		}
	case w.tree.noscript && w.hidesNoscriptEndAfter(len("</noscript")):
	case w.hold >= 0 && w.t.tag == w.held.tag:
		w.judgeHeld(w.tok, w.pos)
	default:
		w.closeElement()
	}
	w.raw = raw{}
	w.drop.end(w)
	w.settleQuiet()
}

// closeElement takes note of what an end tag ends.
func (w *Writer) closeElement() {
	switch {
	case w.hold < 0:
	case w.t.tag == tagSvg || w.t.tag == tagMath:
		w.judgeHeld(w.tok, w.tok) // ends the script or style in it too
	default:
		w.withholdHeld(w.tok)
	}
	w.asideEnd()
	w.drop.endOutside(w)
	if w.drop.depth == 0 {
		w.placeEnd()
	}
	if w.t.tag == tagNoscript && w.tree.noscript {
		w.endNoscript()
		return
	}
	if !w.tree.leave(&w.t, w.name()) {
		w.withholdTag("foreign content")
	}
	switch w.t.tag {
	case tagTemplate:
		w.tree.templates = max(0, w.tree.templates-1)
	case tagSelect:
		w.tree.selected = false
	}
}

// endNoscript is where both readings of noscript meet again: svg and math that
// it opened are closed for the one that knows of them.
func (w *Writer) endNoscript() {
	if len(w.tree.open) > w.tree.outside {
		w.rules.Beyond("noscript", w.at+int64(w.tok))
		w.put(w.tok, w.tree.appendClosers(nil, w.tree.outside))
		w.tree.open = w.tree.open[:w.tree.outside]
	}
	w.tree.noscript = false
}

// settleQuiet finds out whether plain tags need a look.
func (w *Writer) settleQuiet() {
	w.quiet = w.place.settled() && len(w.tree.open) == 0 && !w.tree.lost && !w.tree.noscript &&
		w.drop.depth == 0 && !w.aside.open && w.hold < 0 && !w.late && w.trace == nil
}

// withholdTag withholds the tag just scanned without having judged it.
func (w *Writer) withholdTag(why string) {
	w.rules.Beyond(why, w.at+int64(w.tok))
	w.cut(w.tok, w.pos)
}

// hidesNoscriptEnd withholds a tag in which a browser that runs scripts would
// find the end of noscript.
func (w *Writer) hidesNoscriptEnd() bool { return w.hidesNoscriptEndAfter(1) }

func (w *Writer) hidesNoscriptEndAfter(n int) bool {
	if _, found := findEndTag(w.token()[min(n, w.t.n):], "noscript"); !found {
		return false
	}
	w.withholdTag("noscript")
	return true
}
