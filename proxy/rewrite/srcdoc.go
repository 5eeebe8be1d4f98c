package rewrite

import "bytes"

// A sub rewrites a page that is inside an attribute.
type sub struct {
	w      *Writer
	out    bytes.Buffer
	in     []byte
	inside bool // this writer is somebody's sub itself
	depth  int
}

// maxDepth bounds pages within pages.
const maxDepth = 3

// judgeSrcdoc rewrites a srcdoc and reports whether it can stay.
func (w *Writer) judgeSrcdoc(a attr) bool {
	out, ok := w.rewritePage(w.valueOf(a))
	if !ok {
		return false
	}
	if !bytes.Equal(out, w.sub.in) {
		w.setAttr(a, out)
	}
	return true
}

// dataPage gives the page in a data: URL, if it can hold one.
func (w *Writer) dataPage(url []byte) ([]byte, bool) {
	if !isData(url) {
		return nil, false
	}
	return w.dataBody(url)
}

// askPage withholds a page in which anything is withheld.
func (w *Writer) askPage(page []byte) Action {
	out, ok := w.rewritePage(page)
	if !ok || !bytes.Equal(out, w.sub.in) {
		return Withhold
	}
	return Keep
}

// rewritePage rewrites a page by the same rules. It fails where pages are
// nested too deeply.
func (w *Writer) rewritePage(page []byte) (out []byte, ok bool) {
	s := &w.sub
	s.in = append(s.in[:0], page...)
	if s.depth == maxDepth {
		w.rules.Beyond("srcdoc", w.at+int64(w.tok))
		return nil, false
	}
	if s.w == nil {
		s.w = new(Writer)
		s.w.el.Attr = s.w.placeholderAttr
	}
	s.out.Reset()
	s.w.Reset(&s.out, w.rules, Options{Charset: "utf-8", MaxToken: w.opt.MaxToken, Mode: Fragment})
	s.w.sub.inside, s.w.sub.depth = true, s.depth+1
	s.w.at = w.at + int64(w.tok)
	s.w.feed(s.in)
	s.w.finish()
	w.ref = s.w.ref
	return s.out.Bytes(), true
}
