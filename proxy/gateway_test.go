package proxy_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/numfocus/consentgate/proxy"
)

// tracked is a page with a tracker in it.
const tracked = `<!doctype html><html lang="en"><head><title>t</title>` +
	`<script src="https://www.googletagmanager.com/gtag/js?id=G-X"></script></head>` +
	`<body><p>Hello.</p><iframe src="https://www.youtube.com/embed/abc" width="560" height="315"></iframe></body></html>`

func trackedOrigin(t *testing.T) *origin {
	o := newOrigin(t)
	o.page = []byte(tracked)
	return o
}

// answer is a handler that sends a header and a body.
func answer(status int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Add(header[i], header[i+1])
		}
		w.WriteHeader(status)
		if r.Method != http.MethodHead {
			w.Write([]byte(body))
		}
	}
}

func (g *gate) fetch(t *testing.T, target string, header http.Header) (*http.Response, string) {
	t.Helper()
	res := g.do(t, g.request(t, http.MethodGet, target, header))
	return res, body(t, res.Body)
}

func hasTracker(page string) bool { return strings.Contains(page, "googletagmanager.com") }

func TestFirstVisitIsCleanAndAsked(t *testing.T) {
	g := trackedOrigin(t).gateway(t)
	res, page := g.fetch(t, "/", nil)
	if hasTracker(page) || strings.Contains(page, "<iframe") {
		t.Errorf("a tracker is in the page:\n%s", page)
	}
	for _, want := range []string{`id="cg-banner"`, `id="cg-settings"`, `class="cg-placeholder" data-service="youtube"`, "<p>Hello.</p>"} {
		if !strings.Contains(page, want) {
			t.Errorf("%s is missing in\n%s", want, page)
		}
	}
	if strings.Index(page, `id="cg-banner"`) > strings.Index(page, "<p>Hello.</p>") {
		t.Error("the banner is not the first thing in body")
	}
	if got := res.Header["Set-Cookie"]; len(got) > 0 {
		t.Errorf("a first visit is given cookies: %q", got)
	}
}

func TestWhatTheVisitorSaysIsObeyed(t *testing.T) {
	o := trackedOrigin(t)
	g := o.gateway(t)
	for _, tt := range []struct {
		name           string
		form           url.Values
		script, frame  bool
		banner         bool
		consent, wantT string
	}{
		{"accept", url.Values{"choice": {"accept"}}, true, true, false, "necessary, preferences, statistics, marketing", "C;c1"},
		{"reject", url.Values{"choice": {"reject"}}, false, false, false, "necessary", "N"},
		{"statistics only", url.Values{"choice": {"save"}, "purpose": {"statistics"}}, true, false, false, "necessary, statistics", "C;c1"},
		{"one service", url.Values{"choice": {"save"}, "service": {"youtube"}}, false, true, false, "necessary", "C;c1"},
		{"save nothing", url.Values{"choice": {"save"}}, false, false, false, "necessary", "N"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cookies := g.choose(t, tt.form)
			res, page := g.fetch(t, "/", http.Header{"Cookie": {strings.Join(cookies, "; ")}})
			if got := hasTracker(page); got != tt.script {
				t.Errorf("statistics there = %t, want %t", got, tt.script)
			}
			if got := strings.Contains(page, "<iframe"); got != tt.frame {
				t.Errorf("video there = %t, want %t", got, tt.frame)
			}
			if got := strings.Contains(page, `id="cg-banner"`); got != tt.banner {
				t.Errorf("banner there = %t, want %t", got, tt.banner)
			}
			if got := o.asked.Header.Get("Consent"); got != tt.consent {
				t.Errorf("the origin is told %q, want %q", got, tt.consent)
			}
			if got := res.Header.Get("Tk"); got != tt.wantT {
				t.Errorf("Tk: %s, want %s", got, tt.wantT)
			}
			if got := o.asked.Header.Get("Cookie"); strings.Contains("; "+got, "; consent") {
				t.Errorf("our own cookie reached the origin: %q", got)
			}
		})
	}
}

func TestSignalsDecideBeforeTheFirstByte(t *testing.T) {
	o := trackedOrigin(t)
	g := o.gateway(t)
	accepted := strings.Join(g.choose(t, url.Values{"choice": {"accept"}}), "; ")
	for _, tt := range []struct {
		name   string
		header http.Header
		script bool
	}{
		{"DNT", http.Header{"Dnt": {"1"}}, false},
		{"GPC", http.Header{"Sec-Gpc": {"1"}}, false},
		{"DNT beats an accept made without it", http.Header{"Dnt": {"1"}, "Cookie": {accepted}}, false},
		{"GPC leaves statistics that sell nothing", http.Header{"Sec-Gpc": {"1"}, "Cookie": {accepted}}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, page := g.fetch(t, "/", tt.header)
			if strings.Contains(page, `id="cg-banner"`) {
				t.Error("a visitor with a signal is asked")
			}
			if got := strings.Contains(page, "gtag/js"); got != tt.script {
				t.Errorf("Google Analytics there = %t, want %t", got, tt.script)
			}
			if strings.Contains(page, "youtube.com/embed") {
				t.Error("marketing is there")
			}
			for name, want := range tt.header {
				if name != "Cookie" && !slices.Equal(o.asked.Header[name], want) {
					t.Errorf("%s reached the origin as %q", name, o.asked.Header[name])
				}
			}
		})
	}
}

func TestClientsConsentHeaderIsDropped(t *testing.T) {
	o := trackedOrigin(t)
	o.gateway(t).fetch(t, "/", http.Header{"Consent": {"marketing"}})
	if got := o.asked.Header["Consent"]; !slices.Equal(got, []string{"necessary"}) {
		t.Errorf("the origin is told %q", got)
	}
}

func TestCookiesAreFilteredBothWays(t *testing.T) {
	o := newOrigin(t)
	set := []string{
		"_ga=GA1.1; Path=/", "PHPSESSID=abc; HttpOnly", "site_theme=dark; Path=/",
		"x=1; Domain=elsewhere.test", "consent=forged",
	}
	for _, status := range []int{200, 302, 404, 500} {
		o.handle = func(w http.ResponseWriter, r *http.Request) {
			for _, line := range set {
				w.Header().Add("Set-Cookie", line)
			}
			w.Header().Set("Content-Type", "text/html")
			w.Header().Set("Location", "/next")
			w.WriteHeader(status)
		}
		g := o.gateway(t)
		res, _ := g.fetch(t, "/", http.Header{"Cookie": {"_fbp=1; PHPSESSID=abc; site_theme=dark; __Host-consent=x; consent=y"}})
		if got, want := o.asked.Header.Get("Cookie"), "PHPSESSID=abc; site_theme=dark"; got != want {
			t.Errorf("%d: the origin was sent %q, want %q", status, got, want)
		}
		var kept, expired []string
		for _, line := range res.Header["Set-Cookie"] {
			if strings.Contains(line, "Max-Age=0") {
				name, _, _ := strings.Cut(line, "=")
				expired = append(expired, name)
				continue
			}
			kept = append(kept, line)
		}
		if want := []string{"PHPSESSID=abc; HttpOnly", "site_theme=dark; Path=/"}; !slices.Equal(kept, want) {
			t.Errorf("%d: the visitor was sent %q, want %q", status, kept, want)
		}
		if !slices.Contains(expired, "_fbp") || slices.Contains(expired, "PHPSESSID") {
			t.Errorf("%d: expired were %q, want _fbp", status, expired)
		}
	}
}

func TestStrictCookies(t *testing.T) {
	o := newOrigin(t)
	o.handle = answer(200, tracked, "Content-Type", "text/html", "Set-Cookie", "who_knows=1", "Set-Cookie", "PHPSESSID=1")
	g := o.gateway(t, func(c *proxy.Config) { c.Sites[0].Cookies = proxy.Strict })
	res, _ := g.fetch(t, "/", http.Header{"Cookie": {"who_knows=1; PHPSESSID=1"}})
	if got := o.asked.Header.Get("Cookie"); got != "PHPSESSID=1" {
		t.Errorf("the origin was sent %q", got)
	}
	if lines := res.Header["Set-Cookie"]; !slices.Contains(lines, "PHPSESSID=1") || slices.Contains(lines, "who_knows=1") {
		t.Errorf("the visitor was sent %q", lines)
	}
}

func TestLoadOnceHoldsForOnePage(t *testing.T) {
	g := trackedOrigin(t).gateway(t)
	once := g.choose(t, url.Values{"choice": {"grant"}, "service": {"youtube"}, "once": {"1"}})
	res, page := g.fetch(t, "/", http.Header{"Cookie": {strings.Join(once, "; ")}})
	if !strings.Contains(page, "youtube.com/embed") || hasTracker(page) {
		t.Errorf("the page has not just the one thing that was asked for:\n%s", page)
	}
	ended := slices.ContainsFunc(res.Header["Set-Cookie"], func(line string) bool {
		return strings.HasPrefix(line, "consent-once=;") && strings.Contains(line, "Max-Age=0")
	})
	if !ended {
		t.Errorf("it holds for the next page too: %q", res.Header["Set-Cookie"])
	}
}

func TestOwnRoutesAnswerWhileTheOriginIsDown(t *testing.T) {
	o := newOrigin(t)
	g := o.gateway(t)
	o.server.Close()
	res, page := g.fetch(t, "/page", nil)
	if res.StatusCode != http.StatusBadGateway || !strings.Contains(page, "<h1") || res.Header.Get("Tk") != "N" {
		t.Errorf("%s, Tk %q:\n%s", res.Status, res.Header.Get("Tk"), page)
	}
	for _, path := range []string{"/_consent/", "/_consent/cookies", "/_consent/state", "/.well-known/dnt/", "/.well-known/gpc.json"} {
		if res, _ := g.fetch(t, path, nil); res.StatusCode != http.StatusOK || res.Header.Get("Tk") == "" {
			t.Errorf("%s: %s, Tk %q", path, res.Status, res.Header.Get("Tk"))
		}
	}
	if got := g.choose(t, url.Values{"choice": {"reject"}}); len(got) == 0 {
		t.Error("a refusal was not kept")
	}
}

func TestHostsHaveTheirSites(t *testing.T) {
	a, b := newOrigin(t), newOrigin(t)
	a.page, b.page = []byte("<html>a"), []byte("<html>b")
	g := a.gateway(t, func(c *proxy.Config) {
		c.Sites[0].Hosts = []string{"a.test", "www.a.test"}
		other := proxy.SiteConfig{Hosts: []string{"b.test"}}
		other.Upstream.URL = b.server.URL
		c.Sites = append(c.Sites, other)
	})
	for host, want := range map[string]string{"a.test": "a", "WWW.A.test:8080": "a", "a.test.": "a", "b.test": "b"} {
		if page := body(t, g.getFrom(t, host, "/", nil)); !strings.Contains(page, want) || !strings.HasPrefix(page, "<html>") {
			t.Errorf("%s: %.40q", host, page)
		}
	}
	r := g.request(t, http.MethodGet, "/", nil)
	r.Host = "c.test"
	if res := g.do(t, r); res.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("c.test: %s", res.Status)
	}
}

func TestObserveChangesNothing(t *testing.T) {
	o := newOrigin(t)
	o.handle = answer(200, tracked, "Content-Type", "text/html", "Set-Cookie", "_ga=1", "Etag", `"x"`)
	g := o.gateway(t, func(c *proxy.Config) { c.Sites[0].Mode = proxy.Observe })
	res, page := g.fetch(t, "/", http.Header{"Cookie": {"_fbp=1"}})
	if page != tracked {
		t.Errorf("the page was changed:\n%s", page)
	}
	if got := o.asked.Header.Get("Cookie"); got != "_fbp=1" {
		t.Errorf("the origin was sent %q", got)
	}
	for name, want := range map[string]string{"Tk": "!", "Etag": `"x"`, "Set-Cookie": "_ga=1", "Content-Security-Policy": ""} {
		if got := res.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if res.Header.Get("Content-Security-Policy-Report-Only") == "" {
		t.Error("the browser does not report what it would refuse")
	}
	if line := g.lastLog(t); !strings.Contains(line, `"scripts":1`) || !strings.Contains(line, `"frames":1`) {
		t.Errorf("what would be withheld was not counted: %s", line)
	}
}

func TestAdministrationIsLeftAlone(t *testing.T) {
	o := trackedOrigin(t)
	g := o.gateway(t)
	loggedIn := http.Header{"Cookie": {"wordpress_logged_in_abc=1"}}
	for _, tt := range []struct {
		target string
		header http.Header
		alone  bool
	}{
		{"/wp-admin/", nil, true},
		{"/wp-admin/post.php?post=1", nil, true},
		{"/wp-login.php", nil, true},
		{"/wp-administration", nil, false},
		{"/?p=1&preview=true", loggedIn, true},
		{"/?p=1&preview=true", nil, false},
		{"/?elementor-preview=7", loggedIn, true},
		{"/?p=1", loggedIn, false},
	} {
		res, page := g.fetch(t, tt.target, tt.header)
		if got := page == tracked; got != tt.alone {
			t.Errorf("%s %v: left alone = %t, want %t", tt.target, tt.header, got, tt.alone)
		}
		if got := res.Header.Get("Content-Security-Policy") == ""; got != tt.alone {
			t.Errorf("%s %v: without our policy = %t, want %t", tt.target, tt.header, got, tt.alone)
		}
	}
}

func TestAccessLog(t *testing.T) {
	g := trackedOrigin(t).gateway(t)
	r := g.request(t, http.MethodGet, "/page?email=ann@example.org", http.Header{"Dnt": {"1"}})
	r.Host = "site.test"
	body(t, g.do(t, r).Body)
	line := g.lastLog(t)
	for _, want := range []string{`"path":"/page"`, `"status":200`, `"client":"127.0.0.0"`, `"allowed":"necessary"`, `"dnt":true`, `"scripts":1`, `"frames":1`} {
		if !strings.Contains(line, want) {
			t.Errorf("no %s in %s", want, line)
		}
	}
	if strings.Contains(line, "ann@") || strings.Contains(line, "127.0.0.1") {
		t.Errorf("the line tells who it was: %s", line)
	}
	before := g.log.String()
	g.fetch(t, "/.well-known/dnt/", nil)
	if g.log.String() != before {
		t.Errorf("a request for the tracking status was logged: %s", g.lastLog(t))
	}
}
