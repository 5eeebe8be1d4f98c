package cookies

import "strings"

const (
	maxPair      = 4096 // octets of name and value together
	maxAttribute = 1024 // octets of an attribute's value
)

// Parsed is a Set-Cookie line as a browser understands it. Where an attribute
// is repeated, the last one counts.
type Parsed struct {
	Name        string // empty: a nameless cookie
	Value       string // quotes and all
	Domain      string // lower case, without a leading dot; empty: for this very host only
	Path        string // empty: the directory of the request's path
	SameSite    string // lower case; empty: not given, or nothing a browser knows
	Secure      bool
	HTTPOnly    bool
	Partitioned bool
}

// ParseSetCookie reads a Set-Cookie line by RFC 6265bis section 5.6. It reports
// false for a line that a browser ignores whichever site sends it (section
// 5.7): control characters, neither name nor value, too long, SameSite=None or
// Partitioned without Secure, a name prefix whose conditions are not met.
//
// A Secure attribute on a plain connection is left to the browser: some of them
// accept it from loopback.
func ParseSetCookie(line string) (Parsed, bool) {
	if strings.ContainsFunc(line, control) {
		return Parsed{}, false
	}
	pair, attributes, _ := strings.Cut(line, ";")
	var p Parsed
	p.Name, p.Value = splitPair(pair)
	if n := len(p.Name) + len(p.Value); n == 0 || n > maxPair {
		return Parsed{}, false
	}
	for attributes != "" {
		var attribute string
		attribute, attributes, _ = strings.Cut(attributes, ";")
		name, value, _ := strings.Cut(attribute, "=")
		p.set(trim(name), trim(value))
	}
	return p, p.storable()
}

// Seen is the name under which a server finds the cookie when it comes back. A
// nameless cookie comes back as its value alone, so that "=_ga=1" is sent as
// "_ga=1".
func (p Parsed) Seen() string {
	if p.Name != "" {
		return p.Name
	}
	name, _ := splitPair(p.Value)
	return name
}

// splitPair cuts at the first equals sign; without one there is no name.
func splitPair(pair string) (name, value string) {
	name, value, ok := strings.Cut(pair, "=")
	if !ok {
		return "", trim(pair)
	}
	return trim(name), trim(value)
}

func (p *Parsed) set(name, value string) {
	if len(value) > maxAttribute {
		return
	}
	switch strings.ToLower(name) {
	case "domain":
		p.Domain = strings.ToLower(strings.TrimPrefix(value, "."))
	case "path":
		p.Path = ""
		if strings.HasPrefix(value, "/") {
			p.Path = value
		}
	case "samesite":
		p.SameSite = sameSite(value)
	case "secure":
		p.Secure = true
	case "httponly":
		p.HTTPOnly = true
	case "partitioned":
		p.Partitioned = true
	}
}

func sameSite(value string) string {
	switch v := strings.ToLower(value); v {
	case "none", "lax", "strict":
		return v
	}
	return ""
}

// storable judges what does not depend on who sent the line. The prefixes count
// in the value of a nameless cookie too: it would come back looking like a name.
func (p Parsed) storable() bool {
	if (p.SameSite == "none" || p.Partitioned) && !p.Secure {
		return false
	}
	if p.Name == "" {
		return !hasPrefix(p.Value, "__Host-") && !hasPrefix(p.Value, "__Secure-")
	}
	switch {
	case hasPrefix(p.Name, "__Host-"):
		return p.Secure && p.Domain == "" && p.Path == "/"
	case hasPrefix(p.Name, "__Secure-"):
		return p.Secure
	}
	return true
}

func hasPrefix(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// control reports the characters that make a browser ignore a whole line. A tab
// is not among them.
func control(r rune) bool { return r < ' ' && r != '\t' || r == 0x7F }
