// Package headers edits response headers: what makes a browser contact
// somebody, what caches and validators say about a page that was changed on the
// way, and the Content-Security-Policy that has the browser itself refuse what
// scripts insert later.
//
// The functions change the [net/http.Header] they are given and nothing else.
// Whom a browser may contact is not decided here: a [Judge] says so. A field that
// cannot be understood is removed where keeping it could let more through.
package headers

import (
	"net/http"
	"strings"
)

// A Kind is what a browser would do with a URL it finds in a header.
type Kind string

const (
	Script    Kind = "script"    // run it
	Style     Kind = "style"     // apply it
	Image     Kind = "image"     // show it
	Font      Kind = "font"      // set text in it
	Media     Kind = "media"     // play it
	Frame     Kind = "frame"     // show it as a page of its own
	Fetch     Kind = "fetch"     // read it
	Hint      Kind = "hint"      // look the host up or connect to it
	Prefetch  Kind = "prefetch"  // fetch or render it early
	Refresh   Kind = "refresh"   // go there
	Report    Kind = "report"    // send reports there
	SourceMap Kind = "sourcemap" // read it in the developer tools
)

// A Judge says whether a browser may use a URL in that way. The URL is as it
// stands in the header, neither trimmed nor resolved.
type Judge func(kind Kind, url string) bool

// A Policy is what a decision means for headers.
type Policy struct {
	Allowed Judge
	// Ads leaves the browser's own advertising interfaces on: topics,
	// attribution reporting, auctions, storage access.
	Ads bool
}

// keepLines puts lines under a canonical field name, or removes the field where
// none are left.
func keepLines(h http.Header, name string, lines []string) {
	if len(lines) == 0 {
		delete(h, name)
		return
	}
	h[name] = lines
}

// trim removes the optional whitespace of RFC 9110 section 5.6.3.
func trim(s string) string { return strings.Trim(s, " \t") }
