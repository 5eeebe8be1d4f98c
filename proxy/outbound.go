package proxy

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/numfocus/consentgate/consent"
	"github.com/numfocus/consentgate/consent/catalog"
	"github.com/numfocus/consentgate/consent/token"
	"github.com/numfocus/consentgate/proxy/cookies"
	"github.com/numfocus/consentgate/proxy/endpoint"
	"github.com/numfocus/consentgate/proxy/upstream"
)

// filter takes out of the response's header what is withheld, and adds what the
// decision says. It does not look at the body.
func (x *exchange) filter(res *http.Response) {
	h := x.w.Header()
	maps.Copy(h, res.Header)
	if _, ok := res.Header["Content-Type"]; !ok {
		h["Content-Type"] = nil // or net/http would invent one
	}
	if _, ok := res.Header["Date"]; !ok {
		h["Date"] = nil
	}
	x.filterCookies(h, res.StatusCode)
	x.filterHints(h)
	h.Set("Tk", x.site.tk(*x.decision()))
}

func (x *exchange) filterCookies(h http.Header, status int) {
	s := x.cookieSite()
	if lines := h["Set-Cookie"]; len(lines) > 0 {
		kept, dropped := cookies.FilterResponse(lines, s, x.keepsCookie)
		x.tally.cookies += len(dropped)
		if !x.site.observe {
			h["Set-Cookie"] = kept
		}
	}
	if !sharedCache(h) {
		h["Set-Cookie"] = append(append(h["Set-Cookie"], x.expired(s)...), x.renewWPConsent(s)...)
	}
	if x.page && status == http.StatusOK && len(x.decision().Once) > 0 {
		h["Set-Cookie"] = append(h["Set-Cookie"], x.site.cookie(x.secure()).ExpireOnce()) // this is the page
	}
	if len(h["Set-Cookie"]) == 0 {
		delete(h, "Set-Cookie")
	}
}

func (x *exchange) keepsCookie(name, _ string) bool {
	if token.IsOurs(name) || cookies.IsWPConsent(name) {
		return false
	}
	v := x.judge.cookie(name)
	x.sawSet(name, v)
	return !v.Withheld
}

// expired is the Set-Cookie lines that end what came in although it is
// withheld, and our own cookie's doubles.
func (x *exchange) expired(s cookies.Site) []string {
	var lines []string
	for _, name := range x.spent {
		lines = append(lines, cookies.Expire(name, s)...)
	}
	own := x.site.cookie(x.secure())
	if len(token.Find(x.r.Header["Cookie"], own.Name())) > 1 {
		lines = append(lines, own.Clean(s.Registrable)...)
	}
	return lines
}

// sharedCache reports whether caches may give a response to other visitors: it
// must then carry no cookie.
func sharedCache(h http.Header) bool {
	if strings.HasPrefix(h.Get("Content-Type"), "text/html") {
		return false
	}
	for _, line := range h["Cache-Control"] {
		line = strings.ToLower(line)
		if strings.Contains(line, "public") || strings.Contains(line, "max-age=") && !strings.Contains(line, "private") {
			return true
		}
	}
	return false
}

func (x *exchange) cookieSite() cookies.Site {
	return cookies.Site{
		Host:        x.judge.host,
		Registrable: catalog.Registrable(x.judge.host),
		Secure:      x.secure(),
	}
}

// tk is the tracking status value of a response
// (W3C Tracking Preference Expression, section 6.2).
func (s *site) tk(d consent.Decision) string {
	switch {
	case s.observe:
		return "!"
	case d.Purposes != consent.PurposesOf(consent.Necessary), len(d.Services) > 0, len(d.Once) > 0:
		return "C;" + endpoint.ConsentID
	case s.unknown == UnknownAllow:
		return "T;" + endpoint.ThirdID
	}
	return "N"
}

// hintsFor forwards informational responses where a browser has a use for
// them: early hints are for pages.
func (x *exchange) hintsFor() upstream.Informational {
	if !x.page {
		return nil
	}
	return x.hints
}

// hints filters an informational response before it goes to the visitor.
func (x *exchange) hints(code int, h http.Header) (err error) {
	defer caught("hint", &err)
	if code != http.StatusEarlyHints {
		return nil
	}
	kept := http.Header{}
	if links := h["Link"]; len(links) > 0 {
		kept["Link"] = slices.Clone(links)
	}
	x.filterHints(kept)
	if len(kept["Link"]) == 0 {
		return nil
	}
	final := x.w.Header()
	final["Link"] = kept["Link"]
	x.w.WriteHeader(code)
	delete(final, "Link")
	return nil
}
