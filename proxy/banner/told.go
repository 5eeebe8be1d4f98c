package banner

import "github.com/numfocus/consentgate/consent"

// told is what the vendors that are not withheld are told. Nothing is told of
// the others: their tags are not in the page.
type told struct {
	Google  *googleConsent  `json:"google,omitempty"`
	Clarity *clarityConsent `json:"clarity,omitempty"`
	UET     bool            `json:"uet,omitempty"`
	Meta    bool            `json:"meta,omitempty"`
	Matomo  bool            `json:"matomo,omitempty"`
	WP      []string        `json:"wp"` // categories of the WP Consent API that are allowed
}

// stay is what the script of that name is called with.
type stay struct {
	Polish   string              `json:"polish"` // path
	Class    class               `json:"class"`
	Purposes []consent.Purpose   `json:"purposes"`
	Services []consent.ServiceID `json:"services"`
}

// googleConsent is Google's Consent Mode v2 with its seven types put together.
type googleConsent struct {
	Ads         bool `json:"ads"`
	Analytics   bool `json:"analytics"`
	Preferences bool `json:"preferences"`
}

type clarityConsent struct {
	Ads bool `json:"ads"`
}

// tell is the script that a page starts with where something is allowed.
func (b *Banner) tell(d consent.Decision) string {
	told := call(b.scripts.told, b.told(d))
	if polished(d) {
		return told
	}
	return told + ";" + call(b.scripts.stay, stay{
		Polish:   b.scripts.path["polish"],
		Class:    classOf(d),
		Purposes: d.Purposes.List(),
		Services: append([]consent.ServiceID{}, d.Services...),
	})
}

func (b *Banner) told(d consent.Decision) told {
	allows := func(ids ...consent.ServiceID) bool {
		for _, id := range ids {
			if s := b.scripts.services[id]; s != nil && d.Allows(s) {
				return true
			}
		}
		return false
	}
	ads := d.Purposes.Has(consent.Marketing)
	t := told{
		UET:    allows("microsoft-uet"),
		Meta:   allows("meta-pixel"),
		Matomo: allows("matomo"),
		WP:     []string{"functional"},
	}
	for _, p := range d.Purposes.Without(consent.Necessary).List() {
		t.WP = append(t.WP, string(p))
	}
	if d.Purposes.Has(consent.Statistics) {
		t.WP = append(t.WP, "statistics-anonymous")
	}
	if allows("google-tag-manager", "google-analytics-4", "google-ads", "google-adsense", "google-ad-manager") {
		t.Google = &googleConsent{
			Ads:         ads || allows("google-ads", "google-adsense", "google-ad-manager"),
			Analytics:   allows("google-analytics-4"),
			Preferences: d.Purposes.Has(consent.Preferences),
		}
	}
	if allows("microsoft-clarity") {
		t.Clarity = &clarityConsent{Ads: ads}
	}
	return t
}

// tells reports whether a page has tags that must be told something.
func tells(d consent.Decision) bool {
	return d.Purposes != consent.PurposesOf(consent.Necessary) || len(d.Services) > 0
}
