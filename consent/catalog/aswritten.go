package catalog

import "encoding/binary"

// Most references of a page are a path on its own host, or on one of the few hosts
// that it names again and again, and have nothing in them that a browser would
// change. To see that takes one look at eight bytes at a time.

// short parses a reference that is as written, and so not short itself, if it is
// one of those.
func (p *Parser) short(base *URL, ref []byte) (URL, bool) {
	if ref[0] == '/' {
		if ref[1] == '/' || base == nil || !special(base.Scheme) {
			return URL{}, false
		}
		return URL{Scheme: base.Scheme, Host: base.Host, Path: ref[:len(ref):len(ref)]}, true
	}
	if o := p.origins.known(ref); o != nil {
		return URL{Scheme: o.scheme, Host: o.host, Path: ref[len(o.text)-1 : len(ref) : len(ref)]}, true
	}
	return URL{}, false
}

// asWritten reports whether a browser would take a reference as it is: nothing is
// to be left out, decoded or turned round, no segment of the path begins with a
// dot and there is no fragment. It may be wrong to say no.
func asWritten(ref []byte) bool {
	if len(ref) < 8 {
		return false
	}
	odd, before := uint64(0), uint64(1)
	for i := 0; i+8 <= len(ref); i += 8 {
		v := binary.LittleEndian.Uint64(ref[i:])
		odd |= oddBytes(v, before)
		before = v>>56 ^ '/'
	}
	return (odd|oddBytes(binary.LittleEndian.Uint64(ref[len(ref)-8:]), 1))&(every<<7) == 0
}

// every times a byte is eight of it.
const every = 0x0101010101010101

// oddBytes has a bit at the top of some byte if any of the eight bytes of v is a
// space, a control or one of ! " # $ %, or a backslash, or a dot behind a slash.
// before is zero if there is a slash in front of them.
func oddBytes(v, before uint64) uint64 {
	segmentDot := v ^ every*'.' | (v^every*'/')<<8 | before
	return (v-every*'&')&^v | zeroByte(v^every*'\\') | zeroByte(segmentDot)
}

// zeroByte has the top bit of some byte set if one is zero. What other bits it has
// means nothing.
func zeroByte(v uint64) uint64 { return (v - every) &^ v }

// marks has the top bit of each of the eight bytes of v set that is c. It may have
// it for others too that come after one.
func marks(v uint64, c byte) uint64 { return zeroByte(v^every*uint64(c)) & (every << 7) }
