package cookies

import (
	"slices"
	"strings"
)

// FilterRequest joins the Cookie lines of a request into one value (HTTP/2
// clients may send several, RFC 9113 section 8.2.3) without the cookies that
// drop names. A pair without an equals sign has the empty name. Quotes protect
// nothing: a browser cannot store a semicolon.
//
// A line of which nothing is dropped keeps its bytes; of other lines, the pairs
// that stay keep theirs, separated by "; ". value is empty if nothing is left.
// dropped holds the names of what was dropped, each once, in order.
func FilterRequest(lines []string, drop func(name string) bool) (value string, dropped []string) {
	kept := make([]string, 0, 4)
	for _, line := range lines {
		line, gone := filterLine(line, drop)
		if line != "" {
			kept = append(kept, line)
		}
		for _, name := range gone {
			if !slices.Contains(dropped, name) {
				dropped = append(dropped, name)
			}
		}
	}
	return strings.Join(kept, "; "), dropped
}

func filterLine(line string, drop func(name string) bool) (value string, dropped []string) {
	kept := make([]string, 0, 16)
	for rest, more := line, true; more; {
		var pair string
		pair, rest, more = strings.Cut(rest, ";")
		if pair = trim(pair); pair == "" {
			continue
		}
		if name, _ := splitPair(pair); drop(name) {
			dropped = append(dropped, name)
		} else {
			kept = append(kept, pair)
		}
	}
	switch {
	case len(kept) == 0:
		return "", dropped
	case len(dropped) == 0:
		return line, nil
	}
	return strings.Join(kept, "; "), dropped
}
