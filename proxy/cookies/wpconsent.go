package cookies

import (
	"slices"
	"strconv"
	"strings"
)

// A WPConsent is what a visitor allows, in the words of the WP Consent API, a
// plugin that other plugins of WordPress ask. It keeps each answer in a cookie that
// its JavaScript reads as well.
type WPConsent struct {
	Preferences, Statistics, Marketing bool
	Services                           []string // allowed one by one: letters, digits and hyphens
}

const wpPrefix = "wp_consent_"

// IsWPConsent reports whether a cookie belongs to the WP Consent API. What a
// browser sends under such a name is no answer to anything we asked.
func IsWPConsent(name string) bool { return strings.HasPrefix(name, wpPrefix) }

// Pairs gives the cookies as a Cookie header has them ("name=value"). Whoever
// allows nothing gets none: where consent has to be given, what is missing is
// denied.
func (c WPConsent) Pairs() []string {
	if !c.Preferences && !c.Statistics && !c.Marketing && len(c.Services) == 0 {
		return nil
	}
	pairs := []string{
		wpPrefix + "functional=allow",
		wpPrefix + "preferences=" + wpWord(c.Preferences),
		wpPrefix + "statistics-anonymous=" + wpWord(c.Statistics),
		wpPrefix + "statistics=" + wpWord(c.Statistics),
		wpPrefix + "marketing=" + wpWord(c.Marketing),
	}
	if len(c.Services) > 0 {
		services := slices.Sorted(slices.Values(c.Services))
		pairs = append(pairs, wpPrefix+`consented_services={"`+strings.Join(services, `":true,"`)+`":true}`)
	}
	return pairs
}

func wpWord(allowed bool) string {
	if allowed {
		return "allow"
	}
	return "deny"
}

// Renew gives the Set-Cookie lines after which a browser that sent these Cookie
// lines says what c says and nothing else, for maxAge seconds: none where it does
// already. Without set, what is wrong is taken away and nothing is added.
func (c WPConsent) Renew(lines []string, set bool, maxAge int, site Site) []string {
	want, sent := c.Pairs(), wpPairs(lines)
	var renewed []string
	for _, pair := range sent {
		if !slices.Contains(want, pair) {
			name, _ := splitPair(pair)
			renewed = append(renewed, Expire(name, site)...)
		}
	}
	missing := func(pair string) bool { return !slices.Contains(sent, pair) }
	if set && (len(renewed) > 0 || slices.ContainsFunc(want, missing)) {
		renewed = append(renewed, c.Lines(maxAge, site.Secure)...)
	}
	return renewed
}

// wpPairs lists what a browser sends under the names of the API.
func wpPairs(lines []string) []string {
	var pairs []string
	for _, line := range lines {
		for pair := range strings.SplitSeq(line, ";") {
			pair = trim(pair)
			if name, _ := splitPair(pair); IsWPConsent(name) && !slices.Contains(pairs, pair) {
				pairs = append(pairs, pair)
			}
		}
	}
	return pairs
}

// Lines gives the same cookies as Set-Cookie lines, for maxAge seconds. Scripts
// must be able to read them.
func (c WPConsent) Lines(maxAge int, secure bool) []string {
	attributes := "; Path=/; Max-Age=" + strconv.Itoa(maxAge) + "; SameSite=Lax"
	if secure {
		attributes += "; Secure"
	}
	lines := c.Pairs()
	for i := range lines {
		lines[i] += attributes
	}
	return lines
}
