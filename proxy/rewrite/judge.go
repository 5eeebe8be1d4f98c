package rewrite

import "bytes"

// A form is how an attribute holds URLs.
type form uint8

const (
	none       form = iota
	one             // a URL
	list            // URLs between white space
	semicolons      // URLs between semicolons
	candidates      // a srcset
	css             // declarations
	cssOrURL        // what lazy-loading scripts put into a background
	document        // srcdoc
)

// A loss is what goes when a URL is withheld.
type loss uint8

const (
	attribute loss = iota // or those of its URLs that are withheld
	whole                 // the element
	shown                 // the element, and a placeholder takes its place
)

// A use is what a browser does with an attribute.
type use struct {
	kind Kind
	form form
	loss loss
}

// judge asks the rules about all that the start tag just scanned would load,
// and edits or replaces it.
func (w *Writer) judge(foreign bool) verdict {
	w.edits, w.text = w.edits[:0], w.text[:0]
	if w.t.tag == tagScript || w.t.tag == tagStyle {
		return w.judgeText(foreign)
	}
	v := w.judgeSpecial(foreign)
	for i := 0; i < len(w.t.attrs) && v == kept; i++ {
		a := w.t.attrs[i]
		v = w.judgeAttr(a, w.useOf(a.id, foreign), foreign)
	}
	switch {
	case foreign:
	case w.t.tag == tagSource:
		w.asideSource(v)
	case v == kept && w.startsAside():
		w.startAside()
	}
	if v == kept {
		w.applyEdits()
	}
	return v
}

// startsAside reports whether a video or audio element gets its URL from the
// source elements in it.
func (w *Writer) startsAside() bool {
	return (w.t.tag == tagVideo || w.t.tag == tagAudio) && w.t.seen>>attrSrc&1 == 0 && !w.aside.open
}

// judgeAttr judges what an attribute would load.
func (w *Writer) judgeAttr(a attr, u use, foreign bool) verdict {
	if foreign && u.loss != attribute {
		u.loss = attribute
	}
	left := true
	switch u.form {
	case none:
		return kept
	case one:
		left = w.askValue(u.kind, a) == Keep
	case list, semicolons:
		left = w.judgeList(a, u)
	case candidates:
		left = w.judgeSrcset(a, u)
	case css:
		w.judgeCSS(a)
	case cssOrURL:
		left = w.judgeBackground(a, u)
	case document:
		left = w.judgeSrcdoc(a)
	}
	switch {
	case left:
		return kept
	case u.loss == attribute:
		w.dropAttr(a)
		return kept
	}
	return w.lose(u.loss)
}

// lose withholds the element whose tag was just scanned, for the URL last
// asked about.
func (w *Writer) lose(l loss) verdict {
	w.closeBroken()
	if l == shown {
		w.elTag = append(w.elTag[:0], w.token()...)
		w.placeholder(w.tok, w.t.tag, &w.ref)
	}
	if elements[w.t.tag].traits&void != 0 || w.t.selfEnd && w.tree.foreign(w.t.tag) {
		return removed
	}
	return replaced
}

// askValue asks about an attribute that is a URL.
func (w *Writer) askValue(k Kind, a attr) Action { return w.ask(k, a, w.valueOf(a)) }

// ask asks the rules about a URL in an attribute. What loads nothing from
// anywhere is not worth asking.
func (w *Writer) ask(k Kind, a attr, url []byte) Action {
	url = trimControls(url)
	if len(url) == 0 {
		return Keep
	}
	if c := url[0] | 0x20; c != 'd' && c != 'j' { // neither data: nor javascript:
		return w.askURL(k, w.attrName(a), url)
	}
	switch k {
	case Style:
		if sheet := joined(url); isData(sheet) {
			return w.askSheet(sheet, w.attrName(a))
		}
	case Script:
		if code, ok := w.codeOf(joined(url)); ok {
			return w.askCode(code)
		}
	case Frame:
		if code, ok := w.scriptURL(url); ok {
			return w.askCode(code)
		}
		if page, ok := w.dataPage(joined(url)); ok {
			return w.askPage(page)
		}
	default:
		if isData(url) {
			return Keep
		}
	}
	return w.askURL(k, w.attrName(a), url)
}

func (w *Writer) askURL(k Kind, attr string, url []byte) Action {
	w.ref = Ref{Kind: k, Element: w.elementName(), Attr: attr, URL: url, At: w.at + int64(w.tok)}
	return w.rules.URL(&w.ref)
}

// trimControls cuts off what a URL parser strips at both ends.
func trimControls(url []byte) []byte {
	for len(url) > 0 && url[0] <= ' ' {
		url = url[1:]
	}
	for len(url) > 0 && url[len(url)-1] <= ' ' {
		url = url[:len(url)-1]
	}
	return url
}

// valueOf gives an attribute's value decoded. It is good until the next call.
func (w *Writer) valueOf(a attr) []byte {
	raw := w.token()[a.value:a.valueEnd]
	if plain(raw) {
		return raw
	}
	w.value = appendDecoded(w.value[:0], raw)
	return w.value
}

// attrValue gives the decoded value of an attribute, nil if there is none.
func (w *Writer) attrValue(id attrID) []byte {
	a, ok := w.t.get(id)
	if !ok {
		return nil
	}
	return w.valueOf(a)
}

// elementName gives the lower-case name of the tag just scanned.
func (w *Writer) elementName() string {
	if name := elements[w.t.tag].name; name != "" {
		return name
	}
	return w.intern(w.name())
}

func (w *Writer) attrName(a attr) string {
	if a.id < attrCount {
		return attrNames[a.id]
	}
	return w.intern(w.token()[a.name:a.nameEnd])
}

// maxNames bounds the names remembered from page to page.
const maxNames = 256

// intern gives a name in lower case, as a string that is made only once.
func (w *Writer) intern(name []byte) string {
	w.plain = append(w.plain[:0], name...)
	for i, c := range w.plain {
		w.plain[i] = lower(c)
	}
	if s, ok := w.names[string(w.plain)]; ok {
		return s
	}
	if w.names == nil || len(w.names) >= maxNames {
		w.names = make(map[string]string)
	}
	s := string(bytes.Clone(w.plain))
	w.names[s] = s
	return s
}
