package rewrite

// An aside is a video or audio element without a src, whose sources are still
// to come: if all of them are withheld it is replaced as a whole. What would
// pass waits until that is known.
type aside struct {
	open bool
	tag  tag
	tok  []byte // the start tag
	text []byte // what waits
	url  []byte // of the first source withheld
	ref  Ref
	left bool // some source stays
}

// maxAside is more than any list of sources.
const maxAside = 64 << 10

// wait keeps p until it is known what becomes of the element, or it gets too
// much.
func (w *Writer) wait(p []byte) {
	a := &w.aside
	a.text = append(a.text, p...)
	if len(a.text) > maxAside {
		a.open = false
		w.write(a.text)
	}
}

// startAside lets the video or audio tag just scanned wait.
func (w *Writer) startAside() {
	w.passTo(w.tok)
	a := &w.aside
	a.open, a.left, a.tag = true, false, w.t.tag
	a.tok = append(a.tok[:0], w.token()...)
	a.text, a.url = a.text[:0], a.url[:0]
}

// asideSource takes note of what became of a source.
func (w *Writer) asideSource(v verdict) {
	a := &w.aside
	switch {
	case !a.open:
	case v == kept:
		a.left = true
		w.endAside(w.tok)
	case len(a.url) == 0:
		a.ref = w.ref
		a.url = append(a.url, w.ref.URL...)
	}
}

// asideStart ends the wait at the first start tag that is no source.
func (w *Writer) asideStart(foreign bool) {
	if w.aside.open && (foreign || w.t.tag != tagSource && w.t.tag != tagTrack) {
		w.endAside(w.tok)
	}
}

// asideEnd ends the wait at an end tag.
func (w *Writer) asideEnd() {
	if w.aside.open {
		w.endAside(w.tok)
	}
}

// endAside passes on what waits, or replaces the element.
func (w *Writer) endAside(i int) {
	a := &w.aside
	w.passTo(i)
	a.open = false
	if a.left || len(a.url) == 0 {
		w.emit(a.text)
		return
	}
	w.elTag = append(w.elTag[:0], a.tok...)
	a.ref.URL = a.url
	w.placeholder(i, a.tag, &a.ref)
	w.startDropOf(a.tag)
}
