package endpoint

import (
	"errors"
	"net/http"
	"net/url"
)

var errForeign = errors.New("the form was not sent from a page of this site")

// checkSender refuses a choice that another site's page had the browser send.
//
// What the browser itself says in Sec-Fetch-Site decides, by the rules of
// [http.CrossOriginProtection]. It is not sent over plain HTTP nor by browsers
// from before 2023; then Origin has to be exactly this site. Where neither is
// sent (browsers from before 2020, and programs) a Referer, if any, has to be of
// this host; with nothing at all the choice counts, since to refuse it would
// leave such visitors without a way to say no.
//
// A page with the referrer policy "no-referrer" sends "Origin: null"; that
// counts only where Sec-Fetch-Site vouches for it.
func (e *Endpoint) checkSender(r *http.Request) error {
	seen := *r
	seen.Host = e.site.Host(r)
	if err := e.crossing.Check(&seen); err != nil {
		return errors.Join(errForeign, err)
	}
	vouched := r.Header.Get("Sec-Fetch-Site") == "same-origin"
	switch origin := r.Header.Get("Origin"); {
	case origin == "null" && vouched:
		return nil
	case origin != "":
		return e.checkOrigin(r, origin, vouched)
	case !vouched && r.Referer() != "" && e.referer(r) == "":
		return errForeign
	}
	return nil
}

// checkOrigin leaves the scheme alone where the browser vouches for the sender:
// a gateway behind a proxy it was not told of takes HTTPS for HTTP.
func (e *Endpoint) checkOrigin(r *http.Request, origin string, vouched bool) error {
	u, err := url.Parse(origin)
	if err != nil || !e.isOwnHost(r, u.Host) {
		return errForeign
	}
	if !vouched && (u.Scheme == "https") != e.site.Secure(r) {
		return errForeign
	}
	return nil
}
