package wordpress

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"
)

const deadline = time.Second

func pause() { time.Sleep(50 * time.Millisecond) }

// pages are all pages of the example.
var pages = []string{"/", "/donate/", "/events/", "/newsletter/", "/visit/", "/help/", "/first-low-tide-of-the-year/"}

// vendors are the hosts the example's pages call once the visitor agrees.
// With scripts off only what the markup itself names is called.
var vendors = []struct {
	host        string
	needsScript bool
}{
	{"www.googletagmanager.com", false},
	{"fonts.googleapis.com", false},
	{"chimpstatic.com", true},
	{"connect.facebook.net", true},
	{"secure.gravatar.com", false},
	{"stats.wp.com", true},
	{"www.flipcause.com", false},
	{"secure.lglforms.com", false},
	{"www.eventbrite.com", true},
	{"cdn-images.mailchimp.com", false},
	{"s3.amazonaws.com", true},
	{"example.typeform.com", false},
	{"embed.typeform.com", true},
	{"www.google.com", false},
	{"www.youtube.com", false},
	{"interfaces.zapier.com", false},
}

// world is the site, the gateway before it, and the rest of the internet.
type world struct {
	site, gateway string
	rest          *recorder
}

func newWorld(t *testing.T) *world {
	t.Helper()
	need(t, "chromium")
	w := &world{rest: newRecorder(t)}
	w.site = startWordPress(t)
	w.gateway = startGateway(t, w.site)
	return w
}

// TestBrowser drives Chromium through the gateway in front of WordPress, with
// every host of the internet mapped to a recorder.
func TestBrowser(t *testing.T) {
	w := newWorld(t)
	t.Run("without the gateway everything is called", w.testWithout)
	for _, scripts := range []bool{true, false} {
		t.Run(fmt.Sprintf("scripts=%t", scripts), func(t *testing.T) { w.testVisitor(t, scripts) })
	}
	t.Run("DNT", func(t *testing.T) { w.testSignal(t, "DNT") })
	t.Run("Sec-GPC", func(t *testing.T) { w.testSignal(t, "Sec-GPC") })
	t.Run("WP Consent API", w.testConsentAPI)
	t.Run("author", w.testAuthor)
}

// testWithout shows that the recorder would see a leak.
func (w *world) testWithout(t *testing.T) {
	b := w.browser(t, true)
	b.walk(w.site)
	w.wantCalled(t, true)
}

func (w *world) testVisitor(t *testing.T, scripts bool) {
	b := w.browser(t, scripts)

	b.walk(w.gateway)
	w.wantNobodyCalled(t, "first visit")
	b.wantCookies("first visit")
	b.wantBanner(true)

	b.press(`#cg-banner button[value="accept"]`)
	b.walk(w.gateway)
	w.wantCalled(t, scripts)
	b.wantBanner(false)
	if scripts {
		b.wantCookies("after accepting", "_ga", "_ga_EXAMPLE001", "_koko_analytics_pages_viewed", "consent",
			"wp_consent_functional", "wp_consent_marketing", "wp_consent_preferences", "wp_consent_statistics", "wp_consent_statistics-anonymous")
	}

	b.open(w.gateway + "/_consent/")
	b.press(`button[value="withdraw"]`)
	w.rest.take()
	b.walk(w.gateway)
	w.wantNobodyCalled(t, "after withdrawing")
	b.wantCookies("after withdrawing", "consent")
	b.wantBanner(false)
}

func (w *world) testSignal(t *testing.T, header string) {
	b := w.browser(t, true)
	call(b, network.Enable, network.EnableParams{})
	call(b, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{header: "1"}})
	b.walk(w.gateway)
	w.wantNobodyCalled(t, header)
	b.wantCookies(header)
	b.wantBanner(false)
	b.run(chromedp.WaitReady("#cg-settings"))
}

// testAuthor logs in, writes a post in the block editor and previews it.
func (w *world) testAuthor(t *testing.T) {
	b := w.browser(t, true)
	b.open(w.gateway + "/wp-login.php")
	b.run(
		chromedp.SendKeys("#user_login", "admin"),
		chromedp.SendKeys("#user_pass", "correct horse battery"),
	)
	b.press("#wp-submit")
	b.run(chromedp.WaitReady("#wpadminbar"))

	b.open(w.gateway + "/wp-admin/post-new.php")
	b.run(chromedp.WaitReady(".block-editor"))
	preview := ask(b, chromedp.Evaluate[string](`wp.data.dispatch('core/editor').editPost({title: 'Written through the gateway', content: '<!-- wp:paragraph --><p>Forty-two limpets.</p><!-- /wp:paragraph -->'})
		.then(() => wp.data.dispatch('core/editor').savePost())
		.then(() => wp.data.select('core/editor').getEditedPostPreviewLink())`, chromedp.EvalAwaitPromise))
	b.open(preview)
	if text := ask(b, chromedp.Text("body")); !strings.Contains(text, "Forty-two limpets.") {
		t.Errorf("the preview at %s does not show the post:\n%.300s", preview, text)
	}
}

func (w *world) wantNobodyCalled(t *testing.T, when string) {
	t.Helper()
	if seen := w.rest.take(); len(seen) > 0 {
		t.Errorf("%s: these were called:\n\t%s", when, strings.Join(seen, "\n\t"))
	}
}

func (w *world) wantCalled(t *testing.T, scripts bool) {
	t.Helper()
	seen := w.rest.take()
	for _, v := range vendors {
		called := slices.ContainsFunc(seen, func(s string) bool { return strings.HasPrefix(s, v.host+"/") })
		if !called && (scripts || !v.needsScript) {
			t.Errorf("%s was not called although the visitor agreed; called were:\n\t%s", v.host, strings.Join(seen, "\n\t"))
		}
	}
}

// browser is a Chromium with a fresh profile.
type browser struct {
	t     *testing.T
	site  string // the gateway's address
	ctx   context.Context
	frame cdp.FrameID // of the page itself
}

func (w *world) browser(t *testing.T, scripts bool) *browser {
	t.Helper()
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.NoSandbox,
		chromedp.Flag("host-resolver-rules", "MAP * "+w.rest.addr()+", EXCLUDE 127.0.0.1"),
		chromedp.IgnoreCertErrors,
		// Everything is in view, so that what loads lazily loads.
		chromedp.WindowSize(1200, 5000),
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-features", "OptimizationHints,Translate,MediaRouter,CertificateTransparencyComponentUpdater,HttpsUpgrades"),
	)
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 3*time.Minute)
	t.Cleanup(cancel)
	b := &browser{t: t, site: w.gateway, ctx: ctx}
	b.frame = call(b, page.GetFrameTree, cdp.Empty{}).FrameTree.Frame.ID
	call(b, page.SetLifecycleEventsEnabled, page.SetLifecycleEventsEnabledParams{Enabled: true})
	call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !scripts})
	w.rest.take()
	return b
}

func (b *browser) run(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

func ask[T any](b *browser, action chromedp.Action[T]) T {
	b.t.Helper()
	answer, err := chromedp.Run(b.ctx, action)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer
}

func call[P, R any](b *browser, command cdp.Command[P, R], params P) R {
	b.t.Helper()
	answer, err := chromedp.Call(b.ctx, command, params)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer
}

// open goes to a page and waits until neither it nor its frames load anything
// any more.
func (b *browser) open(url string) {
	b.t.Helper()
	b.settle(chromedp.Navigate(url))
}

func (b *browser) walk(site string) {
	b.t.Helper()
	for _, p := range pages {
		b.open(site + p)
	}
}

// settle waits for the page that a step leads to.
func (b *browser) settle(step chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	committed := false
	idle := func(e page.EventLifecycleEvent) bool {
		if e.FrameID != b.frame {
			return false
		}
		committed = committed || e.Name == "commit" || e.Name == "init"
		return committed && e.Name == "networkIdle"
	}
	ask(b, chromedp.WaitEvent(page.LifecycleEvent, idle, step))
}

// press clicks what leads to another page and waits for that.
func (b *browser) press(selector string) {
	b.t.Helper()
	b.settle(chromedp.Click(selector))
}

func (b *browser) wantBanner(want bool) {
	b.t.Helper()
	n := ask(b, chromedp.Evaluate[int](`document.querySelectorAll('#cg-banner').length`))
	if got := n == 1; got != want {
		b.t.Errorf("banner shown = %t, want %t", got, want)
	}
}

// wantCookies compares the names of all cookies of the profile.
func (b *browser) wantCookies(when string, want ...string) {
	b.t.Helper()
	var got []string
	for _, c := range call(b, storage.GetCookies, storage.GetCookiesParams{}).Cookies {
		got = append(got, c.Name)
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		b.t.Errorf("%s: cookies %q, want %q", when, got, want)
	}
}
