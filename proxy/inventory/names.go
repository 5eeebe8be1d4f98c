package inventory

import "strings"

// clean gives a name the form in which it is kept.
func (k key) clean() key {
	if k.kind == Cookie && k.service == "" {
		k.name = general(k.name)
	}
	k.name = cut(k.name, maxName)
	return k
}

// general replaces what differs from visitor to visitor in a cookie's name:
// runs of four digits or more, and of eight hexadecimal digits or more with a
// digit among them.
func general(name string) string {
	var out strings.Builder
	for i := 0; i < len(name); {
		n, digits := hexRun(name[i:])
		switch {
		case n >= 8 && digits > 0, n >= 4 && digits == n:
			out.WriteByte('*')
			i += n
		default:
			out.WriteString(name[i : i+max(n, 1)])
			i += max(n, 1)
		}
	}
	return out.String()
}

// hexRun measures the hexadecimal digits that s begins with, and how many of
// them are decimal.
func hexRun(s string) (n, digits int) {
	for n < len(s) {
		switch c := s[n]; {
		case '0' <= c && c <= '9':
			digits++
		case 'a' <= c && c <= 'f', 'A' <= c && c <= 'F':
		default:
			return n, digits
		}
		n++
	}
	return n, digits
}

// pagePath is the path under which a page is kept as an example: without query
// and fragment, and with an asterisk in place of what looks like an address or
// a secret.
func pagePath(path string) string {
	if i := strings.IndexAny(path, "?#"); i >= 0 {
		path = path[:i]
	}
	parts := strings.Split(cut(path, maxPath), "/")
	for i, part := range parts {
		if private(part) {
			parts[i] = "*"
		}
	}
	return strings.Join(parts, "/")
}

// private takes a segment for an address or a secret: it has an at sign, or it
// is long, has no word breaks, and mixes letters and digits.
func private(segment string) bool {
	if strings.Contains(segment, "@") || strings.Contains(strings.ToLower(segment), "%40") {
		return true
	}
	if len(segment) < 16 || strings.ContainsAny(segment, "-. ") {
		return isUUID(segment)
	}
	return strings.ContainsAny(segment, "0123456789") && strings.Trim(segment, "0123456789") != ""
}

func isUUID(s string) bool {
	return len(s) == 36 && strings.Count(s, "-") == 4 && strings.Trim(s, "0123456789abcdefABCDEF-") == ""
}

// cut shortens s to n bytes, at the start of a character.
func cut(s string, n int) string {
	if len(s) <= n {
		return strings.Clone(s)
	}
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return strings.Clone(s[:n])
}
