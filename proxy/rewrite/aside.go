package rewrite

// An aside is a video or audio element without a src, whose sources are still
// to come: if all of them are withheld it is replaced as a whole. What would
// pass waits until that is known.
type aside struct {
	open bool
	tag  tag
	n    int    // length of the start tag in text
	text []byte // what waits
	url  []byte // of the first source withheld
	ref  Ref
	left bool // some source stays
}

// maxAside is more than any list of sources.
const maxAside = 64 << 10

// startAside lets the video or audio tag just scanned wait.
func (w *Writer) startAside() {
	w.passTo(w.tok)
	w.aside = aside{open: true, tag: w.t.tag, n: w.t.n, text: w.aside.text[:0], url: w.aside.url[:0]}
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
	if w.aside.open && (foreign || w.t.tag != tagSource && w.t.tag != tagTrack || len(w.aside.text) > maxAside) {
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
	w.elTag = append(w.elTag[:0], a.text[:a.n]...)
	a.ref.URL = a.url
	w.placeholder(i, a.tag, &a.ref)
	w.startDropOf(a.tag)
}
