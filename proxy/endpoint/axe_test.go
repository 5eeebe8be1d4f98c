package endpoint

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/numfocus/consentgate/proxy/banner"
)

// What .ci/install-npm fetches.
const (
	axeFile         = "axe-core-4.14.1/package/axe.min.js"
	autoconsentFile = "autoconsent-16.23.0/package/dist/autoconsent.playwright.js"
)

// fetched reads one of them.
func fetched(t *testing.T, file string) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	script, err := os.ReadFile(filepath.Join(cache, "consentgate", filepath.FromSlash(file)))
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skipf("no %s to test with; run .ci/install-npm", file)
	}
	return string(script)
}

// A violation is what axe-core found, with the elements it found it at.
type violation struct {
	ID    string   `json:"id"`
	Help  string   `json:"help"`
	Nodes []string `json:"nodes"`
}

// barriers lists what axe-core holds against the page that is open: all its rules,
// best practice included.
func (b *browser) barriers(axe string) []violation {
	b.Helper()
	_, err := chromedp.Run(b.ctx, chromedp.Evaluate[int](axe+"; 0"))
	b.must(err)
	const run = `axe.run(document, {resultTypes: ["violations"]}).then(r =>
		r.violations.map(v => ({id: v.id, help: v.help, nodes: v.nodes.map(n => n.html.slice(0, 200) + " " + n.failureSummary)})))`
	list, err := chromedp.Run(b.ctx, chromedp.Evaluate[[]violation](run, chromedp.EvalAwaitPromise))
	b.must(err)
	return list
}

// A mode is a way of looking at pages.
type mode struct {
	name          string
	width, height int64
	lang          string
	features      []*emulation.MediaFeature
}

func modes() []mode {
	feature := func(name, value string) []*emulation.MediaFeature {
		return []*emulation.MediaFeature{{Name: name, Value: value}}
	}
	return []mode{
		{"light", 1280, 800, "en", nil},
		{"dark", 1280, 800, "en", feature("prefers-color-scheme", "dark")},
		{"forced colours", 1280, 800, "en", feature("forced-colors", "active")},
		{"right to left", 1280, 800, "ar", nil},
		{"320 px", 320, 640, "en", nil},
		{"400 %", 320, 200, "ar", nil}, // a screen of 1280 by 800
	}
}

// WCAG 2.2 and what axe-core thinks good practice, on everything a visitor can see
// of us, in every way of seeing it.
func TestNoBarriers(t *testing.T) {
	script := fetched(t, axeFile)
	for name, v := range map[string]struct {
		become func(*browser)
		pages  []string
	}{
		"undecided": {func(*browser) {}, []string{"/", "/declaration", "/_consent/", "/_consent/cookies", "/_consent/nowhere", "/error/" + string(banner.Down)}},
		"signals":   {func(b *browser) { b.send("DNT", "1", "Sec-GPC", "1") }, []string{"/", "/_consent/"}},
		"granted":   {(*browser).grantSome, []string{"/", "/_consent/?erase=1", "/_consent/?saved=1"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newScriptedBrowser(t, calm)
			v.become(b)
			for _, m := range modes() {
				for _, path := range v.pages {
					b.open(path+m.query(path), m.width, m.height, m.features...)
					for _, v := range b.barriers(script) {
						t.Errorf("%s, %s: %s: %s\n%s", path, m.name, v.ID, v.Help, strings.Join(v.Nodes, "\n"))
					}
				}
			}
		})
	}
}

// The settings over a page, with everything in them open.
func TestNoBarriersInTheDialog(t *testing.T) {
	script := fetched(t, axeFile)
	b := newScriptedBrowser(t, calm)
	_, err := chromedp.Call(b.ctx, page.SetBypassCSP, page.SetBypassCSPParams{Enabled: true}) // or axe-core could not run inside
	b.must(err)
	for _, m := range modes() {
		b.open("/?lang="+m.lang, m.width, m.height, m.features...)
		b.openDialog()
		eval[any](b, `[document.querySelector("#cg-dialog iframe").contentDocument.querySelectorAll("details").forEach(d => d.open = true)]`)
		for _, v := range b.barriers(script) {
			t.Errorf("%s: %s: %s\n%s", m.name, v.ID, v.Help, strings.Join(v.Nodes, "\n"))
		}
		_, err := chromedp.Run(b.ctx, chromedp.Evaluate[int](`(w => { w.eval(`+quote(script)+`); return 0 })(document.querySelector("#cg-dialog iframe").contentWindow)`))
		b.must(err)
		list, err := chromedp.Run(b.ctx, chromedp.Evaluate[[]violation](`document.querySelector("#cg-dialog iframe").contentWindow.axe.run(document.querySelector("#cg-dialog iframe").contentDocument, {resultTypes: ["violations"]}).then(r =>
			r.violations.map(v => ({id: v.id, help: v.help, nodes: v.nodes.map(n => n.html.slice(0, 200) + " " + n.failureSummary)})))`, chromedp.EvalAwaitPromise))
		b.must(err)
		for _, v := range list {
			t.Errorf("%s, inside: %s: %s\n%s", m.name, v.ID, v.Help, strings.Join(v.Nodes, "\n"))
		}
	}
}

// openDialog has the polish open the settings over the page.
func (b *browser) openDialog() {
	b.Helper()
	b.until("window.consentgate")
	b.must(chromedp.Do(b.ctx, chromedp.Click(`#cg-banner .cg-choose`)))
	b.until(`document.querySelector("#cg-dialog iframe")?.contentDocument?.activeElement?.localName == "h1"`)
}

func (m mode) query(path string) string {
	if strings.Contains(path, "?") {
		return "&lang=" + m.lang
	}
	return "?lang=" + m.lang
}

// send has the browser send headers with every request.
func (b *browser) send(pairs ...string) {
	b.Helper()
	headers := make(network.Headers)
	for i := 0; i < len(pairs); i += 2 {
		headers[pairs[i]] = pairs[i+1]
	}
	_, err := chromedp.Call(b.ctx, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: headers})
	b.must(err)
}

// grantSome allows statistics and YouTube, as the settings would.
func (b *browser) grantSome() {
	b.Helper()
	form := url.Values{"choice": {"save"}, "purpose": {"statistics"}, "service": {"youtube"}, "revision": {revision}}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.PostForm(b.url+"/_consent/choice", form)
	b.must(err)
	defer response.Body.Close()
	for _, c := range response.Cookies() {
		_, err := chromedp.Call(b.ctx, network.SetCookie, network.SetCookieParams{Name: c.Name, Value: c.Value, URL: b.url, HTTPOnly: ptr(true)})
		b.must(err)
	}
	if len(response.Cookies()) == 0 {
		b.Fatal(fmt.Errorf("the choice was not taken: %s", response.Status))
	}
}
