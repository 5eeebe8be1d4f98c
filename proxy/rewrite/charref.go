package rewrite

import (
	"bytes"
	"html"
	"unicode/utf8"
)

// appendDecoded appends an attribute's value as a browser sees it: character
// references resolved, line ends normalised, NUL replaced.
// HTML Standard 13.2.5.72 and following.
func appendDecoded(dst, value []byte) []byte {
	for i := 0; i < len(value); {
		c := value[i]
		switch {
		case c == '&':
			var n int
			dst, n = appendReference(dst, value[i:])
			i += n
			continue
		case c == 0:
			dst = append(dst, "\uFFFD"...)
		case c == '\r':
			dst = append(dst, '\n')
			if i+1 < len(value) && value[i+1] == '\n' {
				i++
			}
		default:
			dst = append(dst, c)
		}
		i++
	}
	return dst
}

// plain reports whether a value is already what appendDecoded would give.
func plain(value []byte) bool {
	return bytes.IndexByte(value, '&') < 0 && bytes.IndexByte(value, 0) < 0 && bytes.IndexByte(value, '\r') < 0
}

// appendReference appends what the reference at the start of s stands for and
// gives its length; what is none is appended as it is.
func appendReference(dst, s []byte) ([]byte, int) {
	if len(s) > 1 && s[1] == '#' {
		if r, n := numeric(s); n > 0 {
			return utf8.AppendRune(dst, r), n
		}
		return append(dst, '&'), 1
	}
	if len(s) >= 5 && string(s[:5]) == "&amp;" {
		return append(dst, '&'), 5
	}
	n := 1
	for n < len(s) && n < maxReference && (isLetter(s[n]) || isDigit(s[n])) {
		n++
	}
	if n < len(s) && s[n] == ';' {
		if text, ok := named(string(s[:n+1])); ok {
			return append(dst, text...), n + 1
		}
	}
	// Without its semicolon a reference counts only where neither a letter, a
	// digit nor '=' follows, so nothing shorter than the whole run can match.
	if n == len(s) || s[n] != '=' {
		if text := html.UnescapeString(string(s[:n])); n > 2 && utf8.RuneCountInString(text) == 1 {
			return append(dst, text...), n
		}
	}
	return append(dst, '&'), 1
}

// maxReference is more than the longest name, CounterClockwiseContourIntegral.
const maxReference = 34

// named resolves "&name;" if all of it is one reference.
func named(ref string) (string, bool) {
	text := html.UnescapeString(ref)
	return text, text != ref && (text[len(text)-1] != ';' || ref == "&semi;")
}

// numeric resolves "&#...": n is 0 where no digit follows.
func numeric(s []byte) (r rune, n int) {
	n, base := 2, rune(10)
	if n < len(s) && s[n]|0x20 == 'x' {
		n, base = 3, 16
	}
	start := n
	for ; n < len(s); n++ {
		d := digit(s[n])
		if d < 0 || d >= base {
			break
		}
		if r = r*base + d; r > utf8.MaxRune {
			r = utf8.MaxRune + 1
		}
	}
	if n == start {
		return 0, 0
	}
	if n < len(s) && s[n] == ';' {
		n++
	}
	return scalar(r), n
}

func digit(c byte) rune {
	switch {
	case isDigit(c):
		return rune(c - '0')
	case isLetter(c):
		return rune(c|0x20-'a') + 10
	}
	return -1
}

// scalar maps what no character has the number of to what browsers show.
func scalar(r rune) rune {
	switch {
	case r == 0, r > utf8.MaxRune, 0xD800 <= r && r <= 0xDFFF:
		return utf8.RuneError
	case 0x80 <= r && r <= 0x9F && windows1252[r-0x80] != 0:
		return windows1252[r-0x80]
	}
	return r
}

var windows1252 = [32]rune{
	0x20AC, 0, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017D, 0,
	0, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0, 0x017E, 0x0178,
}

// appendQuoted appends a value between double quotes.
func appendQuoted(dst, value []byte) []byte {
	dst = append(dst, '"')
	for _, c := range value {
		switch c {
		case '&':
			dst = append(dst, "&amp;"...)
		case '"':
			dst = append(dst, "&quot;"...)
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}
