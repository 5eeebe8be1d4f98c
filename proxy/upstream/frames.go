package upstream

import "encoding/binary"

// frames follows the frames of one direction of a WebSocket (RFC 6455 section
// 5.2), to know where another frame can be put in between.
type frames struct {
	header  [14]byte
	have    int    // bytes of header
	payload uint64 // bytes left of the frame's payload
}

// between reports whether the last byte seen was the last of a frame.
func (f *frames) between() bool { return f.have == 0 && f.payload == 0 }

// advance takes the next bytes and returns the index after the last frame that
// ends in them, or -1 if none does.
func (f *frames) advance(p []byte) (boundary int) {
	boundary = -1
	for i := 0; i < len(p); {
		if f.payload > 0 {
			n := min(f.payload, uint64(len(p)-i))
			f.payload -= n
			i += int(n)
		} else {
			f.header[f.have] = p[i]
			f.have++
			i++
			f.endHeader()
		}
		if f.between() {
			boundary = i
		}
	}
	return boundary
}

// endHeader notes the length of the payload once the header is whole.
func (f *frames) endHeader() {
	if f.have < 2 {
		return
	}
	length, extended := uint64(f.header[1]&0x7f), 0
	switch length {
	case 126:
		extended = 2
	case 127:
		extended = 8
	}
	masked := int(f.header[1]>>7) * 4
	if f.have < 2+extended+masked {
		return
	}
	switch extended {
	case 2:
		length = uint64(binary.BigEndian.Uint16(f.header[2:]))
	case 8:
		length = binary.BigEndian.Uint64(f.header[2:])
	}
	f.have, f.payload = 0, length
}
