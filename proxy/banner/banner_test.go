package banner

import (
	"strings"
	"testing"

	"github.com/numfocus/consentgate/consent"
)

// exampleServices are of every purpose, vendor and way to set cookies.
func exampleServices() []*consent.Service {
	return []*consent.Service{
		{ID: "jsdelivr", Name: "jsDelivr", Vendor: "Volentio JSD Limited", Country: "GB", PrivacyURL: "https://www.jsdelivr.com/terms/privacy-policy",
			Purpose: consent.Necessary, Loss: "Parts of the site do not work."},
		{ID: "youtube", Name: "YouTube", Vendor: "Google LLC", Country: "US", PrivacyURL: "https://policies.google.com/privacy",
			Purpose: consent.Preferences, Loss: "Videos are shown as a box with a link.", Withheld: consent.Placeholder,
			Cookies: []consent.Cookie{{Name: "VISITOR_INFO1_LIVE", Lifetime: "6 months", SetBy: consent.ByHTTP, Domain: "youtube.com"}}},
		{ID: "typeform", Name: "Typeform", Vendor: "TYPEFORM SL", Country: "ES", PrivacyURL: "https://www.typeform.com/help/a/privacy-policy/",
			Purpose: consent.Preferences, Loss: "Forms are shown as a box with a link.", Withheld: consent.Placeholder},
		{ID: "google-analytics-4", Name: "Google Analytics 4", Vendor: "Google LLC", Country: "US", PrivacyURL: "https://policies.google.com/privacy",
			Purpose: consent.Statistics, Loss: "Nothing; the owners of this site learn less about how it is used.",
			Cookies: []consent.Cookie{
				{Name: "_ga", Lifetime: "2 years", SetBy: consent.ByScript},
				{Name: "_ga_*", Lifetime: "2 years", SetBy: consent.ByScript}}},
		{ID: "site-statistics", Name: "Own statistics", Purpose: consent.Statistics, FirstParty: true, Loss: "Nothing.",
			Cookies: []consent.Cookie{{Name: "visits", Lifetime: "1 day", SetBy: consent.ByHTTP}}},
		{ID: "facebook-pixel", Name: "Meta Pixel", Vendor: "Meta Platforms, Inc.", Country: "US", PrivacyURL: "https://www.facebook.com/privacy/policy/",
			Purpose: consent.Marketing, Sells: true, Loss: "Nothing; fewer ads about this site follow you.",
			Cookies: []consent.Cookie{
				{Name: "_fbp", Lifetime: "90 days", SetBy: consent.ByScript},
				{Name: "fr", Lifetime: "90 days", SetBy: consent.ByHTTP, Domain: "facebook.com"}}},
	}
}

func exampleConfig() Config {
	return Config{
		Controller:    "NumFOCUS",
		PrivacyPolicy: "/privacy-policy/",
		Contact:       "privacy@example.org",
		Revision:      "2026-11-01",
		Changes: []Change{
			{Revision: "2026-11-01", Date: "2026-11-01", Change: "Typeform was added."},
			{Revision: "1"},
		},
	}
}

func newBanner(t testing.TB, cfg Config) *Banner {
	t.Helper()
	b, err := New(cfg, exampleServices(), "/_consent/")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func undecided() consent.Decision { return consent.Policy{}.Decide(consent.Visitor{}, time0()) }

func TestNewWithTheZeroConfig(t *testing.T) {
	b := newBanner(t, Config{})
	notice := string(b.Notice("en", undecided()))
	if !strings.Contains(notice, "This website would like to use cookies") {
		t.Errorf("the banner does not say what it asks:\n%s", notice)
	}
}
