package cookies

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/publicsuffix"
)

var www = Site{Host: "www.example.org", Registrable: "example.org", Secure: true}

func necessary(name, _ string) bool { return !tracker(name) }

func TestFilterResponse(t *testing.T) {
	for _, test := range []struct {
		name    string
		site    Site
		line    string
		kept    bool
		dropped string
	}{
		{"necessary", www, "PHPSESSID=1; path=/; HttpOnly", true, ""},
		{"tracker", www, "_ga=1; path=/", false, "_ga"},
		{"tracker in an odd shape", www, "=_ga=1", false, "_ga"},
		{"nameless", www, "lonely", false, ""},
		{"own domain", www, "a=1; Domain=www.example.org", true, ""},
		{"registrable domain", www, "a=1; Domain=.EXAMPLE.org", true, ""},
		{"registrable domain, tracker", www, "_gid=1; Domain=.example.org", false, "_gid"},
		{"public suffix", www, "a=1; Domain=org", false, "a"},
		{"sub-domain", www, "a=1; Domain=x.www.example.org", false, "a"},
		{"sibling", www, "a=1; Domain=blog.example.org", false, "a"},
		{"foreign", www, "a=1; Domain=tracker.test", false, "a"},
		{"suffix without a dot", www, "a=1; Domain=xample.org", false, "a"},
		{"last domain counts", www, "a=1; Domain=example.org; Domain=tracker.test", false, "a"},
		{"between host and registrable", Site{Host: "a.b.example.org", Registrable: "example.org"}, "a=1; Domain=b.example.org", true, ""},
		{"address", Site{Host: "127.0.0.1", Registrable: "127.0.0.1"}, "a=1; Domain=127.0.0.1", true, ""},
		{"part of an address", Site{Host: "127.0.0.1", Registrable: "127.0.0.1"}, "a=1; Domain=0.0.1", false, "a"},
		{"single label", Site{Host: "localhost", Registrable: "localhost"}, "a=1", true, ""},
		{"host that is a public suffix", Site{Host: "github.io", Registrable: "github.io"}, "a=1; Domain=github.io", true, ""},
		{"ignored by browsers", www, "a=1; SameSite=None", false, "a"},
		{"odd bytes stay", www, `a = "x,y" ;  EXPIRES=never;;Path=/`, true, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			kept, dropped := FilterResponse([]string{test.line}, test.site, necessary)
			if got := len(kept) == 1 && kept[0] == test.line; got != test.kept {
				t.Errorf("FilterResponse(%q) kept %q", test.line, kept)
			}
			if got := strings.Join(dropped, " "); got != test.dropped {
				t.Errorf("FilterResponse(%q) dropped %q; want %q", test.line, got, test.dropped)
			}
		})
	}
}

func TestFilterResponseKeepsOrder(t *testing.T) {
	lines := []string{"a=1", "_ga=1", "b=2", "_ga=2; Path=/x", "a=3"}
	before := slices.Clone(lines)
	kept, dropped := FilterResponse(lines, www, necessary)
	if want := []string{"a=1", "b=2", "a=3"}; !slices.Equal(kept, want) {
		t.Errorf("kept %q; want %q", kept, want)
	}
	if want := []string{"_ga"}; !slices.Equal(dropped, want) {
		t.Errorf("dropped %q; want %q", dropped, want)
	}
	if !slices.Equal(lines, before) {
		t.Errorf("the lines passed in became %q", lines)
	}
}

func TestExpire(t *testing.T) {
	const gone = "; Path=/; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT"
	for _, test := range []struct {
		name, cookie string
		site         Site
		want         []string
	}{
		{"https", "_ga", www, []string{
			"_ga=" + gone + "; Secure; Partitioned", "_ga=" + gone + "; Secure",
			"_ga=" + gone + "; Domain=example.org; Secure; Partitioned", "_ga=" + gone + "; Domain=example.org; Secure",
			"_ga=" + gone + "; Domain=www.example.org; Secure; Partitioned", "_ga=" + gone + "; Domain=www.example.org; Secure",
		}},
		{"http", "_ga", Site{Host: "example.org", Registrable: "example.org"}, []string{
			"_ga=" + gone, "_ga=" + gone + "; Domain=example.org",
		}},
		{"address", "_ga", Site{Host: "127.0.0.1", Registrable: "127.0.0.1"}, []string{"_ga=" + gone}},
		{"address, version 6", "_ga", Site{Host: "[::1]", Registrable: "[::1]"}, []string{"_ga=" + gone}},
		{"single label", "_ga", Site{Host: "localhost", Registrable: "localhost"}, []string{"_ga=" + gone}},
		{"nameless", "", Site{Host: "localhost", Registrable: "localhost"}, []string{"=-" + gone}},
		{"host prefix", "__Host-x", www, []string{"__Host-x=" + gone + "; Secure; Partitioned", "__Host-x=" + gone + "; Secure"}},
		{"secure prefix without https", "__Secure-x", Site{Host: "localhost", Registrable: "localhost"}, nil},
		{"no name of a cookie", "a;b", www, nil},
		{"line break", "a\r\nSet-Cookie: b", www, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := Expire(test.cookie, test.site)
			if !slices.Equal(got, test.want) {
				t.Errorf("Expire(%q):\n%s\nwant:\n%s", test.cookie, strings.Join(got, "\n"), strings.Join(test.want, "\n"))
			}
			for _, line := range got {
				if _, ok := ParseSetCookie(line); !ok {
					t.Errorf("a browser ignores %q", line)
				}
			}
		})
	}
}

// A jar that follows RFC 6265 forgets what Expire names, whichever form it was
// set in.
func TestExpireInAJar(t *testing.T) {
	jar, err := cookiejar.New(&cookiejar.Options{PublicSuffixList: publicsuffix.List})
	if err != nil {
		t.Fatal(err)
	}
	at := &url.URL{Scheme: "https", Host: www.Host, Path: "/"}
	set := func(lines ...string) {
		jar.SetCookies(at, (&http.Response{Header: http.Header{"Set-Cookie": lines}}).Cookies())
	}
	set("_ga=1; Path=/", "_ga=2; Path=/; Domain=example.org", "_ga=3; Path=/; Domain=www.example.org", "stays=1; Path=/")
	if n := len(jar.Cookies(at)); n < 3 {
		t.Fatalf("only %d cookies set", n)
	}
	set(Expire("_ga", www)...)
	if left := jar.Cookies(at); len(left) != 1 || left[0].Name != "stays" {
		t.Errorf("left: %v", left)
	}
}

func FuzzFilterResponse(f *testing.F) {
	f.Add("a=1; Domain=example.org", "_ga=1")
	f.Fuzz(func(t *testing.T, a, b string) {
		kept, _ := FilterResponse([]string{a, b}, www, necessary)
		for _, line := range kept {
			if line != a && line != b {
				t.Errorf("%q came from nowhere", line)
			}
			if p, ok := ParseSetCookie(line); !ok || tracker(p.Seen()) {
				t.Errorf("%q was kept", line)
			}
		}
	})
}

func BenchmarkFilterResponse(b *testing.B) {
	lines := []string{"PHPSESSID=0123456789; path=/; HttpOnly", "_ga=GA1.2.3.4; Domain=.example.org; Expires=Wed, 09 Jun 2031 10:18:14 GMT; Path=/"}
	b.ReportAllocs()
	for b.Loop() {
		FilterResponse(lines, www, necessary)
	}
}
