package rewrite

import "slices"

// An edit replaces part of the tag just scanned.
type edit struct {
	from, to int // counted from the tag's '<'
	text     int // where in the scratch text the replacement starts
	end      int
}

// applyEdits passes on the tag just scanned with its edits.
func (w *Writer) applyEdits() {
	slices.SortFunc(w.edits, func(a, b edit) int { return a.from - b.from })
	for _, e := range w.edits {
		w.cut(w.tok+e.from, w.tok+e.to)
		w.emit(w.text[e.text:e.end])
	}
}

// dropAttr takes an attribute out of the tag. Where another of the same name,
// or a stray '=', would come to life in its place, it stays and is empty.
func (w *Writer) dropAttr(a attr) {
	tok := w.token()
	again := a.id < attrCount && w.t.again>>a.id&1 != 0 || a.id >= attrCount
	next := a.end
	for isSpace(tok[next]) {
		next++
	}
	switch {
	case !again && tok[next] != '=':
		from := a.name
		if isSpace(tok[from-1]) && (next > a.end || tok[next] == '>') {
			from--
		}
		w.edits = append(w.edits, edit{from: from, to: a.end})
	case a.value < a.end:
		w.setAttr(a, nil)
	}
}

// setAttr gives an attribute another value.
func (w *Writer) setAttr(a attr, value []byte) {
	from := a.value
	if a.end > a.valueEnd {
		from-- // the quote
	}
	start := len(w.text)
	w.text = appendQuoted(w.text, value)
	w.edits = append(w.edits, edit{from, a.end, start, len(w.text)})
}
