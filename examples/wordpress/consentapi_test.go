package wordpress

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/chromedp/chromedp"
)

// A probe is what the WP Consent API of the site answers for a page, in PHP and in
// JavaScript, and which of its events the page has seen.
type probe struct {
	PHP, JS map[string]bool
	Events  []string
}

// testConsentAPI asks the WP Consent API, or the stand-in for it that the example
// comes with, on the way of a visitor through the choices.
func (w *world) testConsentAPI(t *testing.T) {
	b := w.browser(t, true)
	b.walk(w.gateway) // or nobody would know that there is YouTube on the site
	b.wantConsent("undecided")

	b.press(`#cg-banner button[value="accept"]`)
	b.wantConsent("accepted", "functional", "marketing", "preferences", "statistics", "statistics-anonymous", "youtube")

	b.open(w.gateway + "/_consent/")
	b.press(`button[value="withdraw"]`)
	b.wantConsent("withdrawn")

	b.open(w.gateway + "/_consent/")
	ask(b, chromedp.Evaluate[string](`for (const name of ["statistics", "youtube"]) document.querySelector("[type=checkbox][value=" + name + "]").click(); ""`))
	b.press(`.bar button[value="save"]`)
	b.wantConsent("some", "functional", "statistics", "statistics-anonymous", "youtube")

	b.open(w.gateway + "/_consent/")
	b.press(`.bar button[value="reject"]`)
	ask(b, chromedp.Evaluate[string](`document.cookie = "wp_consent_marketing=allow;path=/"`))
	b.wantConsent("refused, and forged")
}

func (b *browser) wantConsent(when string, want ...string) {
	b.t.Helper()
	b.open(b.site + "/?wp-consent-probe")
	var got probe
	if err := json.Unmarshal([]byte(ask(b, chromedp.Evaluate[string](`JSON.stringify(window.probe)`))), &got); err != nil {
		b.t.Fatal(err)
	}
	for in, answers := range map[string]map[string]bool{"PHP": got.PHP, "JavaScript": got.JS} {
		var allowed []string
		for name, yes := range answers {
			if yes {
				allowed = append(allowed, name)
			}
		}
		slices.Sort(allowed)
		if len(answers) != 6 || !slices.Equal(allowed, want) {
			b.t.Errorf("%s: in %s, allowed are %q, want %q", when, in, allowed, want)
		}
	}
	if told := slices.DeleteFunc(got.Events, func(e string) bool { return e != "wp_consent_type_defined " }); len(told) != 1 {
		b.t.Errorf("%s: the page is told %d times that consent has a type", when, len(told))
	}
}
