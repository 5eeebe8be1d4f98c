package endpoint

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/numfocus/consentgate/consent"
)

func TestHandles(t *testing.T) {
	e := newWorld(t).endpoint
	for path, want := range map[string]bool{
		"/_consent/": true, "/_consent": true, "/_consent/x": true, "/_consentx": false, "/x/_consent/": false, "/": false,
		"/.well-known/dnt/": true, "/.well-known/dnt/c1": true, "/.well-known/dnt": false, "/.well-known/dnt-policy.txt": true,
		"/.well-known/gpc.json": true, "/.well-known/gpc.jsonx": false, "/.well-known/acme-challenge/x": false,
	} {
		if got := e.Handles(path); got != want {
			t.Errorf("Handles(%q) = %v, want %v", path, got, want)
		}
	}
}

func TestPages(t *testing.T) {
	w := newWorld(t)
	for path, words := range map[string]string{"/_consent/": "Cookie settings", "/_consent/cookies": "Cookies and third parties"} {
		a := w.visitor().get(path)
		wantStatus(t, a, http.StatusOK)
		wantHeader(t, a, "Content-Type", "text/html; charset=utf-8")
		wantHeader(t, a, "Content-Language", "en")
		wantHeader(t, a, "Cache-Control", "no-store")
		wantHeader(t, a, "X-Robots-Tag", "noindex")
		wantHeader(t, a, "Referrer-Policy", "same-origin")
		wantHeader(t, a, "X-Content-Type-Options", "nosniff")
		if !strings.Contains(a.body, "<h1>"+words+"</h1>") {
			t.Errorf("%s: no heading %q", path, words)
		}
		if csp := a.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
			t.Errorf("%s: policy %q", path, csp)
		}
		if len(a.Cookies()) != 0 {
			t.Errorf("%s: sets cookies %v", path, a.Cookies())
		}
	}
}

// Whatever our pages use must be allowed by the policy they are sent with.
func TestPagesKeepTheirOwnPolicy(t *testing.T) {
	v := newWorld(t).visitor("DNT", "1", "Sec-GPC", "1")
	for _, path := range []string{"/_consent/", "/_consent/cookies", "/_consent/nowhere"} {
		page := v.get(path).body
		for _, bad := range []string{"<script", " style=", "<style", " onclick", "src=\"http"} {
			if strings.Contains(page, bad) {
				t.Errorf("%s uses %q", path, bad)
			}
		}
	}
}

func TestMethods(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{http.MethodHead, "/_consent/", http.StatusOK, ""},
		{http.MethodHead, "/_consent/state", http.StatusOK, ""},
		{http.MethodHead, "/.well-known/gpc.json", http.StatusOK, ""},
		{http.MethodPost, "/_consent/", http.StatusMethodNotAllowed, "GET, HEAD"},
		{http.MethodDelete, "/_consent/receipt", http.StatusMethodNotAllowed, "GET, HEAD"},
		{http.MethodGet, "/_consent/report", http.StatusMethodNotAllowed, "POST"},
		{http.MethodPut, "/_consent/choice", http.StatusMethodNotAllowed, "POST"},
		{http.MethodPost, "/.well-known/dnt/", http.StatusMethodNotAllowed, "GET, HEAD"},
		{http.MethodGet, "/_consent/nowhere", http.StatusNotFound, ""},
		{http.MethodGet, "/_consent/assets/", http.StatusNotFound, ""},
		{http.MethodGet, "/_consent/../x", http.StatusNotFound, ""},
	} {
		a := w.visitor().do(tt.method, tt.path, "")
		if a.StatusCode != tt.status || a.Header.Get("Allow") != tt.allow {
			t.Errorf("%s %s: %d, Allow %q, want %d, %q", tt.method, tt.path, a.StatusCode, a.Header.Get("Allow"), tt.status, tt.allow)
		}
		if tt.method == http.MethodHead && a.body != "" {
			t.Errorf("%s %s has a body", tt.method, tt.path)
		}
	}
	a := w.visitor().get("/_consent")
	wantStatus(t, a, http.StatusMovedPermanently)
	wantHeader(t, a, "Location", "/_consent/")
}

func TestSettingsRememberWhereTheVisitorCameFrom(t *testing.T) {
	v := newWorld(t).visitor()
	for _, tt := range []struct{ path, referer, want string }{
		{"/_consent/", "http://" + host + "/talks/?x=1", `<a href="/talks/?x=1">Back`},
		{"/_consent/", "http://" + host + "/_consent/cookies", `<a href="/">Back`},
		{"/_consent/", "https://evil.example/", `<a href="/">Back`},
		{"/_consent/?return=%2Fdonate", "", `<a href="/donate">Back`},
		{"/_consent/?return=%2F%2Fevil.example", "", `<a href="/">Back`},
		{"/_consent/?return=javascript:alert(1)", "", `<a href="/">Back`},
	} {
		if page := v.get(tt.path, "Referer", tt.referer).body; !strings.Contains(page, tt.want) {
			t.Errorf("%s from %q: no %q in\n%.900s", tt.path, tt.referer, tt.want, page)
		}
	}
}

// A whole walk with nothing but links and forms: choose in the settings, be told
// so, withdraw. L9: withdrawing is one activation in the settings, which are one
// activation away from any page.
func TestSettingsWithoutScript(t *testing.T) {
	v := newWorld(t).visitor()
	page := v.get("/_consent/", "Referer", "http://"+host+"/talks/").body
	target := regexp.MustCompile(`name="return" value="([^"]*)"`).FindStringSubmatch(page)
	if target == nil {
		t.Fatalf("the form leads nowhere:\n%s", page)
	}
	next := strings.ReplaceAll(target[1], "&amp;", "&")
	a := v.choose(fields("choice", "save", "purpose", "statistics", "from", "settings", "return", next))
	wantStatus(t, a, http.StatusSeeOther)

	page = v.get(a.Header.Get("Location")).body
	for _, want := range []string{
		"Your choice has been saved.", `<a href="/talks/">Back`, `value="withdraw"`,
		"On November 24, 2026 you allowed Statistics. That holds until May 23, 2027.",
		`name="purpose" value="statistics" aria-label="Allow: Statistics" checked`,
		v.choice().Record,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("after saving there is no %q in the settings", want)
		}
	}
	wantStatus(t, v.choose(fields("choice", "withdraw", "from", "settings")), http.StatusSeeOther)
	if page = v.get("/_consent/").body; strings.Contains(page, "checked") || !strings.Contains(page, "you refused everything optional") {
		t.Error("after withdrawing the settings still show consent")
	}
}

func TestState(t *testing.T) {
	w := newWorld(t)
	v := w.visitor("Sec-GPC", "1")
	v.choose(fields("choice", "save", "purpose", "statistics", "service", "youtube"))
	a := v.get("/_consent/state")
	wantHeader(t, a, "Content-Type", "application/json")
	wantHeader(t, a, "Cache-Control", "no-store")
	var s state
	if err := json.Unmarshal([]byte(a.body), &s); err != nil {
		t.Fatal(err)
	}
	want := map[consent.Purpose]bool{"necessary": true, "preferences": false, "statistics": true, "marketing": false}
	if !maps.Equal(s.Purposes, want) || !slices.Equal(s.Services, []consent.ServiceID{"youtube"}) ||
		s.Ask || !s.Answered || !s.Signals.GPC || !s.Signals.NoSale || s.Signals.NoTracking || s.Revision != revision ||
		!s.ValidUntil.Equal(noon.AddDate(0, 0, 180)) {
		t.Errorf("state %s", a.body)
	}
	if strings.Contains(a.body, v.choice().Record) {
		t.Error("the state tells scripts the visitor's identifier")
	}
	if fresh := w.visitor().get("/_consent/state").body; !strings.Contains(fresh, `"ask": true`) || !strings.Contains(fresh, `"services": []`) {
		t.Errorf("state of an undecided visitor: %s", fresh)
	}
}

func TestReceipt(t *testing.T) {
	w := newWorld(t)
	v := w.visitor()
	wantStatus(t, v.get("/_consent/receipt"), http.StatusNotFound)
	v.choose(fields("choice", "save", "purpose", "statistics", "override", "dnt"), "DNT", "1")
	v.choose(fields("choice", "accept"))
	a := v.get("/_consent/receipt")
	wantStatus(t, a, http.StatusOK)
	wantHeader(t, a, "Content-Type", "application/json")
	var r record
	if err := json.Unmarshal([]byte(a.body), &r); err != nil {
		t.Fatal(err)
	}
	if r.Record != v.choice().Record || len(r.Events) != 2 || r.Parties[0].Name != "NumFOCUS" ||
		r.Processing.Withdrawal != "/_consent/" || len(r.Processing.Purposes) != 3 {
		t.Errorf("receipt %s", a.body)
	}
	if first := r.Events[0]; !first.OverrodeDNT || first.DNT != "1" || !first.Purposes["statistics"] || first.Purposes["marketing"] {
		t.Errorf("first event %+v", first)
	}
	wantStatus(t, w.visitor().get("/_consent/receipt"), http.StatusNotFound)

	w.book.broken = true
	wantStatus(t, v.get("/_consent/receipt"), http.StatusServiceUnavailable)
}

func TestReport(t *testing.T) {
	w := newWorld(t)
	v := w.visitor()
	for _, tt := range []struct {
		mediaType, body string
		status          int
	}{
		{"application/csp-report", `{"csp-report":{}}`, http.StatusNoContent},
		{"application/reports+json; charset=utf-8", `[]`, http.StatusNoContent},
		{"application/reports+json", `["too much"]`, http.StatusTooManyRequests},
		{"text/plain", `x`, http.StatusUnsupportedMediaType},
		{"", `x`, http.StatusUnsupportedMediaType},
		{"application/reports+json", strings.Repeat("x", largestBody+1), http.StatusRequestEntityTooLarge},
	} {
		wantStatus(t, v.do(http.MethodPost, "/_consent/report", tt.body, "Content-Type", tt.mediaType), tt.status)
	}
	want := []string{`application/csp-report {"csp-report":{}}`, `application/reports+json []`, `application/reports+json ["too much"]`}
	if !slices.Equal(w.reports, want) {
		t.Errorf("reports %q, want %q", w.reports, want)
	}
}

func TestAssets(t *testing.T) {
	w := newWorld(t)
	v := w.visitor()
	found := regexp.MustCompile(`/_consent/assets/[a-z]+\.[0-9a-f]{12}\.css`).FindString(v.get("/_consent/").body)
	if found == "" {
		t.Fatal("the settings have no style sheet")
	}
	plain, packed := v.get(found), v.get(found, "Accept-Encoding", "br;q=1, gzip;q=0.5")
	for _, a := range []answer{plain, packed} {
		wantStatus(t, a, http.StatusOK)
		wantHeader(t, a, "Content-Type", "text/css; charset=utf-8")
		wantHeader(t, a, "Cache-Control", "public, max-age=31536000, immutable")
		wantHeader(t, a, "Vary", "Accept-Encoding")
	}
	wantHeader(t, plain, "Content-Encoding", "")
	wantHeader(t, packed, "Content-Encoding", "gzip")
	z, err := gzip.NewReader(strings.NewReader(packed.body))
	if err != nil {
		t.Fatal(err)
	}
	unpacked, err := io.ReadAll(z)
	if err != nil || string(unpacked) != plain.body {
		t.Errorf("packed and plain differ: %v", err)
	}
	if plain.Header.Get("ETag") == packed.Header.Get("ETag") {
		t.Error("two encodings have the same tag")
	}
	wantStatus(t, v.get(found, "If-None-Match", plain.Header.Get("ETag")), http.StatusNotModified)
	wantHeader(t, v.get(found, "Accept-Encoding", "gzip;q=0"), "Content-Encoding", "")
}

func TestPagesArePacked(t *testing.T) {
	v := newWorld(t).visitor()
	plain, packed := v.get("/_consent/cookies"), v.get("/_consent/cookies", "Accept-Encoding", "gzip, br")
	wantHeader(t, packed, "Content-Encoding", "gzip")
	wantHeader(t, packed, "Vary", "Accept-Encoding")
	z, err := gzip.NewReader(strings.NewReader(packed.body))
	if err != nil {
		t.Fatal(err)
	}
	if page, err := io.ReadAll(z); err != nil || string(page) != plain.body {
		t.Errorf("packed and plain differ: %v", err)
	}
}

func TestWellKnown(t *testing.T) {
	const status = "application/tracking-status+json"
	rest := `"controller":["/privacy-policy"],"same-party":["numfocus.example","www.numfocus.example","pydata.org"],` +
		`"policy":"/privacy-policy","config":"/_consent/"}` + "\n"
	v := newWorld(t).visitor("DNT", "1", "Sec-GPC", "1", "Accept-Language", "fr")
	v.choose(fields("choice", "accept"))
	for path, want := range map[string][2]string{
		"/.well-known/dnt/":     {status, `{"tracking":"?",` + rest},
		"/.well-known/dnt/c1":   {status, `{"tracking":"C",` + rest},
		"/.well-known/dnt/t1":   {status, `{"tracking":"T",` + rest},
		"/.well-known/gpc.json": {"application/json", `{"gpc":true,"lastUpdate":"2026-11-01"}` + "\n"},
	} {
		a := v.get(path)
		wantStatus(t, a, http.StatusOK)
		wantHeader(t, a, "Content-Type", want[0])
		wantHeader(t, a, "Cache-Control", "public, max-age=86400")
		if a.body != want[1] {
			t.Errorf("%s:\n got %s\nwant %s", path, a.body, want[1])
		}
		if len(a.Cookies()) != 0 {
			t.Errorf("%s sets cookies", path)
		}
	}
	for _, path := range []string{"/.well-known/dnt/c2", "/.well-known/dnt/C1", "/.well-known/dnt/c1/", "/.well-known/dnt-policy.txt"} {
		wantStatus(t, v.get(path), http.StatusNotFound)
	}
}

func TestWellKnownWhileObserving(t *testing.T) {
	v := newWorld(t, func(_ *Config, s *Site) { s.Observe = true }).visitor()
	if body := v.get("/.well-known/dnt/").body; !strings.Contains(body, `"tracking":"!"`) {
		t.Errorf("tracking status %s", body)
	}
	if body := v.get("/.well-known/gpc.json").body; !strings.Contains(body, `"gpc":false`) {
		t.Errorf("a site that withholds nothing says it honours GPC: %s", body)
	}
}

func TestAnotherPrefix(t *testing.T) {
	v := newWorld(t, func(c *Config, _ *Site) { c.Prefix = "/privacy/choices/" }).visitor()
	wantStatus(t, v.get("/privacy/choices/"), http.StatusOK)
	wantStatus(t, v.get("/privacy/choices"), http.StatusMovedPermanently)
	if v.endpoint.Handles("/_consent/") {
		t.Error("the default prefix is still taken")
	}
}

func TestConfigCheck(t *testing.T) {
	policy := filepath.Join(t.TempDir(), "dnt-policy.txt")
	if err := os.WriteFile(policy, []byte("We promise."), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		cfg  Config
		want string
	}{
		"zero":                {Config{}, ""},
		"all":                 {Config{Prefix: "/a/b/", GPCUpdated: "2026-11-01", SameParty: []string{"pydata.org"}}, ""},
		"root":                {Config{Prefix: "/"}, "prefix"},
		"no slash at the end": {Config{Prefix: "/x"}, "prefix"},
		"odd characters":      {Config{Prefix: "/x y/"}, "prefix"},
		"well-known":          {Config{Prefix: "/.well-known/"}, "prefix"},
		"date":                {Config{GPCUpdated: "1 Nov"}, "gpc_updated"},
		"URL for a domain":    {Config{SameParty: []string{"https://pydata.org"}}, "same_party[0]"},
		"no policy there":     {Config{DNTPolicy: "/nowhere/dnt-policy.txt"}, "dnt_policy"},
		"a policy of our own": {Config{DNTPolicy: policy}, "change nothing in it"},
	} {
		t.Run(name, func(t *testing.T) {
			err := tt.cfg.Check()
			if tt.want == "" && err != nil {
				t.Errorf("unexpected: %v", err)
			}
			if tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestNewNeedsOneRevision(t *testing.T) {
	w := newWorld(t)
	site := w.endpoint.site
	site.Policy.Revision = "another"
	if _, err := New(Config{}, site); err == nil {
		t.Error("notice and policy of different revisions go together")
	}
}
