package catalog

import "bytes"

// A urlSearch finds the URLs that are written in a script: after two slashes,
// which may be escaped, or as the rest of one that is put together from pieces:
//
//	"https://example.com/a.js"   "https:\/\/example.com\/a.js"
//	"//example.com"              (s ? "https://ssl" : "http://www") + ".example.com/a.js"
type urlSearch struct {
	text []byte
	next int

	// What was found last.
	at     int    // where the host is, in the text
	end    int    // where the host ends
	host   []byte // in lower case
	quoted bool   // it begins a string, an attribute or an argument, as nothing in a comment does
}

// maxHost is the greatest length of a domain in the DNS.
const maxHost = 253

// find moves on to the next URL. It reports false at the end.
func (s *urlSearch) find() bool {
	for {
		i := bytes.IndexByte(s.text[s.next:], '/')
		if i < 0 {
			return false
		}
		i += s.next
		s.next = i + 1
		if start := afterSlashes(s.text, i); start > 0 {
			s.next = start
			if s.absolute(i, start) {
				return true
			}
		} else if s.rest(i) {
			return true
		}
	}
}

// afterSlashes returns where two slashes that begin at i end, zero if there are
// no two.
func afterSlashes(text []byte, i int) int {
	rest := text[i+1:]
	switch {
	case len(rest) > 0 && rest[0] == '/':
		return i + 2
	case len(rest) > 1 && rest[0] == '\\' && rest[1] == '/':
		return i + 3
	}
	return 0
}

// absolute reads a URL whose slashes are at slashes and whose host is at start.
func (s *urlSearch) absolute(slashes, start int) bool {
	end := start
	for end < len(s.text) && hostByte(s.text[end]) {
		end++
	}
	if !s.setHost("", start, end) {
		return false
	}
	s.quoted = opens(s.text, beforeScheme(s.text, slashes))
	return true
}

// rest reads the end of a host, before a slash at slash, that begins a string.
func (s *urlSearch) rest(slash int) bool {
	end := slash
	if end > 0 && s.text[end-1] == '\\' {
		end--
	}
	start := end
	for start > 0 && hostByte(s.text[start-1]) {
		start--
	}
	if start == end || start == 0 || !opensString(s.text[start-1]) {
		return false
	}
	prefix := ""
	if s.text[start] == '.' {
		prefix = "www" // stands for what is put in front
	}
	if !s.setHost(prefix, start, end) {
		return false
	}
	s.quoted = true
	return true
}

// setHost takes text[start:end] as the host, if it can be one. It is copied only
// if it has to be changed.
func (s *urlSearch) setHost(prefix string, start, end int) bool {
	if start == end || end-start > maxHost {
		return false
	}
	s.at, s.end, s.host = start, end, s.text[start:end]
	if prefix != "" || classOf(s.host)&hostUpper != 0 {
		s.host = append([]byte(prefix), lowerASCII(string(s.host))...)
	}
	return isDomain(s.host)
}

// path appends to buf, up to its capacity, the path and query that follow the
// host. Slashes are not escaped.
func (s *urlSearch) path(buf []byte) []byte {
	text := s.text[s.end:]
	if len(text) > 0 && text[0] == ':' {
		text = text[1:]
		for len(text) > 0 && '0' <= text[0] && text[0] <= '9' {
			text = text[1:]
		}
	}
	if len(text) == 0 || text[0] != '/' && text[0] != '\\' {
		buf = append(buf, '/')
	}
	for i, c := range text {
		if c == '\\' && i+1 < len(text) && text[i+1] == '/' {
			continue
		}
		if pathEnd(c) || len(buf) == cap(buf) {
			break
		}
		buf = append(buf, c)
	}
	return buf
}

// isDomain reports whether host is a domain of at least two labels whose last
// one is letters, as that of every name on the web is (or xn--).
func isDomain(host []byte) bool {
	dot := bytes.LastIndexByte(host, '.')
	if dot <= 0 || len(host)-dot < 3 || host[0] == '.' || host[0] == '-' || bytes.Contains(host, []byte("..")) {
		return false
	}
	tld := host[dot+1:]
	if bytes.HasPrefix(tld, []byte("xn--")) {
		return true
	}
	for _, c := range tld {
		if c < 'a' || c > 'z' {
			return false
		}
	}
	return true
}

// beforeScheme returns where "https:" or "http:" before slashes begins, or where
// the slashes do.
func beforeScheme(text []byte, slashes int) int {
	at := slashes
	if at > 0 && text[at-1] == '\\' {
		at--
	}
	if at == 0 || text[at-1] != ':' {
		return at
	}
	at--
	for at > 0 && 'a' <= lowered(text[at-1]) && lowered(text[at-1]) <= 'z' {
		at--
	}
	return at
}

// opens reports whether what is before at is something that a URL in use
// follows: a quote, perhaps an escaped one, or the "=" or "(" of an unquoted
// attribute or of CSS.
func opens(text []byte, at int) bool {
	return at > 0 && (opensString(text[at-1]) || text[at-1] == '=' || text[at-1] == '(')
}

func opensString(c byte) bool { return c == '"' || c == '\'' || c == '`' || c == '}' }

func hostByte(c byte) bool {
	return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '.' || c == '-' || 'A' <= c && c <= 'Z' || c == '_'
}

func pathEnd(c byte) bool {
	return c <= ' ' || c == '"' || c == '\'' || c == '`' || c == '<' || c == '>' || c == '\\' || c == '#'
}
