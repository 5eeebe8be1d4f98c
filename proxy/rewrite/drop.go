package rewrite

// A drop is an element that is withheld with its content, from its start tag
// to its end tag. Of what is inside only what ends it matters.
type drop struct {
	tag     tag
	depth   int  // elements of that name that are open, 0 for no drop
	inner   int  // other elements that are open
	tree    tree // as it was outside
	openLen int
}

// startDrop withholds from the tag just scanned on.
func (w *Writer) startDrop() {
	w.cut(w.tok, w.pos)
	w.startDropOf(w.t.tag)
}

func (w *Writer) startDropOf(t tag) {
	w.drop = drop{tag: t, depth: 1, tree: w.tree, openLen: len(w.tree.open)}
	if elements[t].traits&void != 0 {
		w.drop = drop{}
	}
}

// start counts a start tag.
func (d *drop) start(t *tagScan, foreign bool) {
	switch {
	case foreign && t.selfEnd, elements[t.tag].traits&(void|optional|rawText) != 0 && !foreign:
	case t.tag == d.tag:
		d.depth++
	default:
		d.inner++
	}
}

// end counts an end tag, which may end the drop.
func (d *drop) end(w *Writer) {
	switch {
	case d.depth == 0:
	case w.t.tag == d.tag:
		if d.depth--; d.depth == 0 {
			w.endDrop(w.pos)
		}
	case elements[w.t.tag].traits&(optional|rawText) == 0:
		d.inner--
	}
}

// endOutside ends the drop at an end tag that belongs to something around it.
func (d *drop) endOutside(w *Writer) {
	if d.depth == 0 {
		return
	}
	switch t := w.t.tag; {
	case t == d.tag:
	case t == tagBody, t == tagHtml, t == tagNoscript && d.tree.noscript,
		d.inner <= 0 && elements[t].traits&(optional|rawText) == 0:
		w.endDrop(w.tok)
	}
}

// endDrop lets through again what comes after place i. What was open inside
// is not in the page.
func (w *Writer) endDrop(i int) {
	open := w.tree.open[:min(len(w.tree.open), w.drop.openLen)]
	w.tree = w.drop.tree
	w.tree.open = open
	w.drop = drop{}
	w.done = max(w.done, i)
}
