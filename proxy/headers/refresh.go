package headers

import "strings"

const asciiSpace = " \t\n\f\r"

// refreshURL finds the URL in a Refresh header by the shared declarative
// refresh steps of the HTML standard, which also take a URL without "url=".
func refreshURL(line string) (string, bool) {
	s := strings.TrimLeft(line, asciiSpace)
	rest := strings.TrimLeft(s, "0123456789.")
	if rest == s || rest == "" || !strings.ContainsRune(asciiSpace+";,", rune(rest[0])) {
		return "", false
	}
	rest = strings.TrimLeft(rest, asciiSpace)
	if rest != "" && (rest[0] == ';' || rest[0] == ',') {
		rest = strings.TrimLeft(rest[1:], asciiSpace)
	}
	if rest == "" {
		return "", false
	}
	return unquote(afterURL(rest)), true
}

// afterURL skips "url =", where it is there as a whole.
func afterURL(s string) string {
	if len(s) < 3 || !strings.EqualFold(s[:3], "url") {
		return s
	}
	rest, ok := strings.CutPrefix(strings.TrimLeft(s[3:], asciiSpace), "=")
	if !ok {
		return s
	}
	return strings.TrimLeft(rest, asciiSpace)
}

func unquote(s string) string {
	if s == "" || s[0] != '"' && s[0] != '\'' {
		return s
	}
	quoted, _, _ := strings.Cut(s[1:], s[:1])
	return quoted
}
