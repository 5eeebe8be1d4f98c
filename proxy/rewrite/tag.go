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
	n       int    // bytes scanned
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
	i := t.n
	for i < len(b) {
		switch t.state {
		case inName:
			for i < len(b) && b[i] != '>' && b[i] != '/' && !isSpace(b[i]) {
				i++
			}
			if i < len(b) {
				t.named(b, i)
			}
		case beforeAttr:
			for i < len(b) && (b[i] == '/' || isSpace(b[i])) {
				i++
			}
			if i == len(b) {
				break
			}
			if b[i] == '>' {
				t.selfEnd = i > 0 && b[i-1] == '/'
				t.n = i + 1
				return true
			}
			t.cur.name = i
			t.state = inAttrName
			i++ // even '=' is part of a name here
		case inAttrName:
			for i < len(b) && !endsAttrName[b[i]] {
				i++
			}
			if i == len(b) {
				break
			}
			t.cur.nameEnd = i
			switch b[i] {
			case '=':
				t.state = beforeValue
				i++
			case '>', '/':
				t.keep(b, i, i, i)
			default:
				t.state = afterAttrName
			}
		case afterAttrName:
			for i < len(b) && isSpace(b[i]) {
				i++
			}
			if i == len(b) {
				break
			}
			if b[i] == '=' {
				t.state = beforeValue
				i++
			} else {
				t.keep(b, t.cur.nameEnd, t.cur.nameEnd, t.cur.nameEnd)
			}
		case beforeValue:
			for i < len(b) && isSpace(b[i]) {
				i++
			}
			if i == len(b) {
				break
			}
			t.cur.value = i + 1
			switch b[i] {
			case '"':
				t.state = inDouble
				i++
			case '\'':
				t.state = inSingle
				i++
			case '>':
				t.keep(b, i, i, i)
			default:
				t.cur.value = i
				t.state = inBare
			}
		case inDouble, inSingle:
			quote := byte('"')
			if t.state == inSingle {
				quote = '\''
			}
			q := bytes.IndexByte(b[i:], quote)
			if q < 0 {
				i = len(b)
				break
			}
			i += q
			t.keep(b, t.cur.value, i, i+1)
			i++
		case inBare:
			for i < len(b) && b[i] != '>' && !isSpace(b[i]) {
				i++
			}
			if i == len(b) {
				break
			}
			t.keep(b, t.cur.value, i, i)
			if b[i] == '>' {
				t.n = i + 1
				return true // a slash before this '>' is part of the value
			}
		}
	}
	t.n = i
	return false
}

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
	t.state = beforeAttr
}

// keep takes note of the attribute just scanned if a rule may ask for it.
func (t *tagScan) keep(b []byte, value, valueEnd, end int) {
	t.state = beforeAttr
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

var endsAttrName = [256]bool{'\t': true, '\n': true, '\f': true, '\r': true, ' ': true, '/': true, '=': true, '>': true}

// A wanted says which attribute names are worth a look: for each first letter
// (& 31) the lengths of the names, bit = length.
type wanted [32]uint32

func (w *wanted) has(name []byte) bool {
	return len(name) > 0 && len(name) < 32 && w[name[0]&31]>>len(name)&1 != 0 || len(name) > 5 && name[0]|0x20 == 'd'
}

var (
	unwanted   wanted
	everyTag   = wantNames(attrStyle, attrBackground, attrAttributionsrc)
	judgedTag  = wantNames(attrStyle, attrBackground, attrAttributionsrc, attrAs, attrCharset, attrConfig, attrContent, attrData, attrHeight, attrHref, attrHTTPEquiv, attrImagesrcset, attrLang, attrName, attrPing, attrPoster, attrRel, attrSrc, attrSrcdoc, attrSrcset, attrType, attrValue, attrWidth)
	foreignTag = wantNames(allAttrs()...)
)

func wantNames(ids ...attrID) *wanted {
	w := new(wanted)
	for _, id := range ids {
		name := attrNames[id]
		w[name[0]&31] |= 1 << len(name)
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
