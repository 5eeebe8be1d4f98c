package catalog

import (
	"cmp"

	"github.com/numfocus/consentgate/consent"
)

// An Entry is one service as a file writes it down. In a vendor's file it is
// complete; in a site's configuration it either defines a service of the site's
// own or changes a known one, and then says only what differs.
type Entry struct {
	Name       string              `yaml:"name"`        // as the vendor writes it
	Vendor     string              `yaml:"vendor"`      // legal name of who runs it
	Country    string              `yaml:"country"`     // ISO 3166-1 alpha-2
	Privacy    string              `yaml:"privacy"`     // https URL of the vendor's privacy policy
	Purpose    consent.Purpose     `yaml:"purpose"`     // necessary, preferences, statistics or marketing
	Sells      *bool               `yaml:"sells"`       // sells or shares personal data in the sense of US state law; default false
	FirstParty *bool               `yaml:"first_party"` // runs on the site itself: vendor, country and privacy may be absent; default false
	Loss       string              `yaml:"loss"`        // what a visitor goes without while it is withheld, one plain sentence
	Withheld   consent.Replacement `yaml:"withheld"`    // remove or placeholder
	Draws      []string            `yaml:"draws"`       // fixed texts in the address or text of scripts that draw where they stand
	URLs       []string            `yaml:"urls"`        // URL patterns
	Inline     []Signature         `yaml:"inline"`      // how its inline scripts are recognised
	Cookies    []Cookie            `yaml:"cookies"`
	Samples    []string            `yaml:"samples"` // URLs that are this service's; for tests only
}

// A Signature recognises an inline script of a service.
type Signature struct {
	Pattern string       `yaml:"pattern"` // RE2 regular expression on the script's text
	Role    consent.Role `yaml:"role"`    // loader or call
}

// A Cookie is one cookie of a service.
type Cookie struct {
	Name     string        `yaml:"name"`     // glob
	Lifetime string        `yaml:"lifetime"` // as told to the visitor: 2 years, session
	SetBy    consent.SetBy `yaml:"set_by"`   // script or http
	Domain   string        `yaml:"domain"`   // registrable domain it is set for; absent: the site itself
}

// apply returns s with what e says: values replace, lists are added to.
func (e Entry) apply(s consent.Service) consent.Service {
	s.Name = cmp.Or(e.Name, s.Name)
	s.Vendor = cmp.Or(e.Vendor, s.Vendor)
	s.Country = cmp.Or(e.Country, s.Country)
	s.PrivacyURL = cmp.Or(e.Privacy, s.PrivacyURL)
	s.Purpose = cmp.Or(e.Purpose, s.Purpose)
	s.Loss = cmp.Or(e.Loss, s.Loss)
	s.Withheld = cmp.Or(e.Withheld, s.Withheld)
	if e.Sells != nil {
		s.Sells = *e.Sells
	}
	if e.FirstParty != nil {
		s.FirstParty = *e.FirstParty
	}
	s.Draws = added(s.Draws, e.Draws, func(d string) string { return d })
	s.URLs = added(s.URLs, e.URLs, func(u string) string { return u })
	s.Inline = added(s.Inline, e.Inline, func(g Signature) consent.Signature { return consent.Signature(g) })
	s.Cookies = added(s.Cookies, e.Cookies, func(c Cookie) consent.Cookie { return consent.Cookie(c) })
	return s
}

// added returns a new slice: what is there and then what is added.
func added[T, F any](there []T, adds []F, as func(F) T) []T {
	if len(adds) == 0 {
		return there
	}
	all := make([]T, 0, len(there)+len(adds))
	all = append(all, there...)
	for _, a := range adds {
		all = append(all, as(a))
	}
	return all
}
