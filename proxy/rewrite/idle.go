package rewrite

import "bytes"

// Most tags of a page can be passed by without a look at what they are: no
// rule knows the name, nor any attribute. The functions here see that in one
// go, for tags that are there as a whole and written as most are; for all
// others they give 0, and a tagScan reads them.

// startTags and endTags are the names that mean something.
var (
	startTags = wantElements(judged | rawText)
	endTags   = wantElements(endSeen)
)

func wantElements(any traits) *wanted {
	w := new(wanted)
	for _, e := range elements[1:] {
		if e.traits&any != 0 {
			w.add(e.name)
		}
	}
	return w
}

// idleRun gives the length of the text and idle tags at the start of b, up to
// the first '<' that may be more.
func idleRun(b []byte) int {
	i := 0
	for {
		if i == len(b) || b[i] != '<' { // often a tag follows at once
			lt := bytes.IndexByte(b[i:], '<')
			if lt < 0 {
				return len(b)
			}
			i += lt
		}
		tag := b[i:]
		n := 0
		switch {
		case len(tag) < 3:
		case isLetter(tag[1]):
			n = idleStart(tag)
		case tag[1] == '/' && isLetter(tag[2]):
			n = idleEnd(tag)
		}
		if n == 0 {
			return i
		}
		i += n
	}
}

// idleEnd gives the length of an end tag that means nothing.
func idleEnd(b []byte) int {
	n := 2 + lengthUntil(b[2:], &endsName)
	if n == len(b) || b[n] != '>' || endTags.has(b[2:n]) {
		return 0
	}
	return n + 1
}

// idleStart gives the length of a start tag that means nothing.
func idleStart(b []byte) int {
	i := 1 + lengthUntil(b[1:], &endsName)
	if startTags.has(b[1:i]) {
		return 0
	}
	for i < len(b) {
		c := b[i]
		if c == '>' {
			return i + 1
		}
		if isSpace(c) || c == '/' {
			i++
			continue
		}
		name := b[i : i+lengthUntil(b[i:], &endsAttrName)]
		i += len(name)
		id := attrNone
		if everyTag.has(name) {
			id = attrOf(name)
		}
		if len(name) == 0 || i+1 >= len(b) || id != attrNone && id != attrStyle {
			return 0
		}
		if b[i] == '=' {
			n := idleValue(b[i+1:], id)
			if n == 0 {
				return 0
			}
			i += 1 + n
		}
	}
	return 0
}

// idleValue gives the length of an attribute's value with its quotes.
func idleValue(b []byte, id attrID) (n int) {
	switch quote := b[0]; {
	case quote == '"' || quote == '\'':
		n = 2 + bytes.IndexByte(b[1:], quote)
		if n < 2 {
			return 0
		}
	case isSpace(quote):
		return 0
	default:
		n = lengthUntil(b, &endsBare)
	}
	if id == attrStyle && (bytes.IndexByte(b[:n], '(') >= 0 || bytes.IndexByte(b[:n], '&') >= 0) {
		return 0
	}
	return n
}
