package catalog

import (
	"bytes"
	"strings"

	"github.com/numfocus/consentgate/consent"
)

// A pattern is a URL pattern, ready to be matched.
type pattern struct {
	text    string // as written
	service *consent.Service
	host    hostKind
	glob    []string // the host between its stars, for hostGlob
	suffix  string   // the labels at the host's end that have no star; empty: none
	path    []string // the path between its stars; nil: every path
	rank    int      // lower wins
}

// A hostKind says how a pattern's host is compared. Of patterns with equally
// many literal characters, the one with the lower kind wins.
type hostKind uint8

const (
	hostExact hostKind = iota // suffix is the host
	hostUnder                 // suffix is the host or a domain above it
	hostGlob                  // stars somewhere else
	hostAny
)

// newPattern reads a pattern that checkPattern found no fault with.
func newPattern(text string, s *consent.Service) pattern {
	p := pattern{text: text, service: s}
	host, path, found := strings.Cut(text, "/")
	if found && path != "" {
		p.path = strings.Split("/"+path, "*")
	}
	under, isUnder := strings.CutPrefix(host, "*.")
	switch {
	case host == "*":
		p.host = hostAny
	case isUnder && !strings.Contains(under, "*"):
		p.host, p.suffix = hostUnder, under
	case strings.Contains(host, "*"):
		p.host, p.glob = hostGlob, strings.Split(host, "*")
		_, p.suffix, _ = strings.Cut(host[strings.LastIndexByte(host, '*')+1:], ".")
	default:
		p.suffix = host
	}
	return p
}

// checkPattern says what is wrong with a pattern; empty: nothing.
func checkPattern(text string) string {
	host, path, _ := strings.Cut(text, "/")
	switch {
	case strings.Contains(text, "://"):
		return "has a scheme"
	case host == "":
		return "has no host"
	case strings.ContainsAny(text, " \t\r\n#\\"):
		return "has a space, a backslash or a fragment, which no URL has here"
	case host == "*" && strings.Trim(path, "*/") == "":
		return "matches every URL"
	case strings.Trim(host, "*.") == "" && host != "*":
		return "matches every host"
	case !isHost(strings.ReplaceAll(host, "*", "x")):
		return "has a host that is none as browsers write it: lower case, no port, international names in punycode"
	}
	return ""
}

// weight is the number of a pattern's literal characters. The dot of a leading
// "*." is none: it need not be there.
func weight(text string) int {
	return len(text) - strings.Count(text, "*") - strings.Count(text[:min(2, len(text))], "*.")
}

// matches reports whether p, found under its suffix, matches.
func (p *pattern) matches(u *URL) bool {
	switch p.host {
	case hostExact:
		if len(u.Host) != len(p.suffix) {
			return false
		}
	case hostGlob:
		if !matchGlob(p.glob, u.Host) {
			return false
		}
	}
	return p.path == nil || matchPrefix(p.path, u.Path)
}

// matchPrefix reports whether a beginning of s matches the glob with these
// literal pieces between its stars. As what follows the last piece does not
// matter, the leftmost place of each piece is as good as any: no backtracking.
func matchPrefix(pieces []string, s []byte) bool {
	if len(s) < len(pieces[0]) || string(s[:len(pieces[0])]) != pieces[0] {
		return false
	}
	s = s[len(pieces[0]):]
	for _, piece := range pieces[1:] {
		i := indexOf(s, piece)
		if i < 0 {
			return false
		}
		s = s[i+len(piece):]
	}
	return true
}

// matchGlob reports whether all of s matches the glob with these literal pieces
// between its stars.
func matchGlob(pieces []string, s []byte) bool {
	last := pieces[len(pieces)-1]
	if len(pieces) == 1 {
		return string(s) == last
	}
	end := len(s) - len(last)
	return end >= 0 && string(s[end:]) == last && matchPrefix(pieces[:len(pieces)-1], s[:end])
}

// indexOf is bytes.Index with a string to look for.
func indexOf(s []byte, sub string) int {
	if len(sub) == 0 {
		return 0
	}
	for at := 0; ; at++ {
		i := bytes.IndexByte(s[at:], sub[0])
		if i < 0 || len(s)-at-i < len(sub) {
			return -1
		}
		at += i
		if string(s[at:at+len(sub)]) == sub {
			return at
		}
	}
}
