package main

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/numfocus/consentgate/proxy"
)

func TestRobots(t *testing.T) {
	const text = "\ufeffUser-agent: *\nDisallow: /\nCrawl-delay: 7 # s\n\nSitemap: /a.xml\n" +
		"user-agent: other\nUser-Agent: CONSENTGATE-SCAN\nDisallow: /private\nAllow: /private/open$\nDisallow: /*.pdf$\nDisallow: /*?*sort=\nDisallow:\nCrawl-delay: 2.5\nsitemap: https://example.org/b.xml\n"
	r := parseRobots(text, scanAgent)
	for path, want := range map[string]bool{
		"/": true, "/a": true, "/private": false, "/private/x": false, "/privateer": false,
		"/private/open": true, "/private/open/x": false,
		"/a.pdf": false, "/a.pdf?x": true, "/a/b.pdf": false,
		"/a?b=1&sort=x": false, "/a?b=1": true,
	} {
		if got := r.allows(path); got != want {
			t.Errorf("%s is allowed: %t, want %t", path, got, want)
		}
	}
	if r.delay != 2500*time.Millisecond || !slices.Equal(r.sitemaps, []string{"/a.xml", "https://example.org/b.xml"}) {
		t.Errorf("%+v", r)
	}
	if r := parseRobots(text, "somebody-else"); r.allows("/a") || r.delay != 7*time.Second {
		t.Errorf("for others: %+v", r)
	}
	for _, odd := range []string{"", "Disallow: /", "User-agent: *\nDisallow", "<!doctype html>", "User-agent: *\nCrawl-delay: NaN\n", "User-agent: *\nCrawl-delay: -1"} {
		if r := parseRobots(odd, scanAgent); !r.allows("/") || r.delay < 0 {
			t.Errorf("%q: %+v", odd, r)
		}
	}
	if r := parseRobots("User-agent: *\nCrawl-delay: 1e300", scanAgent); r.delay != longestDelay {
		t.Errorf("a delay of %s", r.delay)
	}
}

func FuzzRobots(f *testing.F) {
	f.Add("User-agent: *\nDisallow: /a*b$\nAllow: /$\nCrawl-delay: 1", "/ab")
	f.Fuzz(func(t *testing.T, text, path string) {
		r := parseRobots(text, scanAgent)
		r.allows(path)
		if r.delay < 0 || r.delay > longestDelay {
			t.Fatal(r.delay)
		}
	})
}

func TestHarmless(t *testing.T) {
	for link, want := range map[string]bool{
		"/":                               true,
		"/2026/11/tide/":                  true,
		"/about.html":                     true,
		"/v1.2/notes":                     true,
		"/?page_id=7":                     true,
		"/wp-admin/":                      false,
		"/en/WP-Admin/post.php":           false,
		"/wp-login.php?action=logout":     false,
		"/account/customer-logout/":       false,
		"/shop/?add-to-cart=7":            false,
		"/shop/?remove_item=7":            false,
		"/post/?replytocom=3":             false,
		"/post/?_wpnonce=3":               false,
		"/a.PDF":                          false,
		"/feed/":                          false,
		"/wp-content/uploads/2026/a.html": false,
		"/_consent/":                      false,
	} {
		u, err := url.Parse("https://example.org" + link)
		if err != nil {
			t.Fatal(err)
		}
		if got := harmless(u); got != want {
			t.Errorf("%s: %t, want %t", link, got, want)
		}
	}
}

// asked is a site that notes what it is asked for.
type asked struct {
	*httptest.Server
	paths  []string
	agents []string
}

func newAsked(t *testing.T, handle http.HandlerFunc) *asked {
	t.Helper()
	a := &asked{}
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.paths = append(a.paths, r.URL.RequestURI())
		a.agents = append(a.agents, r.UserAgent())
		if r.Method != http.MethodGet || r.Header.Get("Cookie") != "" {
			t.Errorf("%s %s with cookies %q", r.Method, r.URL, r.Header.Get("Cookie"))
		}
		w.Header().Set("Set-Cookie", "a=b")
		handle(w, r)
	}))
	t.Cleanup(a.Close)
	return a
}

func (a *asked) crawl(t *testing.T, pages int) (read []string, c *crawler, err error) {
	t.Helper()
	start, err := siteAddress(a.URL)
	if err != nil {
		t.Fatal(err)
	}
	c = newCrawler(crawlLimits{pages: pages})
	err = c.run(t.Context(), start, func(p *webPage) error {
		read = append(read, p.url.RequestURI())
		return nil
	})
	return read, c, err
}

func page(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "text/html")
	fmt.Fprint(w, "<!doctype html>", text)
}

func TestCrawl(t *testing.T) {
	site := newAsked(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/robots.txt":
			fmt.Fprint(w, "User-agent: *\nDisallow: /no\nSitemap: /wp-sitemap.xml")
		case "/wp-sitemap.xml":
			fmt.Fprint(w, `<sitemapindex><sitemap><loc>/pages.xml</loc></sitemap><sitemap><loc>/more.xml.gz</loc></sitemap><sitemap><loc>https://elsewhere.example/x.xml</loc></sitemap></sitemapindex>`)
		case "/pages.xml":
			fmt.Fprint(w, `<urlset><url><loc> /in-sitemap/ </loc></url><url><loc>https://elsewhere.example/</loc></url>`) // cut off
		case "/more.xml.gz":
			packed := gzip.NewWriter(w)
			fmt.Fprint(packed, `<urlset><url><loc>/in-packed-sitemap/</loc></url></urlset>`)
			packed.Close()
		case "/":
			page(w, `<base href="/sub/"><a href="one?utm_source=x#top">1</a><a href="/no/where">2</a><a href="//elsewhere.example/">3</a>
				<a href="/moved">4</a><a rel="nofollow" href="/nofollow">5</a><a href="/data">6</a><a href="/broken">7</a><a href="javascript:x()">8</a>
				<a href="/cal?d=1">9</a><a href="/cal?d=2">10</a><a href="/cal?d=3">11</a><form action="/form"><button>12</button></form><iframe src="/framed"></iframe>`)
		case "/moved":
			http.Redirect(w, r, "/new", http.StatusMovedPermanently)
		case "/data":
			w.Header().Set("Content-Type", "application/json")
		case "/broken":
			w.WriteHeader(http.StatusInternalServerError)
		default:
			page(w, "<a href=/>home</a>")
		}
	})
	read, c, err := site.crawl(t, 50)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"/", "/sub/one", "/cal?d=1", "/cal?d=2", "/framed", "/in-sitemap/", "/in-packed-sitemap/", "/new"}
	if !slices.Equal(read, want) {
		t.Errorf("read  %q\nwant %q", read, want)
	}
	if c.forbidden != 1 || len(c.problems) != 1 || !strings.HasSuffix(c.problems[0].URL, "/broken") {
		t.Errorf("%d forbidden, problems %v", c.forbidden, c.problems)
	}
	for _, p := range site.paths {
		if strings.HasPrefix(p, "/no") || p == "/form" {
			t.Errorf("asked for %s", p)
		}
	}
	for _, agent := range site.agents {
		if !strings.HasPrefix(agent, "consentgate-scan/") {
			t.Errorf("it says it is %q", agent)
		}
	}
}

// A site can make a crawler go on for ever, or take in too much.
func TestCrawlBounds(t *testing.T) {
	t.Run("endless links", func(t *testing.T) {
		site := newAsked(t, func(w http.ResponseWriter, r *http.Request) {
			page(w, fmt.Sprintf(`<a href="%sx/">x</a><a href="%sy/">y</a>`, r.URL.Path, r.URL.Path))
		})
		read, c, err := site.crawl(t, 9)
		if err != nil || len(read) != 9 || c.expected() != 9 {
			t.Errorf("%d pages read, %d expected, %v", len(read), c.expected(), err)
		}
	})
	t.Run("no pages", func(t *testing.T) {
		n := 0
		site := newAsked(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/" {
				n++
				http.Redirect(w, r, fmt.Sprintf("/%d", n), http.StatusFound)
				return
			}
			page(w, `<a href="/0">x</a>`)
		})
		if _, _, err := site.crawl(t, 5); err != nil || len(site.paths) > requestsPerPage*5+maxRedirects {
			t.Errorf("%d requests, %v", len(site.paths), err)
		}
	})
	t.Run("a long page", func(t *testing.T) {
		site := newAsked(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/robots.txt" {
				w.WriteHeader(http.StatusNotFound)
				return
			}
			page(w, strings.Repeat("x", maxPageBytes+1))
		})
		if _, _, err := site.crawl(t, 5); err == nil || !strings.Contains(err.Error(), "is longer than") {
			t.Error(err)
		}
	})
	t.Run("round in a circle", func(t *testing.T) {
		site := newAsked(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) })
		if _, _, err := site.crawl(t, 5); err == nil || !strings.Contains(err.Error(), "to no end") {
			t.Error(err)
		}
	})
	t.Run("robots.txt fails", func(t *testing.T) {
		site := newAsked(t, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
		if _, _, err := site.crawl(t, 5); err == nil || !strings.Contains(err.Error(), "whether robots may") || len(site.paths) != 1 {
			t.Error(err, site.paths)
		}
	})
	t.Run("leads to another site", func(t *testing.T) {
		site := newAsked(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/robots.txt" {
				w.WriteHeader(http.StatusNotFound)
				return
			}
			http.Redirect(w, r, "https://elsewhere.example/", http.StatusFound)
		})
		if _, _, err := site.crawl(t, 5); err == nil || !strings.Contains(err.Error(), "scan https://elsewhere.example/") {
			t.Error(err)
		}
	})
}

// Crawl-delay and rate hold between any two requests; the end of the context
// ends the wait.
func TestCrawlWaits(t *testing.T) {
	site := newAsked(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/robots.txt" {
			fmt.Fprint(w, "User-agent: *\nCrawl-delay: 50")
			return
		}
		page(w, "")
	})
	start, err := siteAddress(site.URL)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	c := newCrawler(crawlLimits{pages: 5})
	read := 0
	err = c.run(ctx, start, func(*webPage) error {
		read++
		cancel() // and not after the 50 seconds
		return nil
	})
	if !errors.Is(err, context.Canceled) && err != nil || read != 1 {
		t.Errorf("%d pages, %v", read, err)
	}
	if d := time.Until(c.next); c.robots.delay != 50*time.Second || d < 30*time.Second {
		t.Errorf("delay %s, the next request in %s", c.robots.delay, d)
	}
}

// The HTML report is one file that loads nothing, whatever names are in it.
func TestScanHTML(t *testing.T) {
	const odd = `"><script src=https://evil.example/x.js></script><img src=x onerror=alert(1)>`
	r := &scanReport{
		URL: "https://example.org/" + odd, At: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC), Version: "v1",
		Pages:    []scanPage{{URL: odd, Things: 3}},
		Problems: []scanProblem{{odd, odd}},
		Services: []scanService{{ID: "x", Name: odd, Vendor: odd, Purpose: "marketing", Withheld: true, Pages: []string{odd}}},
		Unknown:  []scanUnknown{{Host: odd, Kinds: []string{"script"}, Example: "javascript:alert(1)", Pages: []string{odd}}},
		Cookies:  []scanCookie{{Name: odd}},
		Policies: []string{odd}, Needs: []scanSource{{"script-src", []string{odd}}}, Block: odd,
	}
	var out strings.Builder
	if err := writeScanHTML(&out, r); err != nil {
		t.Fatal(err)
	}
	tokens := html.NewTokenizer(strings.NewReader(out.String()))
	for tokens.Next() != html.ErrorToken {
		token := tokens.Token()
		if token.Type != html.StartTagToken && token.Type != html.SelfClosingTagToken {
			continue
		}
		switch token.Data {
		case "script", "link", "img", "iframe", "object", "embed", "base", "a", "form":
			t.Errorf("it has %s", token)
		}
		for _, a := range token.Attr {
			if a.Key == "src" || a.Key == "href" || strings.HasPrefix(a.Key, "on") {
				t.Errorf("it has %s", token)
			}
		}
	}
	if strings.Contains(out.String(), "@import") || strings.Contains(out.String(), "url(") {
		t.Error("its style loads something")
	}
}

// What a page shows is told by host and service, and nothing of it twice.
func TestScanFindings(t *testing.T) {
	start, err := siteAddress("https://example.org")
	if err != nil {
		t.Fatal(err)
	}
	explainer, err := proxy.NewExplainer(proxy.SiteConfig{}, start.String())
	if err != nil {
		t.Fatal(err)
	}
	f := newFindings(explainer)
	for _, path := range []string{"/", "/b"} {
		u := *start
		u.Path = path
		err := f.add(&webPage{url: &u, status: 200,
			header: http.Header{"Set-Cookie": {"_ga=1", "basket=2", "bad\x00=1"}, "Content-Security-Policy": {"img-src *"},
				"Link": {`<https://w.example/early.css>; rel=preload; as=style, </next>; rel=next`}},
			body: []byte(`<!doctype html><script src="//www.googletagmanager.com/gtag/js?id=G-1"></script>
				<script src="https://w.example/a.js"></script><img src="https://w.example/a.png"><img src="/own.png"><a href="https://linked.example/">x</a>`),
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	c := newCrawler(crawlLimits{pages: 2})
	c.home = start
	r := f.report(c, false)
	if len(r.Services) != 1 || r.Services[0].ID != "google-analytics-4" || r.Services[0].Times != 2 || r.Services[0].Waits() != "waits for statistics" {
		t.Errorf("services %+v", r.Services)
	}
	if len(r.Unknown) != 1 || r.Unknown[0].Host != "w.example" || fmt.Sprint(r.Unknown[0].Kinds, r.Unknown[0].Pages, r.Unknown[0].Times) != "[script image style] [/ /b] 6" {
		t.Errorf("unknown %+v", r.Unknown)
	}
	if len(r.Cookies) != 2 || r.Cookies[0].Service != "google-analytics-4" || r.Cookies[1].Name != "basket" || r.Cookies[1].Waits() != "passes" {
		t.Errorf("cookies %+v", r.Cookies)
	}
	if len(r.Policies) != 1 || len(r.Needs) != 3 || r.Pages[0].Things != 4 {
		t.Errorf("policies %q, needs %+v, pages %+v", r.Policies, r.Needs, r.Pages)
	}
}
