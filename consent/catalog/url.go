package catalog

import (
	"bytes"
	"slices"
)

// A URL is what a browser makes of a reference (WHATWG URL Standard), as far as
// deciding whose it is needs it.
type URL struct {
	// Scheme is in lower case, without the colon.
	Scheme []byte

	// Host is lower-case ASCII: a domain in its punycode form without a
	// trailing dot, an IPv4 address in dotted decimal or an IPv6 address in
	// brackets. It carries neither port nor credentials. It is empty for schemes
	// that name no host in a way the standard calls special (data, blob, about,
	// javascript, mailto), and may be for file.
	Host []byte

	// Path is path and query without the fragment. It begins with a slash where
	// there is a host. Dot segments are resolved and, before the query,
	// backslashes are slashes; all else is as it was written, without what the
	// standard percent-encodes. For a scheme without a host it is everything
	// after the colon.
	Path []byte
}

// Clone returns a copy that outlives the next call of the parser that made u.
func (u URL) Clone() URL {
	return URL{Scheme: slices.Clone(u.Scheme), Host: slices.Clone(u.Host), Path: slices.Clone(u.Path)}
}

// A Parser parses URLs as browsers do: https:\\EXAMPLE.com\x, //example.com,
// "ht\ntps://user@%65xample.com.:443/a/../b" and http://0x7f.1 all lead
// somewhere, and it knows where. The zero Parser is ready for use. It keeps
// scratch space, so that a call allocates nothing unless the host is not plain
// ASCII, and is not safe for concurrent use.
type Parser struct {
	ref []byte // the reference without tabs and newlines, if it had some
	buf []byte // parts of the result that are not as written

	origins origins
}

// Parse resolves ref against base, which may be nil for none. It reports false
// where a browser would find no URL, or none whose host can exist. The result shares memory with ref, base and
// the parser: it holds until the next call. base must not share the parser's, so
// [URL.Clone] what came from it.
//
// Where a browser's verdict on an internationalised host depends on its version
// of Unicode, Parse finds a URL: its host is then one that nobody knows.
func (p *Parser) Parse(base *URL, ref []byte) (URL, bool) {
	p.buf = p.buf[:0]
	if asWritten(ref) {
		if u, ok := p.short(base, ref); ok {
			return u, true
		}
	} else {
		ref = p.strip(ref)
	}
	if o := p.origins.known(ref); o != nil {
		return URL{Scheme: o.scheme, Host: o.host, Path: p.path(ref[len(o.text)-1:])}, true
	}
	u, ok := p.resolved(base, ref)
	if ok && len(u.Host) > 0 {
		p.origins.learn(ref, &u)
	}
	return u, ok
}

func (p *Parser) resolved(base *URL, ref []byte) (URL, bool) {
	scheme, rest, ok := p.scheme(ref)
	switch {
	case !ok && base == nil:
		return URL{}, false
	case !ok:
		return p.relative(base, ref)
	case !special(scheme):
		return opaque(scheme, rest), true
	case base != nil && bytes.Equal(base.Scheme, scheme):
		return p.relative(base, rest)
	case isFile(scheme):
		return p.file(scheme, rest)
	}
	return p.authority(scheme, skipSlashes(rest))
}

// strip removes what a browser ignores: C0 controls and spaces around the
// reference, tabs and newlines anywhere.
func (p *Parser) strip(ref []byte) []byte {
	for len(ref) > 0 && ref[0] <= ' ' {
		ref = ref[1:]
	}
	for len(ref) > 0 && ref[len(ref)-1] <= ' ' {
		ref = ref[:len(ref)-1]
	}
	if bytes.IndexByte(ref, '\n') < 0 && bytes.IndexByte(ref, '\t') < 0 && bytes.IndexByte(ref, '\r') < 0 {
		return ref
	}
	p.ref = p.ref[:0]
	for _, c := range ref {
		if c != '\n' && c != '\t' && c != '\r' {
			p.ref = append(p.ref, c)
		}
	}
	return p.ref
}

// scheme splits off a leading scheme and its colon.
func (p *Parser) scheme(ref []byte) (scheme, rest []byte, ok bool) {
	upper := false
	for i, c := range ref {
		switch {
		case 'a' <= c && c <= 'z':
		case 'A' <= c && c <= 'Z':
			upper = true
		case i > 0 && ('0' <= c && c <= '9' || c == '+' || c == '-' || c == '.'):
		case i > 0 && c == ':':
			scheme = ref[:i]
			if upper {
				scheme = p.lower(scheme)
			}
			return scheme, ref[i+1:], true
		default:
			return nil, nil, false
		}
	}
	return nil, nil, false
}

// opaque makes a URL of a scheme that names no host. A script runs with its
// fragment; for every other scheme the fragment is not part of what is loaded.
func opaque(scheme, rest []byte) URL {
	if string(scheme) != "javascript" {
		rest, _, _ = bytes.Cut(rest, []byte("#"))
	}
	return URL{Scheme: scheme, Path: rest}
}

func (p *Parser) relative(base *URL, ref []byte) (URL, bool) {
	u := *base
	if !special(base.Scheme) {
		// Nothing but a fragment can be relative to a page like about:blank.
		return u, len(ref) > 0 && ref[0] == '#'
	}
	if len(ref) > 1 && slash(ref[0]) && slash(ref[1]) {
		if isFile(base.Scheme) {
			return p.file(base.Scheme, ref)
		}
		return p.authority(base.Scheme, skipSlashes(ref))
	}
	switch {
	case len(ref) == 0 || ref[0] == '#':
	case slash(ref[0]):
		u.Path = p.path(ref)
	case ref[0] == '?':
		u.Path = p.concat(beforeQuery(base.Path), beforeFragment(ref))
	default:
		path := beforeQuery(base.Path)
		u.Path = p.resolve(path[:bytes.LastIndexByte(path, '/')+1], beforeFragment(ref))
	}
	return u, true
}

// authority parses what follows "https://".
func (p *Parser) authority(scheme, rest []byte) (URL, bool) {
	host, path := cutAuthority(rest)
	host = host[bytes.LastIndexByte(host, '@')+1:]
	host, ok := cutPort(host)
	if !ok {
		return URL{}, false
	}
	host, ok = p.host(host)
	if !ok {
		return URL{}, false
	}
	return URL{Scheme: scheme, Host: host, Path: p.path(path)}, true
}

// file parses what follows "file:". Windows drive letters, which no page on the
// web can reach, get no special treatment.
func (p *Parser) file(scheme, rest []byte) (URL, bool) {
	if len(rest) < 2 || !slash(rest[0]) || !slash(rest[1]) {
		return URL{Scheme: scheme, Path: p.path(rest)}, true
	}
	host, path := cutAuthority(rest[2:])
	if len(host) == 0 {
		return URL{Scheme: scheme, Path: p.path(path)}, true
	}
	host, ok := p.host(host)
	return URL{Scheme: scheme, Host: host, Path: p.path(path)}, ok
}

// cutAuthority splits at the first character that ends an authority.
func cutAuthority(rest []byte) (authority, path []byte) {
	for i, c := range rest {
		if c == '/' || c == '\\' || c == '?' || c == '#' {
			return rest[:i], rest[i:]
		}
	}
	return rest, nil
}

// cutPort removes a port. It reports false for one that is no port.
func cutPort(host []byte) ([]byte, bool) {
	colon := bytes.IndexByte(host, ':')
	if colon >= 0 && bytes.IndexByte(host[:colon], '[') >= 0 {
		end := bytes.IndexByte(host, ']')
		if end < 0 {
			return nil, false
		}
		colon = bytes.IndexByte(host[end:], ':')
		if colon >= 0 {
			colon += end
		}
	}
	if colon < 0 {
		return host, true
	}
	port := 0
	for _, c := range host[colon+1:] {
		if c < '0' || c > '9' || port > 65535 {
			return nil, false
		}
		port = port*10 + int(c-'0')
	}
	return host[:colon], port <= 65535
}

// concat returns a followed by b.
func (p *Parser) concat(a, b []byte) []byte {
	start := len(p.buf)
	p.buf = append(append(p.buf, a...), b...)
	return p.taken(start)
}

func (p *Parser) lower(s []byte) []byte {
	start := len(p.buf)
	for _, c := range s {
		p.buf = append(p.buf, lowered(c))
	}
	return p.taken(start)
}

// taken returns what has been put into the buffer since it was start bytes long.
func (p *Parser) taken(start int) []byte { return p.buf[start:len(p.buf):len(p.buf)] }

func skipSlashes(b []byte) []byte {
	for len(b) > 0 && slash(b[0]) {
		b = b[1:]
	}
	return b
}

func beforeFragment(b []byte) []byte {
	if i := bytes.IndexByte(b, '#'); i >= 0 {
		return b[:i]
	}
	return b
}

func beforeQuery(b []byte) []byte {
	if i := bytes.IndexByte(b, '?'); i >= 0 {
		return b[:i]
	}
	return b
}

func slash(c byte) bool { return c == '/' || c == '\\' }

func lowered(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// special reports whether the URL Standard calls a scheme special.
func special(scheme []byte) bool {
	switch string(scheme) {
	case "https", "http", "ws", "wss", "ftp", "file":
		return true
	}
	return false
}

func isFile(scheme []byte) bool { return string(scheme) == "file" }
