package headers

import (
	"net/http"
	"strings"
)

// filterLinks removes the members of Link (RFC 8288) that would have a browser
// load something it may not, or that cannot be read with certainty. A line of
// which nothing is removed keeps its bytes.
func filterLinks(h http.Header, allowed Judge) (withheld int) {
	lines := h["Link"]
	if len(lines) == 0 {
		return 0
	}
	kept := make([]string, 0, len(lines))
	for _, line := range lines {
		members := splitMembers(line)
		stay := make([]string, 0, len(members))
		for _, member := range members {
			if linkAllowed(member, allowed) {
				stay = append(stay, member)
			}
		}
		switch {
		case len(stay) == len(members):
			kept = append(kept, line)
		case len(stay) > 0:
			kept = append(kept, strings.Join(stay, ", "))
		}
		withheld += len(members) - len(stay)
	}
	keepLines(h, "Link", kept)
	return withheld
}

// splitMembers splits at commas that are neither between angle brackets nor
// between quotes.
func splitMembers(line string) []string {
	var members []string
	for line != "" {
		end := memberEnd(line)
		if member := trim(line[:end]); member != "" {
			members = append(members, member)
		}
		line = line[min(end+1, len(line)):]
	}
	return members
}

func memberEnd(s string) int {
	until := byte(0) // what ends the part that protects commas; 0: none does
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case until == '"' && c == '\\':
			i++
		case until != 0:
			if c == until {
				until = 0
			}
		case c == '<':
			until = '>'
		case c == '"':
			until = '"'
		case c == ',':
			return i
		}
	}
	return len(s)
}

// A link is one member of Link.
type link struct {
	target string
	rels   []string // lower case
	as     string   // lower case
	srcset string
}

func linkAllowed(member string, allowed Judge) bool {
	l, ok := parseLink(member)
	if !ok {
		return false
	}
	for _, rel := range l.rels {
		kind, loads := l.kind(rel)
		if !loads {
			continue
		}
		if !allowed(kind, l.target) {
			return false
		}
		for candidate := range strings.SplitSeq(l.srcset, ",") {
			if url := strings.Fields(candidate); len(url) > 0 && !allowed(kind, url[0]) {
				return false
			}
		}
	}
	return true
}

// parseLink refuses what parsers disagree on: a second target, or a quote
// within the first.
func parseLink(member string) (link, bool) {
	target, parameters, ok := strings.Cut(strings.TrimPrefix(member, "<"), ">")
	if !ok || member[0] != '<' || strings.ContainsAny(target, `<"`) || strings.Contains(parameters, "<") {
		return link{}, false
	}
	l := link{target: target}
	for parameters = trim(parameters); parameters != ""; {
		if parameters[0] != ';' {
			return link{}, false
		}
		var name, value string
		if name, value, parameters, ok = cutParameter(parameters[1:]); !ok {
			return link{}, false
		}
		l.set(name, value)
	}
	return l, true
}

func (l *link) set(name, value string) {
	switch strings.ToLower(name) {
	case "rel": // a second one does not count, but who knows for whom
		l.rels = append(l.rels, strings.Fields(strings.ToLower(strings.Trim(value, "'")))...)
	case "as":
		l.as = strings.ToLower(trim(value))
	case "imagesrcset":
		l.srcset += "," + value
	}
}

// cutParameter cuts `name=value` or `name="value"` off s.
func cutParameter(s string) (name, value, rest string, ok bool) {
	end := strings.IndexAny(s, `;="`)
	switch {
	case end < 0 || s[end] == ';':
		name, rest = cutAt(s, end)
		return trim(name), "", rest, true
	case s[end] == '"':
		return "", "", "", false
	}
	name, s = trim(s[:end]), trim(s[end+1:])
	if !strings.HasPrefix(s, `"`) {
		value, rest = cutAt(s, strings.IndexByte(s, ';'))
		return name, trim(value), rest, !strings.Contains(value, `"`)
	}
	value, rest, ok = cutQuoted(s[1:])
	return name, value, trim(rest), ok
}

func cutAt(s string, at int) (before, after string) {
	if at < 0 {
		return s, ""
	}
	return s[:at], s[at:]
}

// cutQuoted reads a quoted string whose opening quote is already read.
func cutQuoted(s string) (value, rest string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			return b.String(), s[i+1:], true
		case '\\':
			if i++; i == len(s) {
				return "", "", false
			}
		}
		b.WriteByte(s[i])
	}
	return "", "", false
}

// kind says what a browser does for a relation, and false where it loads
// nothing.
func (l link) kind(rel string) (Kind, bool) {
	switch rel {
	case "preconnect", "dns-prefetch":
		return Hint, true
	case "prefetch", "prerender", "next", "compression-dictionary":
		return Prefetch, true
	case "modulepreload":
		return Script, true
	case "stylesheet":
		return Style, true
	case "icon":
		return Image, true
	case "manifest":
		return Fetch, true
	case "preload":
		return preloadKind(l.as), true
	}
	return "", false
}

func preloadKind(as string) Kind {
	switch as {
	case "script", "worker", "sharedworker", "serviceworker", "audioworklet", "paintworklet":
		return Script
	case "style", "xslt":
		return Style
	case "image":
		return Image
	case "font":
		return Font
	case "audio", "video", "track":
		return Media
	case "document", "frame", "iframe", "embed", "object":
		return Frame
	}
	return Fetch
}
