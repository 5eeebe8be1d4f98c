package examples_test

import (
	"bytes"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/numfocus/consentgate/examples/demo"
)

// vendorSite is the demo's site with the vendors' own addresses, as numfocus.org
// embeds them.
func vendorSite(t *testing.T) *httptest.Server {
	t.Helper()
	const port = "65535"
	d, err := demo.New(port)
	if err != nil {
		t.Fatal(err)
	}
	standIn := regexp.MustCompile(`(http:)?//([a-z0-9.-]+)\.localhost:` + port)
	return serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		d.Site().ServeHTTP(rec, r)
		for name, values := range rec.Header() {
			if name != "Content-Length" {
				w.Header()[name] = values
			}
		}
		w.WriteHeader(rec.Code)
		w.Write(standIn.ReplaceAll(rec.Body.Bytes(), []byte("https://$2")))
	}))
}

func serve(t *testing.T, h http.Handler) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

// numfocus is the example, with one origin behind all its sites.
func numfocus(t *testing.T, origin string) string {
	t.Helper()
	urls := regexp.MustCompile(`(?m)^( +url:) https://\S+$`)
	text := readFile(t, "numfocus.yaml")
	if n := len(urls.FindAllString(text, -1)); n != 3 {
		t.Fatalf("numfocus.yaml has %d origins", n)
	}
	return urls.ReplaceAllString(text, "$1 "+origin)
}

// replaced is a text with pairs of what was there and what is.
func replaced(t *testing.T, text string, pairs ...string) string {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("%q is not there to be replaced", pairs[i])
		}
		text = strings.ReplaceAll(text, pairs[i], pairs[i+1])
	}
	return text
}

// vendors are those whom the privacy policy names, each with what shows on a page
// that it is there. The site's own software and its host are necessary.
var vendors = map[string]string{
	"Cloudflare":         "static.cloudflareinsights.com",
	"Eventbrite":         "www.eventbrite.com/static/widgets",
	"Flipcause":          "www.flipcause.com/widget_assets",
	"Google":             "www.googletagmanager.com",
	"Little Green Light": "secure.lglforms.com/form_engine/s/t_T1DEP00LPLEDGE.js",
	"Mailchimp":          "chimpstatic.com",
	"Typeform":           "embed.typeform.com",
	"WordPress":          "stats.wp.com",
	"WP Engine":          "opentidepool.wpengine.com",
	"Zapier":             "interfaces.zapier.com",
}

var pages = []string{"/", "/events", "/watch", "/newsletter", "/contact", "/donate"}

// found lists the vendors that are on any page of a site.
func (v *visitor) found(site string) (names []string) {
	v.t.Helper()
	var all bytes.Buffer
	for _, path := range pages {
		resp, page := v.get(site + path)
		if resp.StatusCode != http.StatusOK {
			v.t.Fatalf("%s%s: %s", site, path, resp.Status)
		}
		all.WriteString(page)
	}
	for name, address := range vendors {
		if bytes.Contains(all.Bytes(), []byte(address)) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// TestNumFOCUS is a visit of numfocus.org as the example configures it.
func TestNumFOCUS(t *testing.T) {
	origin := vendorSite(t)
	// This computer is in Cloudflare's place.
	text := replaced(t, numfocus(t, origin.URL), "trusted_proxies: [cloudflare]", "trusted_proxies: [cloudflare, 127.0.0.1]")
	g := startGateway(t, text, "ORIGIN_SECRET=0123456789abcdef0123456789abcdef")
	v := newVisitor(t, to(strings.TrimPrefix(g.url, "http://")))
	v.header.Set("X-Forwarded-Proto", "https")
	const site = "http://numfocus.org"

	_, first := v.get(site + "/")
	banner := regexp.MustCompile(`(?s)<section id="cg-banner".*?</section>`).FindString(first)
	for _, want := range []string{"NumFOCUS", "https://numfocus.org/privacy-policy", "Reject all", "Accept all"} {
		if !strings.Contains(banner, want) {
			t.Errorf("the banner does not say %q:\n%s", want, banner)
		}
	}
	if got := v.found(site); !slices.Equal(got, []string{"WP Engine"}) {
		t.Errorf("there before anybody was asked: %q", got)
	}

	// What has been seen on the pages is told of soon after.
	var settings string
	eventually(t, "the settings name every vendor", func() bool {
		_, page := v.get(site + "/_consent/")
		settings = strings.Join(strings.Fields(page), " ")
		for name := range vendors {
			if !strings.Contains(settings, name) {
				return false
			}
		}
		return true
	})
	// See, correct, delete, port, object, withdraw, and no longer than needed.
	for _, want := range []string{"to see the personal data", "to correct or delete it", "take elsewhere", "to stop using it", "withdraw here", "no longer than it needs it"} {
		if !strings.Contains(settings, want) {
			t.Errorf("the settings do not promise %q", want)
		}
	}

	v.header.Set("Sec-Fetch-Site", "same-origin")
	resp, _ := v.do(http.MethodPost, site+"/_consent/choice", url.Values{"choice": {"accept"}, "revision": {"1"}, "return": {"/"}}.Encode())
	cookie := resp.Header.Get("Set-Cookie")
	if resp.StatusCode != http.StatusSeeOther || !strings.HasPrefix(cookie, "__Host-consent=") || !strings.Contains(cookie, "Secure") {
		t.Fatalf("after yes: %s, %q", resp.Status, cookie)
	}
	value, _, _ := strings.Cut(cookie, ";")
	v.header.Set("Cookie", value) // the jar keeps it from plain HTTP, which only Cloudflare is spared here
	if got := v.found(site); len(got) != len(vendors) {
		t.Errorf("after yes there are only %q", got)
	}

	// Another site of the same organisation asks for itself; a third only counts.
	other := newVisitor(t, to(strings.TrimPrefix(g.url, "http://")))
	if _, page := other.get("http://pydata.org/"); !strings.Contains(page, `id="cg-banner"`) {
		t.Error("pydata.org does not ask")
	}
	if _, page := other.get("http://preview.numfocus.org/"); strings.Contains(page, `id="cg-banner"`) || !strings.Contains(page, vendors["Google"]) {
		t.Error("preview.numfocus.org does not just observe")
	}
	if resp, _ := other.get("http://numfocus.example/"); resp.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("a host of nobody's: %s", resp.Status)
	}
}

// TestNumFOCUSTellsItsOrigin expects the origin to be able to refuse everybody
// but the gateway.
func TestNumFOCUSTellsItsOrigin(t *testing.T) {
	seen := make(chan http.Header, 1)
	origin := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen <- r.Header.Clone()
	}))
	const secret = "0123456789abcdef0123456789abcdef"
	g := startGateway(t, numfocus(t, origin.URL), "ORIGIN_SECRET="+secret)
	v := newVisitor(t, to(strings.TrimPrefix(g.url, "http://")))
	v.header.Set("X-Origin-Secret", "a guess")
	v.header.Set("CF-Connecting-IP", "192.0.2.7") // not from Cloudflare
	v.get("http://numfocus.org/")
	h := <-seen
	if got := h.Values("X-Origin-Secret"); !slices.Equal(got, []string{secret}) {
		t.Errorf("X-Origin-Secret: %q", got)
	}
	for name, values := range h {
		if slices.ContainsFunc(values, func(s string) bool { return strings.Contains(s, "192.0.2.7") }) {
			t.Errorf("%s: %q, which only Cloudflare may say", name, values)
		}
	}
	if ip := net.ParseIP(h.Get("X-Forwarded-For")); ip == nil || !ip.IsLoopback() {
		t.Errorf("X-Forwarded-For: %q", h.Get("X-Forwarded-For"))
	}
}
