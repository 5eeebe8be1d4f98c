package banner

import (
	"cmp"
	"html/template"

	"github.com/numfocus/consentgate/consent"
)

// A section is a purpose with its services, as settings and declaration show
// them.
type section struct {
	Purpose  consent.Purpose
	Name     string
	About    string
	Optional bool
	Services []item
}

// An item is a service in a section.
type item struct {
	ID      consent.ServiceID
	Name    string
	Details template.HTML
}

func (b *Banner) sections(e *edition) ([]section, error) {
	var list []section
	for _, p := range consent.AllPurposes() {
		key := "purpose." + string(p)
		s := section{Purpose: p, Name: e.text(key), About: e.text(key + ".about"), Optional: p != consent.Necessary}
		for _, svc := range e.offered {
			if svc.Purpose != p {
				continue
			}
			details, err := b.render("service", serviceOf(e, svc))
			if err != nil {
				return nil, err
			}
			s.Services = append(s.Services, item{ID: svc.ID, Name: svc.Name, Details: template.HTML(details)})
		}
		if p == consent.Necessary {
			own, err := b.ownCookie(e)
			if err != nil {
				return nil, err
			}
			s.Services = append([]item{own}, s.Services...)
		}
		list = append(list, s)
	}
	return list, nil
}

// service is what the template of that name fills in.
type service struct {
	*locale
	About   string // what it does
	Loss    string // what a visitor goes without
	Tongue  Lang   // that Loss is in, where it is another one
	Purpose string
	Vendor  string
	Country string
	Privacy string
	Sells   bool
	Cookies []cookie
}

// A cookie is one row of the table of a service.
type cookie struct {
	Name, Lifetime, SetBy, Access string

	Tongue Lang // that Lifetime is in, where it is another one
}

// foreign is the language of the catalog's own words where this one is another.
func (e *edition) foreign() Lang {
	if e.lang == source {
		return ""
	}
	return source
}

func serviceOf(e *edition, s *consent.Service) service {
	v := service{
		locale:  e.locale,
		Loss:    cmp.Or(e.losses[string(e.lang)][string(s.ID)], s.Loss),
		Purpose: e.text("purpose." + string(s.Purpose)),
		Vendor:  s.Vendor,
		Privacy: s.PrivacyURL,
		Sells:   s.Sells,
	}
	if v.Loss == s.Loss {
		v.Tongue = e.foreign()
	}
	if s.Country != "" {
		v.Country = e.country(s.Country)
	}
	if v.Vendor == "" {
		v.Vendor = e.ownName()
	}
	for _, c := range s.Cookies {
		v.Cookies = append(v.Cookies, e.cookie(s, c))
	}
	return v
}

func (e *edition) cookie(s *consent.Service, c consent.Cookie) cookie {
	v := cookie{Name: c.Name, SetBy: e.text("service.setby." + string(c.SetBy)), Access: e.access(s, c)}
	known := false
	if v.Lifetime, known = e.lifetime(c.Lifetime); !known {
		v.Lifetime, v.Tongue = c.Lifetime, e.foreign()
	}
	return v
}

// access says who can read a cookie. One that a third party's script sets on
// the site can be read by both.
func (e *edition) access(s *consent.Service, c consent.Cookie) string {
	switch {
	case c.Domain != "":
		return e.text("service.access.party", "vendor", s.Vendor, "domain", c.Domain)
	case s.FirstParty || s.Vendor == "":
		return e.text("service.access.site")
	}
	return e.text("service.access.both", "vendor", s.Vendor)
}

func (e *edition) ownName() string {
	if e.Controller != "" {
		return e.Controller
	}
	return e.text("service.vendor.site")
}

// ownCookie describes the cookie that keeps the choice.
func (b *Banner) ownCookie(e *edition) (item, error) {
	details, err := b.render("service", service{
		locale:  e.locale,
		About:   e.text("cookies.own.about"),
		Purpose: e.text("purpose.necessary"),
		Vendor:  e.ownName(),
		Cookies: []cookie{{
			Name:     "consent",
			Lifetime: e.count(6, "month"),
			SetBy:    e.text("service.setby.http"),
			Access:   e.text("service.access.site"),
		}},
	})
	return item{ID: "consent", Name: e.text("cookies.own"), Details: template.HTML(details)}, err
}
