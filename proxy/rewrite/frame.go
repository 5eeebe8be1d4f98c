package rewrite

// placeholder puts what stands in place of a withheld element, whose start tag
// is in elTag, before place i of the window.
func (w *Writer) placeholder(i int, t tag, ref *Ref) {
	w.el.Name, w.el.Ref = elements[t].name, *ref
	w.plain = append(w.plain[:0], ref.URL...)
	w.el.Ref.URL = w.plain
	w.text = w.rules.AppendPlaceholder(w.text[:0], &w.el)
	w.put(i, w.text)
}

// fill puts what the element just opened asks for into it.
func (w *Writer) fill() {
	if w.t.seen&namesContent == 0 || w.drop.depth > 0 || elements[w.t.tag].traits&void != 0 {
		return
	}
	for _, id := range containerAttrs {
		if c, ok := w.rules.(Containers); ok && w.t.seen>>id&1 != 0 {
			c.Container(attrNames[id], w.attrValue(id))
		}
	}
	if w.t.seen>>attrConsent&1 == 0 {
		return
	}
	w.text = w.rules.AppendContent(w.text[:0], w.attrValue(attrConsent))
	w.put(w.pos, w.text)
}

// containerAttrs are those in which an element says what a script is to draw in it.
var containerAttrs = [...]attrID{attrTfWidget, attrURL}

const namesContent = 1<<attrConsent | 1<<attrTfWidget | 1<<attrURL

// drawn says what goes with a withheld script: where it could have drawn something,
// a placeholder takes its place.
func (w *Writer) drawn(foreign bool) loss {
	if foreign || w.place.phase != insideBody && w.place.phase != noPlaces ||
		w.tree.selected || w.tree.noscript || w.tree.templates > 0 || w.tree.frameset {
		return whole
	}
	return shown
}

// placeholderAttr is Element.Attr.
func (w *Writer) placeholderAttr(name string) (value []byte, ok bool) {
	w.elScan.begin(1)
	w.elScan.all = true
	w.elScan.scan(w.elTag)
	for _, a := range w.elScan.attrs {
		if foldEqual(w.elTag[a.name:a.nameEnd], name) {
			w.value = appendDecoded(w.value[:0], w.elTag[a.value:a.valueEnd])
			return w.value, true
		}
	}
	return nil, false
}
