package endpoint

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

func TestWhoMaySendAChoice(t *testing.T) {
	for _, tt := range []struct {
		name    string
		secure  bool
		headers []string
		ok      bool
	}{
		{"a page of the site", true, []string{"Sec-Fetch-Site", "same-origin", "Origin", "https://" + host}, true},
		{"with no-referrer as its policy", true, []string{"Sec-Fetch-Site", "same-origin", "Origin", "null"}, true},
		{"behind a proxy nobody told us of", false, []string{"Sec-Fetch-Site", "same-origin", "Origin", "https://" + host}, true},
		{"another site", true, []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}, false},
		{"another site that hides", true, []string{"Sec-Fetch-Site", "cross-site", "Origin", "null"}, false},
		{"another site without Origin", true, []string{"Sec-Fetch-Site", "cross-site"}, false},
		{"a sister domain", true, []string{"Sec-Fetch-Site", "same-site", "Origin", "https://blog." + host}, false},
		{"a liar", true, []string{"Sec-Fetch-Site", "same-origin", "Origin", "https://evil.example"}, false},
		{"before Sec-Fetch-Site", true, []string{"Origin", "https://" + host}, true},
		{"over plain HTTP", false, []string{"Origin", "http://" + host}, true},
		{"another port", false, []string{"Origin", "http://" + host + ":8080"}, false},
		{"another scheme", true, []string{"Origin", "http://" + host}, false},
		{"another host, before Sec-Fetch-Site", true, []string{"Origin", "https://evil.example"}, false},
		{"a sandboxed frame, before Sec-Fetch-Site", true, []string{"Origin", "null"}, false},
		{"an old browser", true, []string{"Referer", "https://" + host + "/x"}, true},
		{"an old browser on another site", true, []string{"Referer", "https://evil.example/x"}, false},
		{"a program", true, nil, true},
		{"garbage", true, []string{"Origin", "://%"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.secure = tt.secure
			v := w.visitor()
			a := v.post(fields("choice", "accept", "revision", revision), tt.headers...)
			if tt.ok {
				wantStatus(t, a, http.StatusSeeOther)
				return
			}
			wantStatus(t, a, http.StatusForbidden)
			if len(v.cookies) != 0 || len(w.book.receipts) != 0 {
				t.Error("the choice was taken all the same")
			}
			if !strings.Contains(a.body, "came from somewhere else") {
				t.Errorf("the page does not say why:\n%s", a.body)
			}
		})
	}
}

func TestTheHostIsTheVisitorsNotTheRequests(t *testing.T) {
	w := newWorld(t, func(_ *Config, s *Site) {
		s.Host = func(r *http.Request) string { return r.Header.Get("X-Forwarded-Host") }
	})
	a := w.visitor().post(fields("choice", "reject"), "X-Forwarded-Host", "www.numfocus.example", "Origin", "http://www.numfocus.example")
	wantStatus(t, a, http.StatusSeeOther)
}

func TestWhereAChoiceLeads(t *testing.T) {
	const here = "http://" + host
	for _, tt := range []struct{ name, target, referer, want string }{
		{"named", "/a/b?c=d", here + "/x", "/a/b?c=d"},
		{"the page it was sent from", "", here + "/x?y=z", "/x?y=z"},
		{"no referrer", "", "", "/"},
		{"another site's page", "", "https://evil.example/x", "/"},
		{"another site named", "//evil.example/", here + "/x", "/x"},
		{"from a page about a choice gone wrong", "", here + "/_consent/choice", "/_consent/"},
		{"an escaped path stays escaped", "", here + "/a%2Fb/%C3%A9?q=%0d", "/a%2Fb/%C3%A9?q=%0d"},
		{"an encoded slash does not become one", "", here + "/%2Fevil.example/\xe9", "/%2Fevil.example/%E9"},
		{"a referrer that looks like another site", "", here + "//evil.example/", "/"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := newWorld(t).visitor().choose(fields("choice", "reject", "return", tt.target), "Referer", tt.referer)
			wantStatus(t, a, http.StatusSeeOther)
			wantHeader(t, a, "Location", tt.want)
		})
	}
}

func TestLocalTarget(t *testing.T) {
	for _, s := range []string{
		"", "x", "evil.example", "https://evil.example", "https:evil.example", "http:/evil.example", "javascript:alert(1)",
		"//evil.example", "///evil.example", `/\evil.example`, `\/evil.example`, `\\evil.example`, `/a\b`,
		"/\t/evil.example", "\t//evil.example", "/\n/evil.example", "/\r\nSet-Cookie: a=b", "/\x00", "/\x7f", " /x",
		"?x", "#x", "/" + strings.Repeat("x", longestTarget), "/%zz", "/a b:%", "%2F%2Fevil.example",
	} {
		if got, ok := localTarget(s); ok {
			t.Errorf("localTarget(%.60q) = %q, want it refused", s, got)
		}
	}
	for s, want := range map[string]string{
		"/":                    "/",
		"/a/b.html?c=d&e#f":    "/a/b.html?c=d&e#f",
		"/%2F/evil.example":    "/%2F/evil.example",
		"/%2Fevil.example/é":   "/%2Fevil.example/%C3%A9", // not "//evil.example"
		"/%5Cevil.example":     "/%5Cevil.example",
		"/%09/evil.example":    "/%09/evil.example",
		"/a//b":                "/a//b",
		"/é?q=ü x":             "/%C3%A9?q=%C3%BC%20x",
		"/x?u=https://a.b/c":   "/x?u=https://a.b/c",
		"/@evil.example":       "/@evil.example",
		"/:80":                 "/:80",
		"/.//evil.example":     "/.//evil.example",
		"/x?return=//evil.com": "/x?return=//evil.com",
	} {
		if got, ok := localTarget(s); !ok || got != want {
			t.Errorf("localTarget(%q) = %q, %v, want %q", s, got, ok, want)
		}
	}
}

// Whatever is accepted stays on this site when a browser resolves it, and can
// stand in a header field.
func FuzzLocalTarget(f *testing.F) {
	for _, s := range []string{"/", "//evil.example", `/\evil`, "/%2e%2e//x", "/a?b#c", "/é", "/%2Fevil.example/é"} {
		f.Add(s)
	}
	base, err := url.Parse("https://site.example/dir/page")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, s string) {
		target, ok := localTarget(s)
		if !ok {
			return
		}
		u, err := base.Parse(target)
		if err != nil || u.Host != base.Host || u.Scheme != base.Scheme || u.User != nil {
			t.Errorf("localTarget(%q) = %q leads to %v, %v", s, target, u, err)
		}
		if strings.HasPrefix(target, "//") || !strings.HasPrefix(target, "/") || strings.Contains(target, `\`) {
			t.Errorf("localTarget(%q) = %q could be read as another site", s, target)
		}
		if strings.ContainsFunc(target, func(c rune) bool { return c <= ' ' || c >= 0x7f }) {
			t.Errorf("localTarget(%q) = %q cannot stand in a header", s, target)
		}
		if again, ok := localTarget(target); !ok || again != target {
			t.Errorf("localTarget(%q) = %q, and of that %q, %v", s, target, again, ok)
		}
	})
}

func FuzzForm(f *testing.F) {
	f.Add("choice=save&purpose=statistics&service=youtube&override=dnt&return=/x")
	f.Add("choice=grant&once=1&service=meta-pixel")
	e := &Endpoint{services: nil}
	f.Fuzz(func(t *testing.T, body string) {
		r := httptest.NewRequest(http.MethodPost, "/_consent/choice", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		form, err := e.readForm(httptest.NewRecorder(), r)
		if err == nil && (form.verb == reject || form.verb == withdraw) && form.grants() {
			t.Errorf("%q refuses and grants at once", body)
		}
	})
}
