package proxy_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/numfocus/consentgate/consent"
	"github.com/numfocus/consentgate/consent/catalog"
	"github.com/numfocus/consentgate/proxy"
)

// TestVisitorsAreToldOfWhatTheSiteUses: the notice names the whole catalog only
// while nothing is known of the site.
func TestVisitorsAreToldOfWhatTheSiteUses(t *testing.T) {
	o := trackedOrigin(t)
	g := o.gateway(t)
	has := func(page, service string) bool { return strings.Contains(page, service) }

	_, before := g.fetch(t, "/_consent/cookies", nil)
	if !has(before, "Hotjar") || !has(before, "Google Analytics 4") {
		t.Error("before anything was seen, not everything is told of")
	}
	g.fetch(t, "/", nil)
	g.later(2 * time.Second)
	g.fetch(t, "/other", nil) // its end makes the offer
	after := ""
	for range 100 {
		if _, after = g.fetch(t, "/_consent/cookies", nil); !has(after, "Hotjar") {
			break
		}
		g.later(2 * time.Second)
	}
	if has(after, "Hotjar") || !has(after, "Google Analytics 4") || !has(after, "YouTube") {
		t.Errorf("the site's own two services are not what is told of:\n%s", after)
	}
	_, page := g.fetch(t, "/", nil)
	if !strings.Contains(page, "third parties (1)") {
		t.Errorf("the banner counts others than Google:\n%s", page)
	}
}

// TestServicesThatAreNamedAreToldOf: a site says under services what it uses, also on
// pages that nobody has opened yet.
func TestServicesThatAreNamedAreToldOf(t *testing.T) {
	g := trackedOrigin(t).gateway(t, func(c *proxy.Config) {
		c.Sites[0].Services = catalog.Config{"hotjar": {Purpose: consent.Statistics}}
	})
	g.fetch(t, "/", nil)
	g.later(2 * time.Second)
	g.fetch(t, "/other", nil) // its end makes the offer
	var list string
	for range 100 {
		if _, list = g.fetch(t, "/_consent/cookies", nil); !strings.Contains(list, "Matomo") {
			break
		}
		g.later(2 * time.Second)
	}
	_, settings := g.fetch(t, "/_consent/", nil)
	for what, page := range map[string]string{"declaration": list, "settings": settings} {
		if !strings.Contains(page, "Hotjar") || !strings.Contains(page, "YouTube") {
			t.Errorf("the %s tells not both of what is named and of what was seen:\n%s", what, page)
		}
		if strings.Contains(page, "Matomo") {
			t.Errorf("the %s tells of what is neither named nor seen", what)
		}
	}
}

// TestServicesThatJoinAreAskedAbout: a yes to a purpose is a yes to what it was
// when it was given.
func TestServicesThatJoinAreAskedAbout(t *testing.T) {
	o := trackedOrigin(t)
	g := o.gateway(t)
	g.fetch(t, "/", nil)
	g.later(2 * time.Second)
	g.fetch(t, "/", nil)
	cookies := http.Header{"Cookie": {strings.Join(g.choose(t, url.Values{"choice": {"accept"}}), "; ")}}

	g.later(48 * time.Hour)
	o.page = []byte(strings.Replace(tracked, "<p>Hello.</p>", `<script src="https://static.hotjar.com/c/hotjar-1.js"></script>`, 1))
	g.fetch(t, "/new", nil)
	var page string
	for range 100 {
		g.later(2 * time.Second)
		if _, page = g.fetch(t, "/new", cookies); strings.Contains(page, `id="cg-banner"`) {
			break
		}
	}
	if strings.Contains(page, "static.hotjar.com") || !hasTracker(page) || !strings.Contains(page, `id="cg-banner"`) {
		t.Errorf("a service that joined after the choice is not asked about, or what was granted is withheld:\n%s", page)
	}
}

// A clock that tests move.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }
