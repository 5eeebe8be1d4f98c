package cookies

import (
	"slices"
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
