package proxy

import (
	"bytes"

	"github.com/numfocus/consentgate/consent"
	"github.com/numfocus/consentgate/proxy/cookies"
)

// The WP Consent API is a plugin of WordPress which others ask what a visitor has
// allowed. Its answers are cookies. The origin is sent those of this very decision,
// whatever the browser has. The browser gets them only where the site's pages have
// been seen to use the API and the visitor has granted something: without them
// everything is denied, so that nobody who has not answered, or has refused, needs
// any. What it has that is not so, such as an earlier answer, is taken away.

// wpConsent is the decision in the words of the API. What is allowed once is not in
// it: that is for what stands in the page already.
func (x *exchange) wpConsent() cookies.WPConsent {
	d := x.decision()
	c := cookies.WPConsent{
		Preferences: d.Purposes.Has(consent.Preferences),
		Statistics:  d.Purposes.Has(consent.Statistics),
		Marketing:   d.Purposes.Has(consent.Marketing),
	}
	for _, id := range d.Services {
		if s, ok := x.site.catalog.Service(id); ok && d.Allows(s) {
			c.Services = append(c.Services, string(id))
		}
	}
	return c
}

// renewWPConsent is the Set-Cookie lines that make the browser's answers the
// decision's.
func (x *exchange) renewWPConsent(s cookies.Site) []string {
	if !x.page || x.site.observe {
		return nil
	}
	var seconds int
	if choice := x.decision().Choice; choice != nil {
		seconds = int(x.judge.offer.policy.Until(choice.At).Sub(x.site.parts.now()).Seconds())
	}
	return x.wpConsent().Renew(x.r.Header["Cookie"], x.site.asksWPConsent.Load() && seconds > 0, seconds, s)
}

// WordPress prints an object of this name beside the script of the API, which an
// optimiser may have put into another file.
var wpConsentMark = []byte("consent_api")

// noticeWPConsent takes note of a site whose pages use the API.
func (s *site) noticeWPConsent(script []byte) {
	if bytes.Contains(script, wpConsentMark) && !s.asksWPConsent.Load() {
		s.asksWPConsent.Store(true)
	}
}
