package proxy_test

import (
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/numfocus/consentgate/proxy"
)

// longPage has something to type into, to scroll past and, once granted, a video. Its
// own lines are where they stay from the start, however little of it has come.
const longPage = `<h1>News</h1><form style="display:grid;justify-items:start"><input name="who"><input name="pass" type="password"><input name="letter" type="checkbox">
<select name="day"><option>Monday<option>Friday</select><textarea name="words"></textarea></form>` +
	`<div style="height:3000px">Words.</div><iframe width="560" height="315" title="A talk" src="http://www.dailymotion.com/embed/video/x1"></iframe>` +
	`<img src="http://static.hotjar.com/pixel" alt="" width="1" height="1"><div style="height:2000px"></div>`

// watching keeps an account of what moves before the visitor's eyes: from where to where,
// also of what browsers forgive because the visitor has just done something.
const watching = `
window.born = Math.random();
window.moved = [];
const at = r => [r.x, r.y, r.width, r.height].join(' ');
new PerformanceObserver(l => l.getEntries().forEach(e => moved.push(e.value.toFixed(4) + ': ' + e.sources.map(s =>
	(s.node?.id || s.node?.name || s.node?.nodeName) + ' from ' + at(s.previousRect) + ' to ' + at(s.currentRect)).join(', ')))).observe({type: 'layout-shift', buffered: true});
`

func polished(t *testing.T, change ...func(*proxy.Config)) (*tab, *rest, *origin) {
	t.Helper()
	o, w := newOrigin(t), newRest(t)
	o.serve(longPage, watching)
	b := o.gateway(t, change...).browser(t, w)
	b.open("/")
	b.until("window.consentgate")
	return b, w, o
}

func (b *tab) click(selector string) {
	b.Helper()
	b.do(chromedp.Click(selector))
}

func (b *tab) has(selector string) bool {
	b.Helper()
	return eval[bool](b, "!!document.querySelector('"+selector+"')")
}

func TestRejectLeavesTheVisitorWhereTheyAre(t *testing.T) {
	b, w, _ := polished(t)
	other := b.another()
	other.open("/")
	other.until("document.getElementById('cg-banner')")
	born := eval[float64](b, "born")
	b.do(chromedp.Focus(`#cg-banner [value=reject]`))
	b.click(`#cg-banner [value=reject]`)
	b.until("document.querySelector('[role=status]')?.textContent == 'Your choice has been saved.'")
	if b.has("#cg-banner") || eval[float64](b, "born") != born {
		t.Error("the banner is there still, or the page is another one")
	}
	if on := eval[string](b, "document.activeElement.localName"); on != "main" {
		t.Errorf("the focus is on %s", on)
	}
	other.until("!document.getElementById('cg-banner')")
	b.open("/next")
	if b.has("#cg-banner") {
		t.Error("the visitor is asked again")
	}
	if seen := w.take(); len(seen) > 0 {
		t.Errorf("called were %q", seen)
	}
}

func TestAcceptKeepsPlaceAndWords(t *testing.T) {
	b, w, _ := polished(t)
	eval[any](b, `(scrollTo(0, 900), document.forms[0].innerHTML, Object.assign(document.querySelector('[name=who]'), {value: 'Ada'}).name)`)
	eval[any](b, `[['words', 'value', 'Dear all'], ['pass', 'value', 'secret'], ['letter', 'checked', true], ['day', 'value', 'Friday']]
		.map(([name, p, v]) => document.querySelector('[name=' + name + ']')[p] = v)`)
	b.click(`#cg-banner [value=accept]`)
	b.until("window.consentgate?.has('marketing') && document.querySelector('[role=status]')?.textContent")
	got := eval[[]any](b, `[scrollY, ...['who', 'words', 'pass', 'day'].map(n => document.querySelector('[name=' + n + ']').value), document.querySelector('[name=letter]').checked]`)
	want := []any{900.0, "Ada", "Dear all", "", "Friday", true}
	if !slices.Equal(got, want) {
		t.Errorf("place and words are %v, want %v", got, want)
	}
	b.until("document.querySelector('iframe')")
	if seen := w.take(); !slices.Contains(seen, "static.hotjar.com/pixel") {
		t.Errorf("called were only %q", seen)
	}
	if kept := eval[int](b, "sessionStorage.length"); kept != 0 {
		t.Errorf("%d things are kept in the session", kept)
	}
}

func TestSettingsOverThePage(t *testing.T) {
	b, _, _ := polished(t)
	born := eval[float64](b, "born")
	const frame = "document.querySelector('#cg-dialog iframe')?.contentDocument"
	b.click(`.cg-choose`)
	b.until(frame + "?.activeElement?.localName == 'h1'")
	b.do(chromedp.KeyEvent(kb.Escape))
	b.until("!document.getElementById('cg-dialog')")
	if on := eval[string](b, "document.activeElement.className"); on != "cg-choose" {
		t.Errorf("the focus is on %q", on)
	}
	b.click(`.cg-choose`)
	b.until(frame + "?.querySelector('.bar [value=save]')")
	eval[any](b, frame+".querySelector('[value=statistics]').click()")
	eval[any](b, frame+".querySelector('.bar [value=save]').click()")
	b.until("window.consentgate?.has('statistics') && !document.getElementById('cg-dialog')")
	if eval[float64](b, "born") == born || eval[bool](b, "consentgate.has('marketing')") {
		t.Error("the page is still the one without statistics")
	}

	eval[any](b, `(localStorage.setItem('_hjid', 'me'), localStorage.setItem('basket', 'two'), 1)`)
	eval[any](b, "[document.querySelector('#cg-settings').click()]") // the page may still be scrolling to where it was
	b.until(frame + "?.querySelector('[value=withdraw]')")
	eval[any](b, frame+".querySelector('[value=withdraw]').click()")
	b.until("window.consentgate && !consentgate.has('statistics')")
	if kept := eval[[]string](b, "Object.keys(localStorage)"); !slices.Equal(kept, []string{"basket"}) {
		t.Errorf("kept on the device are %q", kept)
	}
}

func TestEscapeMeansNotNow(t *testing.T) {
	b, _, _ := polished(t)
	b.do(chromedp.KeyEvent(kb.Escape))
	if !b.has("#cg-banner") {
		t.Fatal("Escape elsewhere is taken for an answer")
	}
	b.do(chromedp.Focus(`.cg-choose`), chromedp.KeyEvent(kb.Escape))
	b.until("!document.getElementById('cg-banner')")
	for _, path := range []string{"/two", "/three"} {
		b.open(path)
		b.until("!document.getElementById('cg-banner')")
	}
	if answered := eval[bool](b, "fetch('/_consent/state').then(r => r.json()).then(s => s.answered)"); answered {
		t.Error("it counts as an answer")
	}
}

// A page that comes back from the browser's memory, or was made ahead of time, may be
// of a time before the visitor's answer.
func TestAPageFromBeforeTheAnswer(t *testing.T) {
	b, _, _ := polished(t)
	eval[any](b, `fetch('/_consent/choice', {method: 'POST', headers: {Accept: 'application/json'}, body: new URLSearchParams({choice: 'accept', revision: '1'})})`)
	eval[any](b, `dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))`)
	b.until("window.consentgate?.has('marketing')")
}

func TestKeyboardWalk(t *testing.T) {
	b, _, _ := polished(t)
	var walk []string
	for range 5 {
		b.do(chromedp.KeyEvent(kb.Tab))
		walk = append(walk, eval[string](b, "document.activeElement.value || document.activeElement.getAttribute('href') || document.activeElement.name"))
	}
	want := []string{"/_consent/cookies", "reject", "accept", "/_consent/", "who"}
	if !slices.Equal(walk, want) {
		t.Errorf("the keyboard leads to %q, want %q", walk, want)
	}
	b.do(chromedp.Focus(`#cg-banner [value=reject]`), chromedp.KeyEvent(kb.Enter))
	b.until("!document.getElementById('cg-banner')")
}

// Where the site's own policy lets some of what we do not happen, the way without
// scripts is left: whoever visits can answer, choose and change their mind.
func TestSiteWithAPolicyOfItsOwn(t *testing.T) {
	policies := []string{
		"script-src 'none'",
		"default-src 'self'; connect-src 'none'",
		"default-src 'self'",
		"default-src 'none'; form-action 'self'",
		"script-src 'nonce-4f2a' 'strict-dynamic'; style-src 'nonce-4f2a'; object-src 'none'; base-uri 'none'",
		"script-src 'nonce-4f2a'; frame-src 'none'",
		"default-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'",
		"default-src 'self'; form-action 'none'", // here, only scripts can send a form
		"sandbox allow-forms allow-same-origin",
	}
	o, w := newOrigin(t), newRest(t)
	o.serve(longPage, watching)
	serve := o.handle
	var said atomic.Value // the policy; the last page may still be loading when it changes
	o.handle = func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", said.Load().(string))
		serve(w, r)
	}
	b := o.gateway(t).browser(t, w)
	const answered = "document.querySelector('#cg-settings') && !document.querySelector('#cg-banner')"
	for _, policy := range policies {
		t.Log(policy)
		said.Store(policy)
		b.forget()
		b.open("/")
		b.click(`#cg-banner [value=accept]`)
		b.until(answered + " && !document.querySelector('.cg-placeholder')")
		if at := eval[string](b, "location.pathname"); at != "/" {
			t.Errorf("%s: the visitor is at %s", policy, at)
		}
		const settings = "(document.querySelector('#cg-dialog iframe')?.contentDocument || location.pathname == '/_consent/' && document)"
		eval[any](b, "[document.querySelector('#cg-settings').click()]")
		b.until(settings + "?.querySelector('[value=withdraw]')")
		eval[any](b, settings+".querySelector('[value=withdraw]').click()")
		b.until("document.readyState == 'complete' && (location.pathname == '/_consent/' ? document.querySelector('.note') : document.querySelector('.cg-placeholder'))")
		b.open("/")
		b.until("document.querySelector('.cg-placeholder') && " + answered)

		b.forget()
		b.open("/")
		eval[any](b, "[window.before = true]")
		b.click(`#cg-banner [value=reject]`)
		b.until(answered + " && (!window.before || document.querySelector('[role=status]')?.textContent)") // not while it is sent
		b.open("/")
		if b.has("#cg-banner") || !b.has(".cg-placeholder") {
			t.Errorf("%s: no is not taken for an answer", policy)
		}
	}
	_ = w.take() // those who agreed called whom they like
}

// forget makes a new visitor of the browser's.
func (b *tab) forget() {
	b.Helper()
	if _, err := chromedp.Call(b.ctx, network.ClearBrowserCookies, cdp.Empty{}); err != nil {
		b.Fatal(err)
	}
}

func TestVendorsAreTold(t *testing.T) {
	o, w := newOrigin(t), newRest(t)
	o.serve("", `window.queue = JSON.stringify([...dataLayer].map(a => [...a])); addEventListener('load', () => window.wp = wp_consent_type)`)
	b := o.gateway(t).browser(t, w)
	b.open("/")
	eval[any](b, `fetch('/_consent/choice', {method: 'POST', headers: {Accept: 'application/json'}, body: new URLSearchParams({choice: 'save', purpose: 'statistics', revision: '1'})})`)
	b.open("/")
	b.until("window.wp == 'optin'")
	queue := eval[string](b, "queue")
	for _, part := range []string{`["consent","default"`, `"analytics_storage":"granted"`, `"ad_storage":"denied"`, `"ad_user_data":"denied"`, `"ad_personalization":"denied"`, `"security_storage":"granted"`, `["set","ads_data_redaction",true]`} {
		if !strings.Contains(queue, part) {
			t.Errorf("%s is not in %s", part, queue)
		}
	}
	if got := eval[any](b, "[...clarity.q].map(a => [...a])[0][1].analytics_Storage"); got != "granted" {
		t.Errorf("Clarity is told %v", got)
	}
}
