package proxy_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/numfocus/consentgate/consent/ledger/ledgertest"
	"github.com/numfocus/consentgate/consent/token"
	"github.com/numfocus/consentgate/proxy"
	"github.com/numfocus/consentgate/proxy/inventory"
)

const busyPage = `<!doctype html><html lang="en"><head>
<script async src="https://www.googletagmanager.com/gtag/js?id=G-T"></script>
<script>window.dataLayer = window.dataLayer || [];
function gtag(){dataLayer.push(arguments);} gtag('js', new Date()); gtag('config', 'G-T');</script>
<script src="https://widgets.example/w.js?visitor=7"></script>
</head><body><img src="https://pictures.example/a.png"><a href="https://elsewhere.example/">x</a>
<iframe src="https://www.youtube.com/embed/x"></iframe><img src="/own.png"></body></html>`

// busy answers with a page, a cookie nobody knows, one of a service, and headers
// that lead elsewhere.
func busy(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/html")
	h.Add("Set-Cookie", "basket_1234567=a; Path=/")
	h.Add("Set-Cookie", "_ga=GA1.1.1.1; Path=/")
	h.Set("Link", "<https://hints.example>; rel=preconnect")
	if r.URL.Path == "/absent" {
		w.WriteHeader(http.StatusNotFound)
	}
	fmt.Fprint(w, busyPage)
}

// watched is a gate whose inventory can be read.
type watched struct {
	*gate
	origin *origin
	store  *inventory.Store
	now    time.Time
}

func watch(t *testing.T, c proxy.SiteConfig) *watched {
	t.Helper()
	o := newOrigin(t)
	o.handle = busy
	c.Upstream.URL = o.server.URL
	tokens, err := token.New([]token.Key{token.NewKey()})
	if err != nil {
		t.Fatal(err)
	}
	w := &watched{origin: o, now: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)}
	now := func() time.Time { return w.now }
	w.store = inventory.InMemory(now)
	g, err := proxy.New(proxy.Config{Sites: []proxy.SiteConfig{c}}, proxy.Parts{
		Ledger: ledgertest.New(), Tokens: tokens, Log: zerolog.Nop(), Inventory: w.store, Now: now,
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(g)
	t.Cleanup(server.Close)
	w.gate = &gate{server: server, client: &http.Client{
		Transport:     &http.Transport{DisableCompression: true, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	return w
}

// visit gets a page.
func (w *watched) visit(t *testing.T, target string, header http.Header) (*http.Response, string) {
	t.Helper()
	res := w.do(t, w.request(t, http.MethodGet, target, header))
	return res, body(t, res.Body)
}

func (w *watched) entries() map[string]inventory.Entry {
	found := map[string]inventory.Entry{}
	for _, e := range w.store.File().Sites["default"].Seen {
		found[strings.TrimSpace(fmt.Sprint(e.Kind, " ", e.Name, " ", e.Service))] = e
	}
	return found
}

// wantCounts looks until the counts are there: an answer is recorded after its
// last byte.
func (w *watched) wantCounts(t *testing.T, want map[string][2]uint64) {
	t.Helper()
	var got map[string]inventory.Entry
	for range 500 {
		got = w.entries()
		if agree(got, want) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	for name, counts := range want {
		if e := got[name]; [2]uint64{e.Withheld, e.Passed} != counts {
			t.Errorf("%s: %d withheld and %d passed, want %v", name, e.Withheld, e.Passed, counts)
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%s is in the inventory: %+v", name, got[name])
		}
	}
}

func agree(got map[string]inventory.Entry, want map[string][2]uint64) bool {
	for name, counts := range want {
		if e, ok := got[name]; !ok || [2]uint64{e.Withheld, e.Passed} != counts {
			return false
		}
	}
	return len(got) == len(want)
}

// undecided is what one visit of somebody who has not chosen leaves.
func undecided() map[string][2]uint64 {
	return map[string][2]uint64{
		"script www.googletagmanager.com google-analytics-4": {1, 0},
		"script  google-analytics-4":                         {1, 0},
		"script widgets.example":                             {1, 0},
		"image pictures.example":                             {0, 1},
		"frame www.youtube.com youtube":                      {1, 0},
		"hint hints.example":                                 {1, 0},
		"cookie _ga google-analytics-4":                      {1, 0},
		"cookie basket_*":                                    {0, 1},
	}
}

func TestInventory(t *testing.T) {
	w := watch(t, proxy.SiteConfig{})
	w.visit(t, "/donate/?who=jane", nil)
	w.wantCounts(t, undecided())
	w.now = w.now.Add(24 * time.Hour)
	// From memory it counts as well, and a page that does not exist is no example.
	w.visit(t, "/donate/?who=joe", nil)
	w.visit(t, "/absent", nil)
	want := undecided()
	for name, counts := range want {
		want[name] = [2]uint64{3 * counts[0], 3 * counts[1]}
	}
	w.wantCounts(t, want)
	for name, e := range w.entries() {
		if fmt.Sprint(e.Pages) != "[/donate/]" || e.FirstSeen != "2026-11-24" || e.LastSeen != "2026-11-25" {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

func TestInventoryOfGrants(t *testing.T) {
	w := watch(t, proxy.SiteConfig{})
	cookies := w.choose(t, url.Values{"choice": {"save"}, "purpose": {"statistics"}, "return": {"/"}})
	w.visit(t, "/", http.Header{"Cookie": {strings.Join(cookies, "; ")}})
	w.wantCounts(t, map[string][2]uint64{
		"script www.googletagmanager.com google-analytics-4": {0, 1},
		"script widgets.example":                             {1, 0},
		"image pictures.example":                             {0, 1},
		"frame www.youtube.com youtube":                      {1, 0},
		"hint hints.example":                                 {1, 0},
		"cookie _ga google-analytics-4":                      {0, 1},
		"cookie basket_*":                                    {0, 1},
	})
}

// A visitor can send any cookie: that is no sign of what the site uses.
func TestInventoryBelievesNoVisitor(t *testing.T) {
	w := watch(t, proxy.SiteConfig{})
	forged := http.Header{"Cookie": {"_hjSession_1=x; _fbp=y; jane=1"}}
	w.visit(t, "/", forged)
	w.wantCounts(t, undecided())
	w.visit(t, "/", http.Header{"Cookie": {"_ga=GA1.1.1.1"}})
	want := undecided()
	for name, counts := range want {
		want[name] = [2]uint64{2 * counts[0], 2 * counts[1]}
	}
	want["cookie _ga google-analytics-4"] = [2]uint64{3, 0} // set twice, returned once
	w.wantCounts(t, want)
}

// In mode observe the visitor gets what the origin sends, and everything is
// counted as if it had been withheld.
func TestObserve(t *testing.T) {
	w := watch(t, proxy.SiteConfig{Mode: proxy.Observe})
	res, page := w.visit(t, "/", http.Header{"Cookie": {"_ga=GA1.1.1.1; jane=1"}, "Accept-Encoding": {"gzip"}})
	asked := w.origin.asked.Header
	if asked.Get("Cookie") != "_ga=GA1.1.1.1; jane=1" || asked.Get("Accept-Encoding") != "gzip" || asked["Consent"] != nil {
		t.Errorf("the origin hears %q", asked)
	}
	if page != busyPage {
		t.Errorf("the page is not the origin's:\n%s", page)
	}
	h := res.Header
	if got := h["Set-Cookie"]; len(got) != 2 || got[0] != "basket_1234567=a; Path=/" || got[1] != "_ga=GA1.1.1.1; Path=/" {
		t.Errorf("cookies: %q", got)
	}
	if got := h.Get("Link"); got != "<https://hints.example>; rel=preconnect" {
		t.Errorf("Link: %s", got)
	}
	if got := h.Get("Tk"); got != "!" {
		t.Errorf("Tk: %q", got)
	}
	if strings.Contains(h.Get("Vary"), "Consent") {
		t.Errorf("Vary: %q", h["Vary"])
	}
	if h.Get("Content-Security-Policy") != "" || !strings.Contains(h.Get("Content-Security-Policy-Report-Only"), "report-uri /_consent/report") {
		t.Errorf("policies: %q and %q", h["Content-Security-Policy"], h["Content-Security-Policy-Report-Only"])
	}
	want := undecided()
	want["cookie _ga google-analytics-4"] = [2]uint64{2, 0} // returned and set
	w.wantCounts(t, want)
}

// What scripts would have loaded is reported by the browser, which in this mode has
// loaded it all the same.
func TestObserveCountsReports(t *testing.T) {
	w := watch(t, proxy.SiteConfig{Mode: proxy.Observe})
	here := strings.TrimPrefix(w.server.URL, "http://")
	text := fmt.Sprintf(`{"csp-report":{"document-uri":"http://%s/a?b","blocked-uri":"https://static.hotjar.com/c/hotjar.js","effective-directive":"script-src-elem","disposition":"report"}}`, here)
	if got := w.report(t, "application/csp-report", text); got != http.StatusNoContent {
		t.Errorf("a report is answered %d", got)
	}
	got := w.store.File().Sites["default"].Reports
	if len(got) != 1 || got[0].Host != "static.hotjar.com" || got[0].Service != "hotjar" || got[0].Disposition != "report" || fmt.Sprint(got[0].Pages) != "[/a]" {
		t.Errorf("inventory: %+v", got)
	}
}

// TestObserveInABrowser has Chromium report what a script of the site brings.
func TestObserveInABrowser(t *testing.T) {
	w := watch(t, proxy.SiteConfig{Mode: proxy.Observe})
	w.origin.serve("", `document.head.append(Object.assign(document.createElement('script'), {src: 'http://static.hotjar.com/x.js'}))`)
	rest := newRest(t)
	w.browser(t, rest).open("/")
	for range 500 {
		if len(w.store.File().Sites["default"].Reports) > 0 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	got := w.store.File().Sites["default"].Reports
	if len(got) != 1 || got[0].Host != "static.hotjar.com" || got[0].Disposition != "report" {
		t.Errorf("inventory: %+v", got)
	}
	if called := rest.take(); fmt.Sprint(called) != "[static.hotjar.com/x.js]" {
		t.Errorf("called were %q", called)
	}
}

func (w *watched) report(t *testing.T, mediaType, text string) int {
	t.Helper()
	res, err := w.client.Post(w.server.URL+"/_consent/report", mediaType, strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	return res.StatusCode
}

func TestReports(t *testing.T) {
	w := watch(t, proxy.SiteConfig{})
	here := strings.TrimPrefix(w.server.URL, "http://")
	csp := func(page, blocked string) string {
		return fmt.Sprintf(`{"csp-report":{"document-uri":%q,"blocked-uri":%q,"effective-directive":"script-src-elem","disposition":"enforce"}}`, page, blocked)
	}
	for _, text := range []string{
		csp("http://"+here+"/donate/?who=jane", "https://late.example/x.js"),
		csp("http://"+here+"/", "https://www.googletagmanager.com/gtag/js?id=G-T"),
		csp("https://elsewhere.example/", "https://forged.example/x.js"), // not a page of this site
		`x`,
	} {
		if got := w.report(t, "application/csp-report", text); got != http.StatusNoContent {
			t.Errorf("%s is answered %d", text, got)
		}
	}
	w.report(t, "application/reports+json", fmt.Sprintf(
		`[{"type":"csp-violation","body":{"documentURL":"http://%s/","blockedURL":"https://late.example/y.js","effectiveDirective":"script-src-elem","disposition":"enforce"}}]`, here))
	got := w.store.File().Sites["default"]
	if len(got.Reports) != 2 || len(got.Seen) != 0 {
		t.Fatalf("inventory: %+v", got)
	}
	if r := got.Reports[0]; r.Host != "late.example" || r.Count != 2 || r.Service != "" || fmt.Sprint(r.Pages) != "[/donate/ /]" {
		t.Errorf("%+v", r)
	}
	if r := got.Reports[1]; r.Host != "www.googletagmanager.com" || r.Service != "google-analytics-4" {
		t.Errorf("%+v", r)
	}
	refused := 0
	for range 100 {
		if w.report(t, "application/csp-report", `{}`) == http.StatusTooManyRequests {
			refused++
		}
	}
	if refused < 30 {
		t.Errorf("%d of 105 reports in a minute are refused", refused)
	}
}

// What the site's configuration says anew holds for what was seen before.
func TestInventoryFollowsTheCatalog(t *testing.T) {
	w := watch(t, proxy.SiteConfig{})
	w.visit(t, "/", nil)
	w.wantCounts(t, undecided())
	tokens, err := token.New([]token.Key{token.NewKey()})
	if err != nil {
		t.Fatal(err)
	}
	c := proxy.SiteConfig{Name: "default", Hosts: []string{"example.org"}, FirstParty: []string{"pictures.example"}}
	c.Upstream.URL = "http://127.0.0.1:1"
	if _, err := proxy.New(proxy.Config{Sites: []proxy.SiteConfig{c}}, proxy.Parts{
		Ledger: ledgertest.New(), Tokens: tokens, Log: zerolog.Nop(), Inventory: w.store,
	}); err != nil {
		t.Fatal(err)
	}
	want := undecided()
	delete(want, "image pictures.example")
	w.wantCounts(t, want)
}
