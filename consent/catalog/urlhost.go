package catalog

import (
	"bytes"
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/net/idna"
)

// What a byte in a host calls for.
const (
	hostUpper     = 1 << iota // lower case
	hostPercent               // percent-decoding
	hostForeign               // IDNA
	hostForbidden             // failure
)

// hostClass is the class of each byte; zero is a plain one.
// URL Standard, "forbidden domain code point".
var hostClass = func() (class [256]byte) {
	for c := range 256 {
		switch {
		case 'A' <= c && c <= 'Z':
			class[c] = hostUpper
		case c >= 0x80:
			class[c] = hostForeign
		case c <= ' ' || c == 0x7f || bytes.IndexByte([]byte(`#/:<>?@[\]^|`), byte(c)) >= 0:
			class[c] = hostForbidden
		case c == '%':
			class[c] = hostPercent
		}
	}
	return class
}()

// toASCII is the URL Standard's "domain to ASCII" with beStrict false.
var toASCII = idna.New(
	idna.MapForLookup(),
	idna.Transitional(false),
	idna.StrictDomainName(false),
	idna.CheckHyphens(false),
	idna.CheckJoiners(true),
	idna.BidiRule(),
	idna.VerifyDNSLength(false),
)

// host parses a host (URL Standard, "host parser" with isOpaque false).
func (p *Parser) host(raw []byte) ([]byte, bool) {
	if len(raw) > 0 && raw[0] == '[' {
		return p.ipv6(raw)
	}
	class := classOf(raw)
	if class&hostPercent != 0 {
		raw = p.decode(raw)
		class = classOf(raw)
	}
	if class&hostForeign != 0 {
		var ok bool
		if raw, ok = p.ascii(raw); !ok {
			return nil, false
		}
		class = classOf(raw)
	}
	if class&hostUpper != 0 {
		raw = p.lower(raw)
	}
	if class&^hostUpper != 0 || len(raw) == 0 {
		return nil, false
	}
	if endsInNumber(raw) {
		return p.ipv4(raw)
	}
	raw = bytes.TrimSuffix(raw, []byte("."))
	n := len(raw)
	return raw[:n:n], n > 0 && raw[n-1] != '.' // no name ends in an empty label
}

func classOf(host []byte) (class byte) {
	for _, c := range host {
		class |= hostClass[c]
	}
	return class
}

// decode undoes percent-encoding.
func (p *Parser) decode(s []byte) []byte {
	start := len(p.buf)
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) && hexDigit(s[i+1]) >= 0 && hexDigit(s[i+2]) >= 0 {
			p.buf = append(p.buf, byte(hexDigit(s[i+1])<<4|hexDigit(s[i+2])))
			i += 2
			continue
		}
		p.buf = append(p.buf, s[i])
	}
	return p.taken(start)
}

func hexDigit(c byte) int {
	switch c = lowered(c); {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	}
	return -1
}

// ascii turns an international domain into its ASCII form. A host in ASCII needs
// no such thing: a label that is in punycode already stays as it is or makes the
// URL none, which does no harm here.
//
// What is an error to this version of Unicode need not be one to a newer
// browser. It is tolerated while the result is a name of its own, in punycode,
// that cannot be mistaken for a plain one.
func (p *Parser) ascii(host []byte) ([]byte, bool) {
	name, err := toASCII.ToASCII(string(host))
	if err != nil && !strings.Contains(name, "xn--") {
		return nil, false
	}
	start := len(p.buf)
	p.buf = append(p.buf, name...)
	return p.taken(start), true
}

// endsInNumber reports whether the last label is a number, so that the host is
// an IPv4 address or nothing (URL Standard, "ends in a number checker").
func endsInNumber(host []byte) bool {
	host = bytes.TrimSuffix(host, []byte("."))
	last := host[bytes.LastIndexByte(host, '.')+1:]
	if len(last) == 0 || last[0] < '0' || last[0] > '9' {
		return false
	}
	if _, ok := number(last); ok {
		return true
	}
	for _, c := range last {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// ipv4 parses one to four numbers in any base (URL Standard, "IPv4 parser").
func (p *Parser) ipv4(host []byte) ([]byte, bool) {
	host = bytes.TrimSuffix(host, []byte("."))
	var addr uint64
	for parts := 4; ; {
		label, rest, more := bytes.Cut(host, []byte("."))
		n, ok := number(label)
		if !ok || parts == 0 {
			return nil, false
		}
		if !more {
			room := uint64(1) << (8 * parts)
			return p.dotted(addr*room + n), n < room
		}
		if n > 255 {
			return nil, false
		}
		addr, host, parts = addr<<8|n, rest, parts-1
	}
}

func (p *Parser) dotted(addr uint64) []byte {
	start := len(p.buf)
	for shift := 24; shift >= 0; shift -= 8 {
		p.buf = strconv.AppendUint(p.buf, addr>>shift&0xff, 10)
		if shift > 0 {
			p.buf = append(p.buf, '.')
		}
	}
	return p.taken(start)
}

// number reads a decimal, octal (0...) or hexadecimal (0x...) number. One that
// is too large for an address is returned as just that.
func number(s []byte) (n uint64, ok bool) {
	if len(s) == 0 {
		return 0, false
	}
	base := 10
	switch {
	case len(s) >= 2 && s[0] == '0' && lowered(s[1]) == 'x':
		base, s = 16, s[2:]
	case len(s) >= 2 && s[0] == '0':
		base, s = 8, s[1:]
	}
	for _, c := range s {
		d := hexDigit(c)
		if d < 0 || d >= base {
			return 0, false
		}
		n = min(n*uint64(base)+uint64(d), 1<<33)
	}
	return n, true
}

// ipv6 parses an address in brackets and writes it as the standard does: the
// first longest run of zeros cut, no dotted decimal.
func (p *Parser) ipv6(host []byte) ([]byte, bool) {
	if len(host) < 2 || host[len(host)-1] != ']' || bytes.IndexByte(host, '%') >= 0 {
		return nil, false
	}
	addr, err := netip.ParseAddr(string(host[1 : len(host)-1]))
	if err != nil || !addr.Is6() {
		return nil, false
	}
	bits := addr.As16()
	zeros, length := longestZeros(bits)
	start := len(p.buf)
	p.buf = append(p.buf, '[')
	for i := 0; i < 8; i++ {
		if i == zeros {
			p.buf = append(p.buf, ':', ':')
			i += length - 1
			continue
		}
		if i > 0 && i != zeros+length {
			p.buf = append(p.buf, ':')
		}
		p.buf = strconv.AppendUint(p.buf, uint64(bits[2*i])<<8|uint64(bits[2*i+1]), 16)
	}
	p.buf = append(p.buf, ']')
	return p.taken(start), true
}

// longestZeros finds the first longest run of two or more zero pieces. The
// start is -16 where there is none.
func longestZeros(bits [16]byte) (start, length int) {
	start, length = -16, 1
	for i := 0; i < 8; i++ {
		n := 0
		for i+n < 8 && bits[2*(i+n)] == 0 && bits[2*(i+n)+1] == 0 {
			n++
		}
		if n > length {
			start, length = i, n
		}
		i += n
	}
	return start, length
}
