package proxy_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// A visitor who grants much gets a policy that fits into a proxy's buffer, and names
// what the site is known to use.
func TestPolicyOfManyGrants(t *testing.T) {
	o := newOrigin(t)
	o.serve(`<script src="https://static.hotjar.com/x.js"></script><iframe src="https://www.youtube.com/embed/x"></iframe>`, "")
	g := o.gateway(t)
	cookies := http.Header{"Cookie": {strings.Join(g.choose(t, url.Values{"choice": {"save"}, "purpose": {"statistics", "preferences"}}), "; ")}}
	policy := func() string {
		res := g.do(t, g.request(t, http.MethodGet, "/", cookies))
		body(t, res.Body)
		return res.Header.Get("Content-Security-Policy")
	}
	var got string
	for range 500 { // a page is in the inventory once it has been sent
		if got = policy(); strings.Contains(got, " wss://*.hotjar.com") {
			break
		}
	}
	if !strings.Contains(got, " wss://*.hotjar.com") || strings.Contains(got, "matomo") || len(got) > 6<<10 {
		t.Errorf("%d bytes: %s", len(got), got)
	}
}
