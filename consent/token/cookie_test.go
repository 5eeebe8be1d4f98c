package token

import (
	"slices"
	"testing"
	"time"
)

func TestSetCookie(t *testing.T) {
	const halfYear = 180 * 24 * time.Hour
	for _, tt := range []struct {
		name   string
		cookie Cookie
		want   string
	}{
		{"HTTPS", Cookie{Secure: true},
			"__Host-consent=v; Path=/; Max-Age=15552000; Secure; HttpOnly; SameSite=Lax"},
		{"plain HTTP", Cookie{},
			"consent=v; Path=/; Max-Age=15552000; HttpOnly; SameSite=Lax"},
		{"HTTPS for a domain", Cookie{Secure: true, Domain: "numfocus.org"},
			"consent=v; Path=/; Domain=numfocus.org; Max-Age=15552000; Secure; HttpOnly; SameSite=Lax"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.cookie.Set("v", halfYear); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestClean(t *testing.T) {
	for _, tt := range []struct {
		name        string
		cookie      Cookie
		registrable string
		want        []string
	}{
		{"a __Host- cookie has no double", Cookie{Secure: true}, "numfocus.org", nil},
		{"host cookie: the domain's goes", Cookie{}, "numfocus.org",
			[]string{"consent=; Path=/; Domain=numfocus.org; Max-Age=0; HttpOnly; SameSite=Lax"}},
		{"domain cookie: the host's goes", Cookie{Domain: "numfocus.org"}, "numfocus.org",
			[]string{"consent=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"}},
		{"localhost has no domain", Cookie{}, "localhost", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.cookie.Clean(tt.registrable); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestFind(t *testing.T) {
	lines := []string{`a=1; consent=first ;b="x; consent=second`, "consent=third", "xconsent=no; consent", " \tconsent="}
	want := []string{"first", "second", "third", ""}
	if got := Find(lines, "consent"); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
