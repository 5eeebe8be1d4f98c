package rewrite

// An open is an element that is open inside svg or math, the outermost of
// which is the first.
type open struct {
	tag   tag
	hash  uint32 // of the name, where it is no tag we know
	html  bool   // an HTML element inside an integration point
	point bool   // HTML may follow directly inside: an integration point
	math  bool
}

// A tree is what must be known of the elements that are open. Outside svg and
// math that is next to nothing.
type tree struct {
	open      []open
	noscript  bool // read as elements and as text at once
	outside   int  // how many of open are outside noscript
	selected  bool // inside select, where browsers differ
	frameset  bool // a frameset was seen, which drops most tags
	unsure    bool // svg or math may have ended by now
	lost      bool // svg or math may have gone on where it seemed to end
	templates int
	broken    int // how many elements behind open the last start tag closed
}

// maxOpen bounds what is kept of absurd nesting.
const maxOpen = 512

// A reading says how certain it is that foreign rules apply.
type reading uint8

const (
	never reading = iota
	maybe
	surely
)

func (s *tree) top() *open {
	if len(s.open) == 0 {
		return nil
	}
	return &s.open[len(s.open)-1]
}

// foreign tells whether a start tag that is no breakout would be svg or math.
func (s *tree) foreign(t tag) bool {
	top := s.top()
	switch {
	case top == nil || top.html:
		return false
	case top.point && top.math:
		return t == tagMglyph || t == tagMalignmark
	case top.point:
		return false
	}
	return top.tag != tagAnnotationXML || t != tagSvg
}

// cdata tells whether "<![CDATA[" starts a section here.
func (s *tree) cdata() reading {
	switch top := s.top(); {
	case s.unsure, s.lost && top != nil, top != nil && top.html:
		return maybe
	case top != nil:
		return surely
	}
	return never
}

// enter takes in a start tag and tells whether it is in svg or math.
func (s *tree) enter(t *tagScan) (foreign bool) {
	s.broken = 0
	if len(s.open) == 0 {
		return false
	}
	if s.foreign(t.tag) && breaksOut(t) {
		s.broken = s.breakOut()
		if len(s.open) == 0 {
			s.unsure = false
		}
		return false
	}
	return s.foreign(t.tag)
}

// breakOut leaves svg and math up to where HTML may stand, and counts what
// that closes.
func (s *tree) breakOut() (n int) {
	for top := s.top(); top != nil && !top.html && !top.point; top = s.top() {
		s.open = s.open[:len(s.open)-1]
		n++
	}
	return n
}

// breaksOut reports whether a start tag ends svg and math content.
func breaksOut(t *tagScan) bool {
	if t.tag == tagFont {
		return t.seen&(1<<attrColor|1<<attrFace|1<<attrSize) != 0
	}
	return elements[t.tag].traits&breakout != 0
}

// push takes note of an element that is now open.
func (s *tree) push(t *tagScan, name []byte, foreign bool) {
	traits := elements[t.tag].traits
	root := t.tag == tagSvg || t.tag == tagMath
	switch {
	case root || foreign:
		if t.selfEnd {
			return
		}
	case len(s.open) == 0, traits&(void|rawText) != 0:
		return
	case traits&optional != 0 && s.top().html && s.top().tag == t.tag:
		return // the one before has ended
	}
	if len(s.open) == maxOpen {
		s.unsure = true
		return
	}
	o := open{tag: t.tag, html: !foreign && !root}
	if t.tag == tagNone {
		o.hash = fullHash(name)
	}
	if !o.html {
		o.math = foreign && s.top().math || !foreign && t.tag == tagMath
		o.point = o.math && traits&mathPoint != 0 || !o.math && traits&svgPoint != 0 || t.tag == tagAnnotationXML && t.seen>>attrEncoding&1 != 0
		if t.tag == tagAnnotationXML && o.point {
			o.math = false // like foreignObject
		}
	}
	s.open = append(s.open, o)
}

// fullHash tells the names of elements apart that are no tags we know.
func fullHash(name []byte) uint32 {
	h := uint32(len(name))
	for _, c := range name {
		h = h*31 + uint32(lower(c))
	}
	return h
}

// leave takes in an end tag and reports whether it is certain what it ends.
func (s *tree) leave(t *tagScan, name []byte) (certain bool) {
	if len(s.open) == 0 {
		return !s.lost || !foreignName(t.tag)
	}
	hash := uint32(0)
	if t.tag == tagNone {
		hash = fullHash(name)
	}
	if !s.top().html && (t.tag == tagP || t.tag == tagBr) {
		s.breakOut()
		return true
	}
	inHTML := s.top().html
	for i := len(s.open) - 1; i >= 0; i-- {
		o := s.open[i]
		if inHTML && !o.html {
			return s.leaveOver(i, t.tag)
		}
		if o.tag == t.tag && o.hash == hash {
			s.open = s.open[:i]
			if i == 0 {
				s.unsure = false
			}
			return true
		}
		inHTML = o.html
	}
	s.unsure = s.unsure || t.tag != tagNone // it may have ended something around svg
	return true
}

// leaveOver is an end tag that nothing of the HTML inside integration point i
// matches. A browser ignores it, unless HTML elements with optional end tags
// that seem open are not.
func (s *tree) leaveOver(i int, t tag) bool {
	if !foreignName(t) {
		return true
	}
	for ; i >= 0; i-- {
		if s.open[i].tag == t && !s.open[i].html {
			s.open = s.open[:i]
			s.lost = true
			return true
		}
	}
	return true
}

// foreignName reports whether an end tag of this name can change what is open
// of svg and math.
func foreignName(t tag) bool {
	return t == tagSvg || t == tagMath || t == tagAnnotationXML || elements[t].traits&(svgPoint|mathPoint) != 0
}

// rawUnsure reports whether a browser may read the content of an element that
// holds text, as style does, as markup.
func (s *tree) rawUnsure(t tag) bool {
	switch {
	case s.unsure || s.lost && len(s.open) > 0:
		return true
	case s.selected:
		return t != tagScript && t != tagTextarea
	case s.frameset:
		return t != tagNoframes
	}
	return false
}

// enclosed reports whether an integration point is open, which no end tag from
// outside gets through.
func (s *tree) enclosed() bool {
	for _, o := range s.open {
		if o.point {
			return true
		}
	}
	return false
}

func (s *tree) startNoscript() {
	if !s.noscript {
		s.noscript, s.outside = true, len(s.open)
	}
}

// appendClosers appends the end tags that take every browser out of svg and
// math, down to n open elements.
func (s *tree) appendClosers(dst []byte, n int) []byte {
	for i := len(s.open) - 1; i >= n; i-- {
		if t := s.open[i].tag; t == tagSvg || t == tagMath || s.open[i].point || s.open[i].html && t != tagNone {
			dst = append(dst, "</"...)
			dst = append(dst, elements[t].name...)
			dst = append(dst, '>')
		}
	}
	return dst
}
