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
