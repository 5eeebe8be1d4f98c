package encode

import (
	"strconv"
	"strings"
)

// Negotiate chooses among offers, given in the server's order of preference, by
// the Accept-Encoding lines of a request (RFC 9110 section 12.5.3): the highest
// quality value wins, the order of the offers decides between equals, and
// identity is chosen only where nothing offered is better liked.
//
// The answer [Identity] with false means that nothing is acceptable, not even
// identity; it is still the best one can send. Without any line, identity is
// chosen: whoever does not ask may not know how to decode. Members that break the
// grammar are ignored.
func Negotiate(acceptEncoding []string, offers ...string) (coding string, ok bool) {
	w := parseWeights(acceptEncoding)
	best := 0
	for _, offer := range offers {
		if q := w.of(offer); q > best {
			coding, best = offer, q
		}
	}
	identity, named := w.named["identity"]
	switch {
	case named && identity > best:
		return Identity, true
	case best > 0:
		return coding, true
	case named:
		return Identity, identity > 0
	}
	return Identity, w.any != 0
}

// weights are quality values in thousandths.
type weights struct {
	named map[string]int
	any   int // of "*"; -1: not given
}

func (w weights) of(coding string) int {
	if q, ok := w.named[coding]; ok {
		return q
	}
	return w.any
}

func parseWeights(lines []string) weights {
	w := weights{named: make(map[string]int, 4), any: -1}
	for _, line := range lines {
		for member := range strings.SplitSeq(line, ",") {
			name, parameter, weighted := strings.Cut(member, ";")
			q := 1000
			if weighted {
				q = quality(parameter)
			}
			name = canonical(name)
			switch {
			case q < 0 || name == "":
			case name == "*":
				w.any = q
			default:
				w.named[name] = q
			}
		}
	}
	return w
}

// quality reads `q=0.5` as 500 and anything else as -1 (RFC 9110 section
// 12.4.2).
func quality(parameter string) int {
	name, value, ok := strings.Cut(strings.Trim(parameter, " \t"), "=")
	if !ok || !strings.EqualFold(name, "q") || value == "" {
		return -1
	}
	whole, fraction, _ := strings.Cut(value, ".")
	if len(whole) != 1 || len(fraction) > 3 {
		return -1
	}
	q, err := strconv.ParseUint(whole+(fraction + "000")[:3], 10, 16)
	if err != nil || q > 1000 {
		return -1
	}
	return int(q)
}

// canonical gives the name a coding is known by here (RFC 9110 section 8.4.1.3).
func canonical(coding string) string {
	coding = strings.ToLower(strings.Trim(coding, " \t"))
	if coding == "x-gzip" {
		return Gzip
	}
	return coding
}
