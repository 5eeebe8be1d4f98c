package cookies

import (
	"slices"
	"strings"
	"testing"
)

func TestWPConsent(t *testing.T) {
	for name, c := range map[string]struct {
		allowed WPConsent
		want    []string
	}{
		"nothing": {WPConsent{}, nil},
		"statistics": {WPConsent{Statistics: true}, []string{
			"wp_consent_functional=allow", "wp_consent_preferences=deny", "wp_consent_statistics-anonymous=allow",
			"wp_consent_statistics=allow", "wp_consent_marketing=deny"}},
		"services": {WPConsent{Services: []string{"youtube", "typeform"}}, []string{
			"wp_consent_functional=allow", "wp_consent_preferences=deny", "wp_consent_statistics-anonymous=deny",
			"wp_consent_statistics=deny", "wp_consent_marketing=deny", `wp_consent_consented_services={"typeform":true,"youtube":true}`}},
	} {
		got := c.allowed.Pairs()
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		for i, line := range c.allowed.Lines(60, true) {
			if parsed, ok := ParseSetCookie(line); !ok || !IsWPConsent(parsed.Name) || line != c.want[i]+"; Path=/; Max-Age=60; SameSite=Lax; Secure" {
				t.Errorf("%s: %s", name, line)
			}
		}
	}
}

func TestWPConsentIsRenewed(t *testing.T) {
	site := Site{Host: "www.example.org", Registrable: "example.org"}
	statistics := WPConsent{Statistics: true}
	asSent := []string{"a=b; " + strings.Join(statistics.Pairs(), "; ") + "; c=d"}
	for name, c := range map[string]struct {
		allowed WPConsent
		sent    []string
		set     bool
		want    []string
	}{
		"nobody asked yet":          {WPConsent{}, []string{"a=b"}, true, nil},
		"nothing new":               {statistics, asSent, true, nil},
		"for the first time":        {statistics, nil, true, statistics.Lines(60, false)},
		"a site that has no use":    {statistics, nil, false, nil},
		"withdrawn, or forged":      {WPConsent{}, []string{"wp_consent_marketing=allow"}, true, Expire("wp_consent_marketing", site)},
		"taken away, and not added": {statistics, []string{"wp_consent_marketing=allow"}, false, Expire("wp_consent_marketing", site)},
		"of another choice": {statistics, []string{asSent[0], `x=y;wp_consent_consented_services={"youtube":true}`}, true,
			append(Expire("wp_consent_consented_services", site), statistics.Lines(60, false)...)},
	} {
		if got := c.allowed.Renew(c.sent, c.set, 60, site); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
