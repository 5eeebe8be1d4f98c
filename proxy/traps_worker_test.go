package proxy_test

import (
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

// keeper is a service worker that answers navigations from what it kept, as many
// that sites bring do, and calls somebody by itself.
const keeper = `'use strict';
fetch('http://worker.hotjar.com/', {mode: 'no-cors'}).catch(() => {});
addEventListener('activate', e => e.waitUntil(clients.claim()));
addEventListener('fetch', e => {
	if (e.request.mode != 'navigate') return;
	e.respondWith(caches.open('kept').then(async kept => await kept.match(e.request)
		|| fetch(e.request).then(r => (kept.put(e.request, r.clone()), r))));
});`

const keptPage = `<!doctype html><html lang="en"><head><title>x</title></head><body>
<script src="http://page.hotjar.com/"></script><script src="/register.js"></script></body></html>`

// keepingSite serves a page with a tracker, and counts how often it is asked for it.
func keepingSite(t *testing.T) (*origin, *atomic.Int32) {
	pages := new(atomic.Int32)
	o := newOrigin(t)
	o.handle = func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/sw.js":
			w.Header().Set("Content-Type", "text/javascript")
			io.WriteString(w, keeper)
		case "/register.js":
			w.Header().Set("Content-Type", "text/javascript")
			io.WriteString(w, `navigator.serviceWorker.register('/sw.js')`)
		case "/kept":
			pages.Add(1)
			w.Header().Set("Content-Type", "text/html")
			io.WriteString(w, keptPage)
		}
	}
	return o, pages
}

func newWorkerTab(t *testing.T, world *internet, url string) *tab {
	b := &tab{T: t, ctx: trapBrowser(t, world), url: url}
	b.open("/first")
	world.settle()
	return b
}

// keep opens the page until the worker has it and answers with it.
func (b *tab) keep() {
	b.Helper()
	b.open("/kept")
	b.until("navigator.serviceWorker.controller")
	b.open("/kept")
	eval[any](b, "caches.match('/kept').then(r => !!r)")
}

func (b *tab) choose(choice string) {
	b.Helper()
	if status := eval[int](b, `fetch('/_consent/choice', {method: 'POST', headers: {Accept: 'application/json'}, body: new URLSearchParams(`+
		`{choice: '`+choice+`', revision: '1'})}).then(r => r.status)`); status != http.StatusNoContent {
		b.Fatalf("%s: status %d", choice, status)
	}
}

// A service worker of the site holds pages of another time, in which trackers
// were allowed. It must not bring them back.
func TestServiceWorker(t *testing.T) {
	o, pages := keepingSite(t)

	t.Run("without the gateway", func(t *testing.T) {
		world := newInternet(t)
		b := newWorkerTab(t, world, o.server.URL)
		b.keep()
		if asked := world.settle("page.hotjar.com", "worker.hotjar.com"); !asked["page.hotjar.com"] || !asked["worker.hotjar.com"] {
			t.Errorf("asked for were only %q", slices.Sorted(maps.Keys(asked)))
		}
		before := pages.Load()
		b.open("/kept")
		if asked := world.settle("page.hotjar.com"); pages.Load() != before || !asked["page.hotjar.com"] {
			t.Errorf("the kept page was asked for again %d times; asked for were %q", pages.Load()-before, slices.Sorted(maps.Keys(asked)))
		}
	})

	t.Run("with it", func(t *testing.T) {
		world := newInternet(t)
		g := o.gateway(t)
		b := newWorkerTab(t, world, g.server.URL)
		nobody := func(when string) {
			t.Helper()
			if asked := world.settle(); len(asked) > 0 {
				t.Errorf("%s: asked for were %q", when, slices.Sorted(maps.Keys(asked)))
			}
		}
		b.keep()
		nobody("undecided")

		b.choose("accept")
		b.open("/kept")
		eval[any](b, "navigator.serviceWorker.getRegistration().then(r => r.update()).then(() => 1)")
		if asked := world.settle("page.hotjar.com", "worker.hotjar.com"); !asked["page.hotjar.com"] || !asked["worker.hotjar.com"] {
			t.Errorf("accepted: asked for were only %q", slices.Sorted(maps.Keys(asked)))
		}

		b.choose("withdraw")
		before := pages.Load()
		b.open("/kept")
		nobody("withdrawn")
		if pages.Load() == before {
			t.Error("withdrawn: the kept page was shown")
		}

		b.choose("accept")
		b.open("/kept")
		eval[any](b, "caches.delete('kept')")
		b.open("/kept") // is kept, as it is for who accepted
		b.choose("withdraw")
		world.settle()
		g.server.CloseClientConnections()
		g.server.Close()
		b.open("/kept")
		nobody("without a network")
		if title := eval[string](b, "document.title"); title != "x" {
			t.Errorf("without a network the kept page is not there, but %q", title)
		}
	})
}

// What a page shows its worker is what the site wrote, behind our beginning.
func TestServiceWorkerScript(t *testing.T) {
	o, _ := keepingSite(t)
	g := o.gateway(t)
	ask := func(choice http.Header) string {
		r := g.request(t, http.MethodGet, "/sw.js", choice)
		r.Header.Set("Accept", "*/*")
		r.Header.Set("Service-Worker", "script")
		r.Header.Set("Sec-Fetch-Dest", "serviceworker")
		res := g.do(t, r)
		if got := res.Header.Get("Cache-Control"); got != "no-store" {
			t.Errorf("Cache-Control: %q", got)
		}
		return body(t, res.Body)
	}
	undecided, same := ask(nil), ask(nil)
	if !strings.HasSuffix(undecided, "\n"+keeper) {
		t.Errorf("the site's own script is not at the end of\n%s", undecided)
	}
	if undecided != same {
		t.Error("the same decision makes another worker")
	}
	accepted := ask(http.Header{"Cookie": {strings.Join(g.choose(t, map[string][]string{"choice": {"accept"}}), "; ")}})
	if accepted == undecided {
		t.Error("another decision makes the same worker")
	}
	for _, header := range []http.Header{nil, {"Sec-Fetch-Dest": {"script"}}} {
		if got := body(t, g.get(t, "/register.js", header)); got != `navigator.serviceWorker.register('/sw.js')` {
			t.Errorf("a script that is no worker is %q", got)
		}
	}
}
