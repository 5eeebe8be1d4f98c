package catalog

import "bytes"

// path normalises path, query and fragment as they follow an authority. What is
// in its normal form already is returned as it is.
func (p *Parser) path(raw []byte) []byte {
	raw = beforeFragment(raw)
	if normal(raw) {
		return raw[:len(raw):len(raw)]
	}
	if len(raw) > 0 && slash(raw[0]) {
		raw = raw[1:]
	}
	return p.resolve([]byte("/"), raw)
}

// normal reports whether a path surely needs no change. It may be wrong to say
// no.
func normal(raw []byte) bool {
	path := beforeQuery(raw)
	return len(path) > 0 && path[0] == '/' && plainSegments(path)
}

// plainSegments reports whether all of a path's segments stay as they are.
func plainSegments(path []byte) bool {
	return bytes.IndexByte(path, '\\') < 0 && !dotSegment(path) &&
		(bytes.IndexByte(path, '%') < 0 || !bytes.HasPrefix(path, []byte("%2")) && !bytes.Contains(path, []byte("/%2")))
}

// dotSegment reports whether some segment begins with a dot. Dots are rarer than
// slashes.
func dotSegment(path []byte) bool {
	for i := 0; ; i++ {
		dot := bytes.IndexByte(path[i:], '.')
		if dot < 0 {
			return false
		}
		if i += dot; i == 0 || path[i-1] == '/' {
			return true
		}
	}
}

// resolve appends rel, a path with or without a query, to dir, which ends with a
// slash (or is empty, which counts as one).
func (p *Parser) resolve(dir, rel []byte) []byte {
	start := len(p.buf)
	p.buf = append(p.buf, dir...)
	if len(dir) == 0 {
		p.buf = append(p.buf, '/')
	}
	path, query := rel, []byte(nil)
	if q := bytes.IndexByte(rel, '?'); q >= 0 {
		path, query = rel[:q], rel[q:]
	}
	if plainSegments(path) {
		p.buf = append(p.buf, rel...)
		return p.taken(start)
	}
	for len(path) > 0 {
		end := bytes.IndexAny(path, `/\`)
		if end < 0 {
			p.segment(start, path, false)
			break
		}
		p.segment(start, path[:end], true)
		path = path[end+1:]
	}
	p.buf = append(p.buf, query...)
	return p.taken(start)
}

// segment appends one path segment to the path that begins at start in the
// buffer and ends with a slash.
func (p *Parser) segment(start int, s []byte, slash bool) {
	switch dots(s) {
	case 1:
		return
	case 2:
		end := bytes.LastIndexByte(p.buf[start:len(p.buf)-1], '/')
		p.buf = p.buf[:start+max(end, 0)+1]
		return
	}
	p.buf = append(p.buf, s...)
	if slash {
		p.buf = append(p.buf, '/')
	}
}

// dots returns 1 for a single-dot and 2 for a double-dot segment, in any of the
// ways to write them, and 0 for all others.
func dots(s []byte) int {
	n := 0
	for len(s) > 0 {
		switch {
		case s[0] == '.':
			s = s[1:]
		case len(s) >= 3 && s[0] == '%' && s[1] == '2' && lowered(s[2]) == 'e':
			s = s[3:]
		default:
			return 0
		}
		if n++; n > 2 {
			return 0
		}
	}
	return n
}
