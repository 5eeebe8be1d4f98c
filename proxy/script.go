package proxy

import "github.com/numfocus/consentgate/proxy/banner"

// guarded is what the guard in the visitor's browser has to know of the site
// that is visited under a host.
func (s *site) guarded(host string) banner.Fence {
	return banner.Fence{
		FirstParty:    append(s.firstParty.patterns(host), host),
		Strangers:     s.unknown == UnknownAllow,
		NoPictures:    s.unknown == UnknownBlockAll,
		StrictCookies: s.strictCookies,
	}
}
