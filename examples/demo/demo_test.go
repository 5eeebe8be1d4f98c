package demo_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/numfocus/consentgate/examples/demo"
)

// start serves a demo whose gateway changes nothing.
func start(t *testing.T) (d *demo.Demo, get func(host, target, referer string) (*http.Response, string)) {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	_, port, _ := strings.Cut(server.Listener.Addr().String(), ":")
	d, err := demo.New(port)
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = d.Front(d.Site())
	server.Start()
	t.Cleanup(server.Close)
	return d, func(host, target, referer string) (*http.Response, string) {
		t.Helper()
		req, err := http.NewRequest("GET", server.URL+target, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = host
		req.Header.Set("Referer", referer)
		resp, err := server.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp, string(body)
	}
}

// standInURL finds what a page refers to on the stand-ins.
var standInURL = regexp.MustCompile(`(?:http:)?//([a-z0-9.-]+\.localhost):\d+(/[^\s"'<>)]*)?`)

// TestEveryReferenceIsAnswered follows every address of a stand-in on every
// page, and expects that all of the services that ought to be there were called.
func TestEveryReferenceIsAnswered(t *testing.T) {
	d, get := start(t)
	for _, path := range []string{"/", "/events", "/watch", "/newsletter", "/contact", "/donate"} {
		resp, page := get(demo.Without, path, "")
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s", path, resp.Status)
		}
		if strings.Contains(page, "https://") {
			t.Errorf("%s: an address that would leave this computer: %.60s", path, page[strings.Index(page, "https://"):])
		}
		for _, ref := range standInURL.FindAllStringSubmatch(page, -1) {
			host, target := ref[1], strings.ReplaceAll(ref[2], "&amp;", "&")
			if target == "" {
				continue // a preconnect
			}
			if resp, _ := get(host, target, "http://"+demo.Without+"/"); resp.StatusCode >= 400 {
				t.Errorf("%s: %s%s: %s", path, host, target, resp.Status)
			}
		}
	}
	want := []string{
		"cloudflare-web-analytics", "eventbrite", "flipcause", "google-analytics-4", "google-fonts", "google-maps",
		"google-tag-manager", "gravatar", "jetpack-stats", "little-green-light", "mailchimp-connected-site",
		"mailchimp-form", "meta-pixel", "typeform", "wp-engine", "youtube", "zapier",
	}
	if got := d.Calls(demo.Without); !slices.Equal(got, want) {
		t.Errorf("called:\n%q, want\n%q", got, want)
	}
	if got := d.Calls(demo.With); len(got) > 0 {
		t.Errorf("calls counted for the other visit: %q", got)
	}
}

func TestStandInsSetTheirCookies(t *testing.T) {
	_, get := start(t)
	_, js := get("www.googletagmanager.com.localhost", "/gtag/js?id=G-T1DEP00L01", "")
	if !strings.Contains(js, `"_ga=GA1`) || !strings.Contains(js, "http://www.google-analytics.com.localhost:") {
		t.Errorf("gtag does not set _ga, or does not call its stand-in:\n%s", js)
	}
	resp, page := get("www.youtube.com.localhost", "/embed/x", "")
	if cookies := resp.Cookies(); len(cookies) != 2 || cookies[0].Name != "YSC" || !strings.Contains(page, "set YSC") {
		t.Errorf("YouTube: %v\n%s", cookies, page)
	}
}

func TestBoard(t *testing.T) {
	_, get := start(t)
	get("www.youtube.com.localhost", "/embed/x", "http://"+demo.With+":1/")
	get("www.google.com.localhost", "/maps/embed", "http://"+demo.Without+":1/")
	get("opentidepool.wpengine.com.localhost", "/a.svg", "http://"+demo.Without+":1/")
	_, css := get("fonts.googleapis.com.localhost", "/css2", "http://"+demo.With+":1/")
	font, err := url.Parse(standInURL.FindString(css))
	if err != nil {
		t.Fatal(err)
	}
	get(font.Hostname(), font.RequestURI(), "http://fonts.googleapis.com.localhost/")

	_, board := get("localhost", "/", "")
	without, with, ok := strings.Cut(board, "With Consentgate")
	if !ok {
		t.Fatalf("no second column:\n%s", board)
	}
	for _, c := range []struct{ column, has, not string }{
		{without, "Google Maps", "YouTube"},
		{with, "YouTube", "Google Maps"},
		{with, "beacon: fonts.gstatic.com", "Nobody"},
		{without, "Necessary: the company that hosts the site", "Nobody"},
	} {
		if !strings.Contains(c.column, c.has) || strings.Contains(c.column, c.not) {
			t.Errorf("want %q and not %q in\n%s", c.has, c.not, c.column)
		}
	}
}

func TestAliases(t *testing.T) {
	got := demo.Aliases([]string{"a.example/p", "*.b.example", "*/matomo.js", "maps.google.*"})
	want := []string{"a.example.localhost/p", "*.b.example.localhost"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
