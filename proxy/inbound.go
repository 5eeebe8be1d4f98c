package proxy

import (
	"net/http"
	"strings"

	"github.com/numfocus/consentgate/consent/token"
	"github.com/numfocus/consentgate/proxy/cookies"
	"github.com/numfocus/consentgate/proxy/upstream"
)

// outgoing makes the request to the origin: what the visitor sent, without the
// cookies that are not granted and without our own, and with the decision in
// the Consent header and in the cookies of the WP Consent API. A site that only
// observes is not told of decisions: its plugins would withhold things.
func (x *exchange) outgoing() *http.Request {
	x.page = asksForPage(x.r) && !x.site.leftAlone(x.r)
	edited := x.page || isServiceWorker(x.r)
	o := upstream.Outbound{Trusted: x.gateway.trusted, Page: edited}
	if !x.site.observe {
		o.Consent = x.decision().Purposes.String()
	}
	if edited && !x.site.observe {
		// Decoding costs as much as encoding anew, and the origin is near.
		o.AcceptEncoding = "identity"
	}
	out := x.site.upstream.Outgoing(x.r, o)
	x.dropCookies(out.Header)
	return out
}

func (x *exchange) dropCookies(h http.Header) {
	var kept []string
	if value, _ := cookies.FilterRequest(h["Cookie"], x.dropsInbound); value != "" {
		kept = append(kept, value)
	}
	if !x.site.observe {
		kept = append(kept, x.wpConsent().Pairs()...)
	}
	if len(kept) == 0 {
		delete(h, "Cookie")
		return
	}
	h["Cookie"] = []string{strings.Join(kept, "; ")}
}

// dropsInbound also remembers what came in although it is withheld: the answer
// expires it.
func (x *exchange) dropsInbound(name string) bool {
	if token.IsOurs(name) || cookies.IsWPConsent(name) && !x.site.observe {
		return true
	}
	v := x.judge.cookie(name)
	x.sawReturned(v)
	if !v.Withheld {
		return false
	}
	x.tally.inbound++
	if x.site.observe {
		return false
	}
	x.spent = append(x.spent, name)
	return true
}

// asksForPage reports whether a browser would show the answer as a document.
// Browsers say so in Sec-Fetch-Dest; what does not send it is believed to want
// what it accepts by name.
func asksForPage(r *http.Request) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	if dest := r.Header.Get("Sec-Fetch-Dest"); dest != "" {
		return isDocument(dest)
	}
	return accepts(r.Header, "text/html") || accepts(r.Header, "application/xhtml+xml")
}

func isDocument(dest string) bool {
	switch dest {
	case "document", "iframe", "frame", "embed", "object", "fencedframe":
		return true
	}
	return false
}

func accepts(h http.Header, mediaType string) bool {
	for _, line := range h["Accept"] {
		for part := range strings.SplitSeq(line, ",") {
			name, _, _ := strings.Cut(part, ";")
			if strings.EqualFold(strings.TrimSpace(name), mediaType) {
				return true
			}
		}
	}
	return false
}
