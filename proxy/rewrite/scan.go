package rewrite

import "bytes"

// A mode is a state of the tokenizer, or several that behave the same.
type mode uint8

const (
	inData mode = iota
	inTag
	inComment
	inBogus // a comment that is none, a doctype: up to '>'
	inCDATA
	inRaw    // text of an element whose content is no markup
	inScript // the same with the escaped states
	inPlain  // plaintext: all the rest
)

// A scanner is the state of the page so far. Places in the window are counted
// from its first byte; the window moves only in settle.
type scanner struct {
	b     []byte // the window: what is scanned now
	carry []byte // what came before and is not yet decided
	at    int64  // where in the input the window starts
	done  int    // b[:done] is passed on or withheld
	pos   int    // b[:pos] is scanned
	tok   int    // where the tag being scanned starts
	hold  int    // where the element starts whose text is to be judged as a whole, or -1

	mode  mode
	quiet bool // only elements that can load something need a look
	t     tagScan
	raw   raw
	held  held
	drop  drop
	aside aside
	tree  tree
	place placing

	ref    Ref
	inline Inline
	el     Element
	elTag  []byte // the start tag el is about
	elScan tagScan
	based  bool // the first base element was seen
	late   bool // too long: the tag or text being scanned is withheld

	edits []edit
	own   []byte // scratch: what is put, in the page's charset
	text  []byte // scratch: what edits put
	value []byte // scratch: a decoded value
	plain []byte // scratch: decoded text, an unpacked data: URL
	urls  []byte // scratch: a URL out of CSS or JSON
	names map[string]string
	sub   sub

	sheets int // how many style sheets in data: URLs are within each other

	trace func(w *Writer, what mode, from, to int) // tests only
}

func (s *scanner) reset(m Mode) {
	*s = scanner{
		carry: s.carry[:0], hold: -1, el: Element{Attr: s.el.Attr}, elTag: s.elTag[:0], elScan: tagScan{attrs: s.elScan.attrs[:0]},
		t: tagScan{attrs: s.t.attrs[:0]}, edits: s.edits[:0], own: s.own[:0], text: s.text[:0],
		value: s.value[:0], plain: s.plain[:0], urls: s.urls[:0], names: s.names, sub: s.sub, trace: s.trace,
		held:  held{kind: s.held.kind[:0]},
		aside: aside{tok: s.aside.tok[:0], text: s.aside.text[:0], url: s.aside.url[:0]},
		tree:  tree{open: s.tree.open[:0]},
		place: placing{mode: m},
	}
}

// run scans b, which continues the window of before.
func (w *Writer) run(b []byte) {
	w.b = b
	for w.pos < len(b) && w.err == nil && w.step() {
	}
}

// step scans on in the present mode and reports whether it got anywhere: false
// means that more input is needed.
func (w *Writer) step() bool {
	switch w.mode {
	case inTag:
		return w.scanTag()
	case inComment:
		return w.scanComment()
	case inBogus:
		return w.scanTo(">")
	case inCDATA:
		return w.scanTo("]]>")
	case inRaw:
		return w.scanRaw()
	case inScript:
		return w.scanScript()
	case inPlain:
		w.pos = len(w.b)
		return false
	}
	return w.scanData()
}

// scanData hops from '<' to '<' until one starts something.
func (w *Writer) scanData() bool {
	b := w.b
	for {
		if w.quiet {
			w.pos += idleRun(b[w.pos:])
		}
		i := bytes.IndexByte(b[w.pos:], '<')
		if i < 0 {
			w.textSeen(w.pos, len(b))
			w.pos = len(b)
			return false
		}
		w.textSeen(w.pos, w.pos+i)
		w.pos += i
		if w.pos+1 == len(b) {
			return false
		}
		w.tok = w.pos
		c := b[w.pos+1]
		switch {
		case isLetter(c):
			w.t.begin(1)
			w.t.deep = len(w.tree.open) > 0
			return w.scanTag()
		case c == '/':
			if w.pos+2 == len(b) {
				return false
			}
			if isLetter(b[w.pos+2]) {
				w.t.begin(2)
				return w.scanTag()
			}
			w.mode = inBogus
			w.pos += 2
			return true
		case c == '!':
			return w.scanDeclaration()
		case c == '?':
			w.mode = inBogus
			w.pos++
			return true
		}
		w.textSeen(w.pos, w.pos+1)
		w.pos++ // a '<' that is only text
	}
}

// scanTag scans on in a tag and acts on it when it has ended.
func (w *Writer) scanTag() bool {
	if !w.t.scan(w.b[w.tok:]) {
		w.mode = inTag
		w.pos = len(w.b)
		return false
	}
	w.mode = inData
	w.pos = w.tok + w.t.n
	if w.t.closing {
		if !w.quiet || elements[w.t.tag].traits&endSeen != 0 {
			w.endTag()
		}
	} else if !w.quiet || len(w.t.attrs) > 0 || elements[w.t.tag].traits&judged != 0 {
		w.startTag()
	}
	return true
}

// scanDeclaration tells what "<!" starts: a comment, a CDATA section, a doctype
// or a comment that is none.
func (w *Writer) scanDeclaration() bool {
	rest := w.b[w.pos:]
	switch {
	case bytes.HasPrefix(rest, []byte("<!--")):
		return w.startComment(rest)
	case prefixOf(rest, "<!--"), prefixOf(rest, "<![cdata["), prefixOf(rest, "<!doctype"):
		return false
	case bytes.HasPrefix(rest, []byte("<![CDATA[")) && w.tree.cdata() != never:
		w.startCDATA()
	case hasFoldPrefix(rest, "<!doctype"):
		w.placeDoctype()
		w.mode = inBogus
		w.pos += len("<!doctype")
	default:
		w.mode = inBogus
		w.pos += 2
	}
	return true
}

// prefixOf reports whether b is a proper prefix of s, which is lower case, in
// any case.
func prefixOf(b []byte, s string) bool {
	return len(b) < len(s) && hasFoldPrefix(b, s[:len(b)])
}

// startComment knows the endings that are only possible right at the start:
// "<!-->" and "<!--->".
func (w *Writer) startComment(rest []byte) bool {
	after := rest[len("<!--"):]
	switch {
	case len(after) == 0, len(after) == 1 && after[0] == '-':
		return false
	case after[0] == '>':
		w.pos += len("<!-->")
	case after[0] == '-' && after[1] == '>':
		w.pos += len("<!--->")
	default:
		w.mode = inComment
		w.pos += len("<!--")
		return true
	}
	w.traced(inComment, w.tok, w.pos)
	return true
}

// scanComment looks for "-->" or "--!>".
func (w *Writer) scanComment() bool {
	text, cut := w.hiding()
	for i := 0; ; i++ {
		gt := bytes.IndexByte(text[i:], '>')
		if gt < 0 {
			break
		}
		i += gt
		if endsWith(text[:i], "--") || endsWith(text[:i], "--!") {
			w.mode = inData
			w.pos += i + 1
			w.traced(inComment, w.tok, w.pos)
			return true
		}
	}
	if cut {
		return w.breakOff(len(text), "-->")
	}
	w.pos += len(text) - partial(text, "--!")
	return false
}

func endsWith(b []byte, s string) bool {
	return len(b) >= len(s) && string(b[len(b)-len(s):]) == s
}

// partial gives how many bytes at the end of b could start s.
func partial(b []byte, s string) int {
	for n := min(len(s), len(b)); n > 0; n-- {
		if endsWith(b, s[:n]) {
			return n
		}
	}
	return 0
}

// scanTo looks for the end of what nobody has to understand.
func (w *Writer) scanTo(end string) bool {
	text, cut := w.hiding()
	i := bytes.Index(text, []byte(end))
	if i < 0 && cut && end != ">" {
		return w.breakOff(len(text), end)
	}
	if i < 0 {
		w.pos += len(text) - partial(text, end[:len(end)-1])
		return false
	}
	what := w.mode
	w.mode = inData
	w.pos += i + len(end)
	w.traced(what, w.tok, w.pos)
	return true
}

func (w *Writer) traced(what mode, from, to int) {
	if w.trace != nil {
		w.trace(w, what, from, to)
	}
}

// startCDATA starts a CDATA section, which is one only in svg and math. Where
// that is not certain the tag-like start is withheld: what follows is then
// markup for every browser.
func (w *Writer) startCDATA() {
	const n = len("<![CDATA[")
	if w.tree.cdata() == maybe {
		w.rules.Beyond("foreign content", w.at+int64(w.pos))
		w.cut(w.pos, w.pos+n)
	} else {
		w.mode = inCDATA
	}
	w.pos += n
}
