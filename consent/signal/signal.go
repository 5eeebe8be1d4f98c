// Package signal reads what a browser says by itself: Do Not Track (W3C
// Tracking Preference Expression) and Global Privacy Control.
package signal

import (
	"strings"

	"github.com/numfocus/consentgate/consent"
)

// Read takes the signals from request headers; an http.Header can be passed as
// it is.
//
// DNT counts by its first character, whatever extension follows (TPE section
// 5.2); several lines are no valid request, and one that asks for privacy wins.
// Sec-GPC counts only where some line is exactly "1" (GPC section 3.2): it has
// no extension syntax.
func Read(header map[string][]string) consent.Signals {
	var s consent.Signals
	for _, line := range header["Dnt"] {
		s.DNT = stricter(s.DNT, first(line))
	}
	for _, line := range header["Sec-Gpc"] {
		s.GPC = s.GPC || trim(line) == "1"
	}
	return s
}

func first(line string) consent.DNT {
	line = trim(line)
	if line == "" {
		return consent.DNTUnset
	}
	switch d := consent.DNT(line[0]); d {
	case consent.DNTOn, consent.DNTOff:
		return d
	}
	return consent.DNTUnset
}

// stricter prefers "1" to "0" and "0" to nothing.
func stricter(a, b consent.DNT) consent.DNT { return max(a, b) }

// trim removes the optional whitespace of RFC 9110 section 5.6.3, and no other.
func trim(s string) string { return strings.Trim(s, " \t") }
