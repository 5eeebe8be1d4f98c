package proxy_test

import (
	"net/http"
	"strings"
	"testing"
)

// Our scripts run where the origin trusts scripts by a nonce alone.
func TestNonce(t *testing.T) {
	for policy, nonce := range map[string]string{
		"":                                      "",
		"default-src 'self'":                    "",
		"script-src 'nonce-r4nd0m/+-_=='":       "r4nd0m/+-_==",
		"img-src *;SCRIPT-SRC 'Nonce-abc'; x y": "abc",
		`script-src 'nonce-"><script>'`:         "",
		"script-src 'nonce-'":                   "",
	} {
		o := newOrigin(t)
		o.handle = func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			if policy != "" {
				w.Header().Set("Content-Security-Policy", policy)
			}
			w.Write([]byte("<!doctype html><html><head></head><body></body></html>"))
		}
		page := body(t, o.gateway(t).get(t, "/", nil))
		scripts := strings.Count(page, "<script ")
		if scripts == 0 {
			t.Fatalf("there is no script of ours in\n%s", page)
		}
		want := `<script nonce="` + nonce + `" src="`
		if got := strings.Count(page, want); nonce != "" && got == 0 || nonce == "" && strings.Contains(page, "nonce=") {
			t.Errorf("policy %q: %q stands %d times in\n%s", policy, want, got, page)
		}
	}
}

// A page that is remembered is not sent with the nonce of another time.
func TestNonceIsNotRemembered(t *testing.T) {
	o := newOrigin(t)
	nonce := ""
	o.handle = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Content-Security-Policy", "script-src 'nonce-"+nonce+"'")
		w.Write([]byte("<!doctype html><html><head></head><body></body></html>"))
	}
	g := o.gateway(t)
	for _, nonce = range []string{"one", "two"} {
		if page := body(t, g.get(t, "/", nil)); !strings.Contains(page, `nonce="`+nonce+`"`) {
			t.Errorf("the nonce is %q, but the page\n%s", nonce, page)
		}
	}
}
