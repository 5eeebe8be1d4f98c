package catalog

import "github.com/numfocus/consentgate/consent"

type scriptIndex struct{}

func newScriptIndex(services []*consent.Service) (scriptIndex, error) { return scriptIndex{}, nil }

// Script says to which withheld service an inline script belongs, if to any.
func (c *Catalog) Script(text []byte, withheld func(*consent.Service) bool) Match { return Match{} }

// UnknownLoader reports whether an inline script loads code or a picture from a
// host that is neither the site's own nor known, and from which.
func (c *Catalog) UnknownLoader(text []byte, firstParty func(host []byte) bool) (host []byte, ok bool) {
	return nil, false
}
