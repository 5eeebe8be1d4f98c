package rewrite

import "bytes"

// A phase is how far a document has come, as tree construction would have it.
// HTML Standard 13.2.6.4.1 to 13.2.6.4.6.
type phase uint8

const (
	beforeHead phase = iota
	insideHead
	afterHead
	insideBody
	noPlaces // a fragment, or a page of frames
)

// A placing knows which inserts have found their place.
type placing struct {
	mode  Mode
	phase phase
	head  bool // HeadStart is put
	body  bool // BodyStart
	end   bool // BodyEnd
}

// settled reports whether only the end of body is still to come.
func (p *placing) settled() bool { return p.phase >= insideBody }

// detect makes up its mind when the first thing in the page is seen.
func (p *placing) detect(document bool) {
	if p.mode == Detect {
		p.mode = Fragment
		if document {
			p.mode = Document
		}
	}
	if p.mode == Fragment {
		p.phase = noPlaces
	}
}

func (w *Writer) placeDoctype() { w.place.detect(true) }

// unplaced reports whether what is scanned now can tell where head and body
// are: it cannot inside template, and noscript is read in two ways.
func (w *Writer) unplaced() bool {
	return !w.place.settled() && w.drop.depth == 0 && w.tree.templates == 0 && !w.tree.noscript
}

// textSeen looks at text in the window: the first that is no white space ends
// head and starts body.
func (w *Writer) textSeen(from, to int) {
	if w.trace != nil && to > from {
		w.trace(w, inData, from, to)
	}
	if from == to || !w.unplaced() || w.hold >= 0 {
		return
	}
	for i, c := range w.b[from:to] {
		at := w.at + int64(from+i)
		if isSpace(c) || at < 3 && c == "\xEF\xBB\xBF"[at] {
			continue
		}
		w.place.detect(false)
		w.impliesBody(from + i)
		return
	}
}

// placeStart is a start tag, which may come before an insert.
func (w *Writer) placeStart(foreign bool) {
	if !w.unplaced() {
		return
	}
	p, t := &w.place, w.t.tag
	p.detect(startsDocument(t))
	switch {
	case p.phase == noPlaces, t == tagHtml:
	case t == tagFrameset:
		p.phase = noPlaces
	case t == tagHead:
	case t == tagBody:
		w.insert(w.tok, HeadStart, &p.head)
	case elements[t].traits&inHead != 0 && !(t == tagNoscript && p.phase == afterHead):
		w.insert(w.tok, HeadStart, &p.head)
		p.phase = max(p.phase, insideHead)
	default:
		w.impliesBody(w.tok)
	}
}

func startsDocument(t tag) bool {
	switch t {
	case tagHtml, tagHead, tagBody, tagTitle, tagMeta, tagLink, tagBase, tagStyle, tagScript, tagFrameset:
		return true
	}
	return false
}

// placeInside comes after a start tag: head and body start behind theirs.
func (w *Writer) placeInside() {
	if !w.unplaced() {
		return
	}
	p := &w.place
	switch {
	case w.t.tag == tagHead && p.phase == beforeHead:
		w.insert(w.pos, HeadStart, &p.head)
		p.phase = insideHead
	case w.t.tag == tagBody:
		w.insert(w.pos, BodyStart, &p.body)
		p.phase = insideBody
	}
}

// placeEnd is an end tag, which may come after an insert.
func (w *Writer) placeEnd() {
	p, t := &w.place, w.t.tag
	ends := t == tagBody || t == tagHtml
	if w.unplaced() {
		p.detect(false)
		switch {
		case p.phase == noPlaces:
		case t == tagHead:
			w.insert(w.tok, HeadStart, &p.head)
			p.phase = afterHead
		case ends, t == tagBr:
			w.impliesBody(w.tok)
		}
	}
	if ends && p.phase == insideBody && !p.end && w.tree.templates == 0 && !w.tree.noscript && !w.tree.enclosed() {
		w.insert(w.tok, BodyEnd, &p.end)
	}
}

// impliesBody puts what comes before the body's content, which starts at place
// i of the window without a body tag.
func (w *Writer) impliesBody(i int) {
	p := &w.place
	if p.phase >= insideBody {
		return
	}
	w.insert(i, HeadStart, &p.head)
	w.insert(i, BodyStart, &p.body)
	p.phase = insideBody
	w.settleQuiet()
}

// insert puts an insert before place i of the window, once.
func (w *Writer) insert(i int, at Place, done *bool) {
	if *done {
		return
	}
	*done = true
	w.text = w.rules.AppendInsert(w.text[:0], at)
	if len(w.text) == 0 {
		return
	}
	if len(w.tree.open) > 0 {
		w.put(i, w.tree.appendClosers(nil, 0)) // of an svg that was never ended
		w.tree.open = w.tree.open[:0]
	}
	w.put(i, w.text)
}

// finish ends the page: what is held is decided, and the inserts that have
// found no place go to its end.
func (w *Writer) finish() {
	w.b = w.carry
	w.pos = len(w.b)
	if w.hold >= 0 {
		w.judgeHeld(w.pos, w.pos)
	}
	if w.aside.open {
		w.endAside(w.pos)
	}
	if w.drop.depth > 0 {
		w.endDrop(w.pos)
	}
	w.insertLast()
	w.passTo(w.pos)
	w.b, w.carry = nil, w.carry[:0]
}

// insertLast puts the inserts that are still missing at the end of the page,
// in a state in which they are markup.
func (w *Writer) insertLast() {
	p := &w.place
	unfinished := w.b[w.done:]
	if w.mode == inTag && w.tree.noscript {
		if _, found := findEndTag(unfinished[min(1, len(unfinished)):], "noscript"); found {
			w.rules.Beyond("noscript", w.at+int64(w.tok))
			w.cut(w.done, w.pos)
		}
	}
	if p.mode != Document || p.phase == noPlaces || w.mode == inPlain || p.end {
		return
	}
	w.text = w.text[:0]
	for at, done := range [...]*bool{HeadStart: &p.head, BodyStart: &p.body, BodyEnd: &p.end} {
		if done != nil && !*done {
			*done = true
			w.text = w.rules.AppendInsert(w.text, Place(at))
		}
	}
	if len(w.text) == 0 {
		return
	}
	if w.mode == inTag || w.mode == inData && bytes.HasPrefix(unfinished, []byte("<")) {
		w.cut(w.done, w.pos) // a tag without an end is none for a browser either
	}
	w.passTo(w.pos)
	w.emit(w.appendEnd(nil))
	w.put(w.pos, w.text)
}

// appendEnd appends what ends everything in which inserts would be no part of
// the body.
func (w *Writer) appendEnd(dst []byte) []byte {
	switch w.mode {
	case inComment:
		dst = append(dst, "-->"...)
	case inBogus:
		dst = append(dst, '>')
	case inCDATA:
		dst = append(dst, "]]>"...)
	case inRaw, inScript:
		dst = w.appendCloser(dst)
	}
	if w.tree.noscript {
		dst = append(w.tree.appendClosers(dst, w.tree.outside), "</noscript>"...)
		w.tree.open = w.tree.open[:min(w.tree.outside, len(w.tree.open))]
	}
	dst = w.tree.appendClosers(dst, 0)
	for range min(w.tree.templates, maxOpen) {
		dst = append(dst, "</template>"...)
	}
	return dst
}
