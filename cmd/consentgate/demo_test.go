package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/numfocus/consentgate/examples/demo"
)

// standIn finds what a page would load from a stand-in; that one is linked to,
// or that a form is sent to one, is the visitor's own doing.
var (
	standIn = regexp.MustCompile(`//([a-z0-9.-]+)\.localhost:\d+`)
	clicked = regexp.MustCompile(`(?:<a[^>]* href|<form[^>]* action)="[^"]*"`)
)

// TestDemo opens every page of the demo without the gateway, with it, and with
// it once everything is accepted.
func TestDemo(t *testing.T) {
	port := startDemo(t)
	without := visitor{t, newBrowser(t), "http://" + demo.Without + ":" + port}
	with := visitor{t, newBrowser(t), "http://" + demo.With + ":" + port}

	everybody := without.standIns()
	if len(everybody) < 19 {
		t.Fatalf("without the gateway only these are called: %q", everybody)
	}
	// The site's own hosting company is necessary, and not asked about.
	if got, want := with.standIns(), []string{"opentidepool.wpengine.com"}; !slices.Equal(got, want) {
		t.Errorf("with the gateway, before anybody agreed: got %q, want %q", got, want)
	}
	if cookies := with.cookies(); slices.Contains(cookies, "mailchimp_landing_site") || !slices.Contains(cookies, "wordpress_test_cookie") {
		t.Errorf("cookies before anybody agreed: %q", cookies)
	}
	with.accept()
	if got := with.standIns(); !slices.Equal(got, everybody) {
		t.Errorf("after accepting: got %q, want %q", got, everybody)
	}
	if cookies := with.cookies(); !slices.Contains(cookies, "mailchimp_landing_site") {
		t.Errorf("cookies after accepting: %q", cookies)
	}
}

func startDemo(t *testing.T) (port string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	var out, errs bytes.Buffer
	go func() { ended <- serveDemo(ctx, console{out: &out, err: &errs}, listener) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the demo ended with: %v", err)
		}
		if errs.Len() > 0 {
			t.Errorf("the demo complained:\n%s", &errs)
		}
	})
	_, port, _ = net.SplitHostPort(listener.Addr().String())
	return port
}

func newBrowser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return browserLike(jar)
}

// A visitor goes to one address of the demo with a browser of its own.
type visitor struct {
	t       *testing.T
	browser *http.Client
	address string
}

// standIns opens every page and returns whom they would call, by the vendors'
// real names, sorted, each once.
func (v visitor) standIns() []string {
	v.t.Helper()
	var hosts []string
	for _, path := range []string{"/", "/events", "/watch", "/newsletter", "/contact", "/donate"} {
		page := clicked.ReplaceAllString(v.page(path), "")
		for _, m := range standIn.FindAllStringSubmatch(page, -1) {
			hosts = append(hosts, m[1])
		}
	}
	slices.Sort(hosts)
	return slices.Compact(hosts)
}

func (v visitor) page(path string) string {
	v.t.Helper()
	req, err := http.NewRequest("GET", v.address+path, nil)
	if err != nil {
		v.t.Fatal(err)
	}
	req.Header.Set("Accept", "text/html,*/*;q=0.8")
	resp, err := v.browser.Do(req)
	if err != nil {
		v.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		v.t.Fatalf("%s: %s, %v", path, resp.Status, err)
	}
	return string(body)
}

func (v visitor) accept() {
	v.t.Helper()
	req, err := http.NewRequest("POST", v.address+"/_consent/choice", strings.NewReader("choice=accept&revision=1&return=/"))
	if err != nil {
		v.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	resp, err := v.browser.Do(req)
	if err != nil {
		v.t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusSeeOther {
		v.t.Fatalf("accept: %s", resp.Status)
	}
}

func (v visitor) cookies() []string {
	v.t.Helper()
	at, err := url.Parse(v.address)
	if err != nil {
		v.t.Fatal(err)
	}
	var names []string
	for _, c := range v.browser.Jar.Cookies(at) {
		names = append(names, c.Name)
	}
	return names
}
