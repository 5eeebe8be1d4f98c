package proxy_test

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/numfocus/consentgate/proxy"
)

// calls is what scripts of a page do: third parties that wait for consent, and
// some that may load. Each is reached in a way of its own, at a path that says
// which. None of the hosts is one that Chromium calls by HTTPS whatever the page
// says.
const calls = `
window.errors = [];
addEventListener('error', e => errors.push(e.message));
addEventListener('unhandledrejection', e => errors.push(String(e.reason)));
const bad = 'http://static.hotjar.com/action/', unknown = 'http://stranger.example/', good = 'http://vjs.zencdn.net/';
const make = (tag, props) => document.head.append(Object.assign(document.createElement(tag), props));

new Image().src = bad + 'image';
Object.assign(document.createElement('img'), {src: bad + 'img'});
document.createElement('img').setAttribute('src', bad + 'setattribute');
document.createElement('img').srcset = bad + 'srcset 1x';
make('script', {src: bad + 'script.js'});
make('script', {src: unknown + 'script.js'});
make('iframe', {src: unknown + 'frame'});
make('link', {rel: 'prefetch', href: unknown + 'prefetch'});
make('link', {href: unknown + 'late-prefetch', rel: 'prefetch'});
make('link', {rel: 'stylesheet', href: bad + 'style.css'});
navigator.sendBeacon(bad + 'beacon');
navigator.sendBeacon(unknown + 'beacon');
fetch(unknown + 'fetch').then(r => r.text()).then(text => window.fetched = text);
fetch(new Request(bad + 'request'));
const x = new XMLHttpRequest();
x.open('POST', bad + 'xhr');
x.onload = () => window.loaded = x.status;
x.send('data');
new WebSocket('ws://stranger.example/socket').onopen = null;
new EventSource(unknown + 'events');

gtag('event', 'click', {event_callback: () => window.calledBack = true});
fbq('track', 'PageView'); _paq.push(['trackPageView']); clarity('set', 'a', 'b'); ttq.track('x'); dataLayer.push({event: 'x'});
EBWidgets.createWidget({widgetType: 'checkout'}); _stq.push(['view']); new Intercom().boot;

document.cookie = '_ga=1; path=/';
document.cookie = '_ga_XYZ=1; path=/';
document.cookie = 'mine=1; path=/';
window.atOnce = document.cookie;

new Image().src = unknown + 'picture.jpg';
make('script', {src: good + 'library.js'});
make('link', {rel: 'stylesheet', href: unknown + 'style.css'});
`

var harmless = []string{"stranger.example/picture.jpg", "stranger.example/style.css", "vjs.zencdn.net/library.js"}

func TestGuard(t *testing.T) {
	for name, change := range map[string]func(*proxy.Config){
		"with the policy": func(*proxy.Config) {},
		// No policy can list who may not load, so the guard is alone.
		"alone": func(c *proxy.Config) { c.Sites[0].Unknown = proxy.UnknownAllow },
	} {
		t.Run(name, func(t *testing.T) {
			o, w := newOrigin(t), newRest(t)
			o.serve("", calls)
			g := o.gateway(t, change)
			b := g.browser(t, w)
			b.open("/")
			b.until("window.calledBack && document.cookie.includes('mine') && !document.cookie.includes('_ga')")
			b.until("performance.getEntriesByType('resource').filter(e => /picture|style.css|library/.test(e.name)).length >= 3")
			want := harmless
			if name == "alone" {
				want = append(slices.Clone(harmless), "stranger.example/beacon", "stranger.example/events", "stranger.example/fetch",
					"stranger.example/frame", "stranger.example/late-prefetch", "stranger.example/prefetch", "stranger.example/script.js", "stranger.example/socket")
				slices.Sort(want)
			}
			if got := w.take(); !slices.Equal(got, want) {
				t.Errorf("asked for were\n%q, want\n%q", got, want)
			}
			if errors := eval[[]string](b, "errors"); len(errors) > 0 && name != "alone" {
				t.Errorf("the page's own code fails: %q", errors)
			}
			if got := eval[int](b, "window.loaded"); got != 200 {
				t.Errorf("a request that is refused ends with %d", got)
			}
			if got := eval[string](b, "window.atOnce"); !slices.Contains([]string{"; _ga=1; _ga_XYZ=1; mine=1", "mine=1"}, got) {
				t.Errorf("the page reads its cookies back as %q", got)
			}
		})
	}
}

// Nothing is in the way of a visitor who granted everything, and a tag that loads
// after consent finds no stub.
func TestNoGuardAfterConsent(t *testing.T) {
	o, w := newOrigin(t), newRest(t)
	o.serve("", `new Image().src = 'http://static.hotjar.com/action'; document.cookie = '_ga=1'; window.found = [typeof fbq, typeof gtag]`)
	g := o.gateway(t)
	b := g.browser(t, w)
	b.open("/")
	eval[any](b, `fetch('/_consent/choice', {method: 'POST', headers: {Accept: 'application/json'}, body: new URLSearchParams(`+
		`{choice: 'accept', revision: '1'})})`)
	b.open("/")
	b.until("document.cookie == '_ga=1'")
	if got := eval[[]string](b, "window.found"); !slices.Equal(got, []string{"undefined", "function"}) {
		t.Errorf("fbq and gtag are %q", got)
	}
	b.until("performance.getEntriesByType('resource').some(e => e.name.includes('action'))")
	if got := w.take(); !slices.Equal(got, []string{"static.hotjar.com/action"}) {
		t.Errorf("asked for were %q", got)
	}
}

// A page of a site that forbids inline scripts gets none from us.
func TestScriptsUnderAStrictPolicy(t *testing.T) {
	o := newOrigin(t)
	o.serve("", "")
	g := o.gateway(t)
	for _, cookies := range [][]string{nil, g.choose(t, url.Values{"choice": {"accept"}})} {
		page := body(t, g.getFrom(t, g.server.Listener.Addr().String(), "/", cookies))
		if inlineScript.MatchString(page) {
			t.Errorf("there is an inline script in\n%s", page)
		}
	}
}

var inlineScript = regexp.MustCompile(`<script>`)

// What the guard refuses, the policy does not come to see: the inventory learns of it
// by the guard's own reports, each host once.
func TestGuardReports(t *testing.T) {
	w := watch(t, proxy.SiteConfig{})
	w.origin.serve("", calls)
	b := w.browser(t, newRest(t))
	b.open("/?who=jane")
	want := []string{"static.hotjar.com hotjar 1 [/]", "stranger.example  2 [/]"} // by http: and by ws:
	var got []string
	for range 500 {
		got = nil
		for _, r := range w.store.File().Sites["default"].Reports {
			got = append(got, fmt.Sprint(r.Host, " ", r.Service, " ", r.Count, " ", r.Pages))
		}
		if slices.Sort(got); slices.Equal(got, want) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("reported is %q, want %q", got, want)
}
