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
	want    uint32 // the first letters of attributes worth a look, bit = letter & 31
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

// begin expects a tag whose name starts at nameAt.
func (t *tagScan) begin(nameAt int) {
	*t = tagScan{n: nameAt, nameAt: nameAt, closing: nameAt == 2, attrs: t.attrs[:0]}
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
			t.cur = attr{name: i}
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
	if !t.closing {
		t.want = everyTag
		if t.deep || elements[t.tag].traits&judged != 0 {
			t.want = judgedTag
		}
	}
	t.state = beforeAttr
}

// keep takes note of the attribute just scanned if a rule may ask for it.
func (t *tagScan) keep(b []byte, value, valueEnd, end int) {
	t.state = beforeAttr
	if isData(b[value:valueEnd]) {
		t.dataLen += valueEnd - value
	}
	if t.want>>(b[t.cur.name]&31)&1 == 0 && !t.all {
		return
	}
	id := attrOf(b[t.cur.name:t.cur.nameEnd])
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

// What to look at: on every element the attributes that hold CSS or a URL
// whoever carries them, on some all that have a name in attrNames.
var (
	everyTag  = letters("sbdpa")
	judgedTag = letters("abcdefhilmnpqrstvwx")
)

func letters(s string) (mask uint32) {
	for i := range len(s) {
		mask |= 1 << (s[i] & 31)
	}
	return mask
}

// forget keeps of the tag only where in it the scan is.
func (t *tagScan) forget() {
	t.n, t.nameAt, t.want, t.cur, t.dataLen = 0, 0, 0, attr{}, 0
	t.attrs = t.attrs[:0]
}
