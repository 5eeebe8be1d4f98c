package headers

import (
	"net/http"
	"strings"

	"github.com/dunglas/httpsfv"
)

// permissions turns the browser's advertising interfaces off. Chromium 156 knows
// topics and storage access alone of these, and says so of the others in its console.
// Browsers made of older ones know all of them, and have them on where nobody forbids it.
const permissions = "browsing-topics=(), attribution-reporting=(), join-ad-interest-group=(), " +
	"run-ad-auction=(), private-aggregation=(), shared-storage=(), storage-access=()"

// Restrict adds to an HTML document's header what keeps the browser from
// telling others more than it must. It never loosens what the origin says.
func Restrict(h http.Header, p Policy) {
	restrictReferrer(h)
	if !p.Ads {
		restrictPermissions(h)
		delete(h, "X-Dns-Prefetch-Control") // "on" looks up the hosts of all links
	}
}

// restrictPermissions appends a line of its own. The lines are one dictionary in
// which the last value of a key counts and one mistake voids everything, so a field
// with a mistake must go before.
func restrictPermissions(h http.Header) {
	const name = "Permissions-Policy"
	lines := h[name]
	if len(lines) == 0 {
		h[name] = []string{permissions}
		return
	}
	if _, err := httpsfv.UnmarshalDictionary(lines); err != nil {
		lines = nil
	}
	h[name] = append(lines[:len(lines):len(lines)], permissions)
}

// restrictReferrer appends a policy only where the origin's is weaker: the last
// one a browser knows counts (Referrer Policy section 8.1).
func restrictReferrer(h http.Header) {
	const name = "Referrer-Policy"
	effective := ""
	for token := range strings.SplitSeq(strings.Join(h[name], ","), ",") {
		switch token = strings.ToLower(trim(token)); token {
		case "no-referrer", "no-referrer-when-downgrade", "same-origin", "origin", "strict-origin",
			"origin-when-cross-origin", "strict-origin-when-cross-origin", "unsafe-url":
			effective = token
		}
	}
	switch effective {
	case "", "unsafe-url", "no-referrer-when-downgrade", "origin-when-cross-origin":
		lines := h[name]
		h[name] = append(lines[:len(lines):len(lines)], "strict-origin-when-cross-origin")
	}
}
