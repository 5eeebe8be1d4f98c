package banner

import (
	"strings"

	"github.com/numfocus/consentgate/consent"
)

// A stub is a global that pages call once a service's tag is there.
type stub struct {
	name     string
	services []consent.ServiceID // who brings it; it is stubbed where all of them are withheld
	array    bool                // a queue, which pages push to
}

// stubs lists the globals that pages call without asking whether they are there.
func stubs() []stub {
	google := []consent.ServiceID{"google-tag-manager", "google-analytics-4", "google-ads"}
	call := func(name string, services ...consent.ServiceID) stub { return stub{name, services, false} }
	queue := func(name string, services ...consent.ServiceID) stub { return stub{name, services, true} }
	return []stub{
		queue("dataLayer", google...),
		call("gtag", google...),
		call("ga", "google-analytics-ua"),
		queue("adsbygoogle", "google-adsense"),
		call("fbq", "meta-pixel"),
		queue("_paq", "matomo"),
		call("clarity", "microsoft-clarity"),
		queue("uetq", "microsoft-uet"),
		call("hj", "hotjar"),
		call("twq", "x-pixel"),
		call("lintrk", "linkedin-insight"),
		queue("_stq", "jetpack-stats"),
		call("ttq", "tiktok-pixel"),
		call("pintrk", "pinterest-tag"),
		call("snaptr", "snapchat-pixel"),
		queue("_hsq", "hubspot"),
		call("mixpanel", "mixpanel"),
		call("Intercom", "intercom"),
		call("EBWidgets", "eventbrite"),
	}
}

// missing names the stubs that a page needs under a decision, functions and
// arrays.
func missing(d consent.Decision, services map[consent.ServiceID]*consent.Service) (names, arrays string) {
	var calls, queues []string
	for _, s := range stubs() {
		switch {
		case s.brought(d, services):
		case s.array:
			queues = append(queues, s.name)
		default:
			calls = append(calls, s.name)
		}
	}
	return strings.Join(calls, " "), strings.Join(queues, " ")
}

func (s stub) brought(d consent.Decision, services map[consent.ServiceID]*consent.Service) bool {
	for _, id := range s.services {
		if svc := services[id]; svc != nil && d.Allows(svc) {
			return true
		}
	}
	return false
}
