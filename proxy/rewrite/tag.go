package rewrite

import "bytes"

// A tagState is a state of the WHATWG tokenizer inside a tag. The states after
// a quoted value and of a stray slash behave as beforeAttr does.
type tagState uint8

const (
	inName tagState = iota
	beforeAttr
	inAttrName
	afterAttrName
	beforeValue
	inDouble
	inSingle
	inBare
)

// An attr is where an attribute lies, counted from the tag's '<'. Without a
// value, value and end are both where the name ends.
type attr struct {
	id       attrID
	name     int // [name:nameEnd] is the name
	nameEnd  int
	value    int // [value:valueEnd] is the value without quotes
	valueEnd int
	end      int // just behind the closing quote
}

// A tagScan finds the end of a tag and the attributes that matter on the way.
// It can stop at any byte and go on when more has come.
type tagScan struct {
	state   tagState
	closing bool // an end tag
	deep    bool // inside svg or math, where more attributes matter
	selfEnd bool // "/>"
	tag     tag
	want    *wanted
	n       int // bytes scanned
	nameAt  int
	nameEnd int
	cur     attr
	attrs   []attr // of each name the first: a browser ignores the others
	seen    uint64 // the names in attrs, bit = attrID
	again   uint64 // the names that came more than once
	dataLen int    // bytes in values that are data: URLs
	all     bool   // every attribute is wanted
}

// begin expects a tag whose name starts at nameAt. It leaves alone what is set
// before it is read.
func (t *tagScan) begin(nameAt int) {
	t.state, t.closing, t.selfEnd, t.deep, t.all = inName, nameAt == 2, false, false, false
	t.tag, t.want, t.seen, t.again, t.dataLen = tagNone, &unwanted, 0, 0, 0
	t.n, t.nameAt, t.nameEnd = nameAt, nameAt, nameAt
	t.attrs = t.attrs[:0]
}

// scan goes on through b, which starts with the tag's '<', and reports whether
// the tag has ended; t.n is then its length.
func (t *tagScan) scan(b []byte) bool {
	i, state := t.n, t.state
	done := false
	for i < len(b) && !done {
		switch state {
		case inName:
			if i += lengthUntil(b[i:], &endsName); i < len(b) {
				t.named(b, i)
				state = beforeAttr
			}
		case beforeAttr:
			i = t.plainAttrs(b, i)
			for i < len(b) && (isSpace(b[i]) || b[i] == '/') {
				i++
			}
			switch {
			case i == len(b):
			case b[i] == '>':
				t.selfEnd = i > 0 && b[i-1] == '/'
				i++
				done = true
			default:
				t.cur.name = i
				state = inAttrName
				i++ // even '=' is part of a name here
			}
		case inAttrName:
			if i += lengthUntil(b[i:], &endsAttrName); i < len(b) {
				t.cur.nameEnd = i
				state = afterAttrName
			}
		case afterAttrName:
			switch i = skipSpace(b, i); {
			case i == len(b):
			case b[i] == '=':
				state = beforeValue
				i++
			default:
				t.keep(b, t.cur.nameEnd, t.cur.nameEnd, t.cur.nameEnd)
				state = beforeAttr
			}
		case beforeValue:
			if i = skipSpace(b, i); i < len(b) {
				t.cur.value = i
				state = valueState(b[i])
				if state != inBare {
					i++
					t.cur.value++
				}
			}
		case inDouble, inSingle:
			q := bytes.IndexByte(b[i:], quoteOf[state])
			if q < 0 {
				i = len(b)
				break
			}
			i += q
			t.keep(b, t.cur.value, i, i+1)
			i++
			state = beforeAttr
		case inBare:
			if i += lengthUntil(b[i:], &endsBare); i < len(b) {
				t.keep(b, t.cur.value, i, i)
				state = beforeAttr
				if b[i] == '>' { // a slash before it is part of the value
					i++
					done = true
				}
			}
		}
	}
	t.n, t.state = i, state
	return done
}

// plainAttrs goes through the attributes that are there as a whole and written as
// most are, name="value", and gives where the first starts that is not.
func (t *tagScan) plainAttrs(b []byte, i int) int {
	for i < len(b) {
		start := i
		if b[i] == ' ' {
			start++
		}
		eq := start + lengthUntil(b[start:], &endsAttrName)
		if eq == start || eq+1 >= len(b) || b[eq] != '=' || b[eq+1] != '"' && b[eq+1] != '\'' {
			break
		}
		n := bytes.IndexByte(b[eq+2:], b[eq+1])
		if n < 0 {
			break
		}
		i = eq + n + 3
		t.cur.name, t.cur.nameEnd = start, eq
		t.keep(b, eq+2, i-1, i)
	}
	return i
}

// lengthUntil counts the bytes before the first that is in the set.
func lengthUntil(b []byte, set *[256]bool) int {
	for i, c := range b {
		if set[c] {
			return i
		}
	}
	return len(b)
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && isSpace(b[i]) {
		i++
	}
	return i
}

func valueState(c byte) tagState {
	switch c {
	case '"':
		return inDouble
	case '\'':
		return inSingle
	}
	return inBare
}

var quoteOf = [...]byte{inDouble: '"', inSingle: '\''}

var (
	endsName     = [256]bool{'\t': true, '\n': true, '\f': true, '\r': true, ' ': true, '/': true, '>': true}
	endsAttrName = [256]bool{'\t': true, '\n': true, '\f': true, '\r': true, ' ': true, '/': true, '=': true, '>': true}
	endsBare     = [256]bool{'\t': true, '\n': true, '\f': true, '\r': true, ' ': true, '>': true}
)

// named takes note of the tag's name, which ends at i.
func (t *tagScan) named(b []byte, i int) {
	t.nameEnd = i
	t.tag = tag(tagIndex.find(b[t.nameAt:i]))
	switch {
	case t.closing:
	case t.deep, t.tag == tagFont, t.tag == tagAnnotationXML:
		t.want = foreignTag
	case elements[t.tag].traits&judged != 0:
		t.want = judgedTag
	default:
		t.want = everyTag
	}
}

// keep takes note of the attribute just scanned if a rule may ask for it.
func (t *tagScan) keep(b []byte, value, valueEnd, end int) {
	if valueEnd-value > 64 && isData(b[value:valueEnd]) {
		t.dataLen += valueEnd - value
	}
	name := b[t.cur.name:t.cur.nameEnd]
	if !t.want.has(name) && !t.all {
		return
	}
	id := attrOf(name)
	if id == attrNone && !t.all {
		return
	}
	if id != attrNone && id < attrCount {
		if bit := uint64(1) << id; t.seen&bit != 0 {
			t.again |= bit
			return
		}
		t.seen |= 1 << id
	}
	t.cur.id, t.cur.value, t.cur.valueEnd, t.cur.end = id, value, valueEnd, end
	t.attrs = append(t.attrs, t.cur)
}

// get gives the attribute of a name.
func (t *tagScan) get(id attrID) (attr, bool) {
	if t.seen>>id&1 == 0 {
		return attr{}, false
	}
	for _, a := range t.attrs {
		if a.id == id {
			return a, true
		}
	}
	return attr{}, false
}

// dataBytes counts what of the n bytes scanned is data: URLs, even if the tag
// ends inside one.
func (t *tagScan) dataBytes(b []byte) int {
	if t.state >= inDouble && isData(b[t.cur.value:]) {
		return t.dataLen + t.n - t.cur.value
	}
	return t.dataLen
}

// isData reports whether a value is a data: URL, as far as one can see without
// decoding it.
func isData(value []byte) bool {
	return len(value) > 5 && value[0]|0x20 == 'd' && hasFoldPrefix(value, "data:")
}

// A wanted says which attribute names are worth a look: for each first letter
// (& 31) the lengths of the names, bit = length, 31 for any longer.
type wanted [32]uint32

func (w *wanted) has(name []byte) bool {
	return len(name) > 0 && w[name[0]&31]>>min(len(name), 31)&1 != 0
}

func (w *wanted) add(name string) { w[name[0]&31] |= 1 << len(name) }

var (
	unwanted   = wanted{}
	everyTag   = wantNames(attrStyle, attrBackground, attrAttributionsrc, attrPing, attrConsent, attrTfWidget, attrURL)
	judgedTag  = wantNames(attrStyle, attrBackground, attrAttributionsrc, attrAs, attrCharset, attrConfig, attrContent, attrData, attrHeight, attrHref, attrHTTPEquiv, attrImagesrcset, attrLang, attrName, attrPing, attrPoster, attrRel, attrSrc, attrSrcdoc, attrSrcset, attrType, attrValue, attrWidth)
	foreignTag = wantNames(allAttrs()...)
)

func wantNames(ids ...attrID) *wanted {
	w := new(wanted)
	w['d'&31] = 0xFFFF_FFC0 // "data-" and at least one letter
	for _, id := range ids {
		w.add(attrNames[id])
	}
	return w
}

func allAttrs() (ids []attrID) {
	for id := attrNone + 1; id < attrCount; id++ {
		ids = append(ids, id)
	}
	return ids
}

// forget keeps of the tag only where in it the scan is.
func (t *tagScan) forget() {
	t.n, t.nameAt, t.want, t.cur, t.dataLen = 0, 0, &unwanted, attr{}, 0
	t.attrs = t.attrs[:0]
}
