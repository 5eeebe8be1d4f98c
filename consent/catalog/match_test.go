package catalog

import (
	"errors"
	"strings"
	"testing"

	"github.com/numfocus/consentgate/consent"
)

// compile makes a catalog of services with just these URL patterns, signatures
// and cookies.
func compile(t testing.TB, services ...consent.Service) *Catalog {
	t.Helper()
	for i := range services {
		if services[i].Purpose == "" {
			services[i].Purpose = consent.Marketing
		}
	}
	c, err := New(services)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// idOf shows a match.
func idOf(m Match) string {
	if m.Service == nil {
		return "nobody"
	}
	return string(m.Service.ID) + " by " + m.Rule
}

func TestURL(t *testing.T) {
	c := compile(t,
		consent.Service{ID: "exact", URLs: []string{"www.t.example", "cdn.t.example/js/*/app.js"}},
		consent.Service{ID: "under", URLs: []string{"*.t.example", "*.t.example/px"}},
		consent.Service{ID: "glob", URLs: []string{"js-*.g.example", "eu*.g.example/v*/x", "ads.h.*"}},
		consent.Service{ID: "any", URLs: []string{"*/wp-content/plugins/spy/", "*/wp-content/plugins/spyglass/", "*/*/piwik.php", "*/collect?v=2"}},
		consent.Service{ID: "odd", URLs: []string{"*/*spot.gif", "*/q*/*/z", "pix.*"}},
		consent.Service{ID: "late", URLs: []string{"www.t.example", "*.only.t.example/js"}},
	)
	tests := []struct{ url, want string }{
		{"https://www.t.example/", "exact by www.t.example"},
		{"http://www.t.example:8080/any?thing", "exact by www.t.example"},
		{"wss://www.t.example/", "exact by www.t.example"},
		{"https://a.www.t.example/", "under by *.t.example"},
		{"https://t.example/", "under by *.t.example"},
		{"https://t.example/px.gif", "under by *.t.example/px"},
		{"https://nott.example/", "nobody"},
		{"https://t.example.evil.test/", "nobody"},
		{"https://cdn.t.example/js/1.2/app.js?v=3", "exact by cdn.t.example/js/*/app.js"},
		{"https://cdn.t.example/js/a/b/app.json", "exact by cdn.t.example/js/*/app.js"},
		{"https://cdn.t.example/JS/1/app.js", "under by *.t.example"},
		{"https://cdn.t.example/x/js/1/app.js", "under by *.t.example"},
		{"https://js-eu1.g.example/", "glob by js-*.g.example"},
		{"https://js-.g.example/", "glob by js-*.g.example"},
		{"https://any.test/wp-content/plugins/spy/", "any by */wp-content/plugins/spy/"},
		{"https://any.test/wp-content/plugins/spyglass/x.js", "any by */wp-content/plugins/spyglass/"},
		{"https://any.test/wp-content/plugins/spyg/", "nobody"},
		{"https://any.test/wp-content/plugins/sp", "nobody"},
		{"https://any.test/stats/piwik.php", "any by */*/piwik.php"},
		{"https://any.test/a/b/c/piwik.php?x", "any by */*/piwik.php"},
		{"https://any.test/piwik.php", "nobody"},
		{"https://any.test/a/piwik.ph", "nobody"},
		{"https://any.test/a/b-spot.gif", "odd by */*spot.gif"},
		{"https://any.test/q1/2/z", "odd by */q*/*/z"},
		{"https://any.test/q1/z", "nobody"},
		{"https://pix.test/", "odd by pix.*"},
		{"https://apix.test/", "nobody"},
		{"https://xjs-eu1.g.example/", "nobody"},
		{"https://g.example/", "nobody"},
		{"https://eu7.g.example/v12/x", "glob by eu*.g.example/v*/x"},
		{"https://eu7.g.example/w/x", "nobody"},
		{"https://ads.h.co.test/", "glob by ads.h.*"},
		{"https://ads.h/", "nobody"},
		{"https://site.example/wp-content/plugins/spy/a.js", "any by */wp-content/plugins/spy/"},
		{"https://site.example/blog/wp-content/plugins/spy/a.js", "nobody"},
		{"https://site.example/stats/piwik.php?idsite=1", "any by */*/piwik.php"},
		{"https://site.example/piwik.php", "nobody"},
		{"https://site.example/collect?v=2&tid=x", "any by */collect?v=2"},
		{"https://site.example/", "nobody"},
		{"https://www.t.example/wp-content/plugins/spy/a.js", "any by */wp-content/plugins/spy/"}, // the more literal characters
		{"https://x.only.t.example/js", "late by *.only.t.example/js"},
		{"data:text/html,www.t.example", "nobody"},
		{"about:blank", "nobody"},

		// Whatever leads there is recognised.
		{`HTTPS:\\u@CDN.T.example.:443\x\..\js\%2e\1\app.js`, "exact by cdn.t.example/js/*/app.js"},
		{"https://site.example/wp-content/x/../plugins/./spy/a.js", "any by */wp-content/plugins/spy/"},
	}
	for _, tt := range tests {
		u, ok := new(Parser).Parse(nil, []byte(tt.url))
		if !ok {
			t.Fatalf("%s is no URL", tt.url)
		}
		if got := idOf(c.URL(u)); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.url, got, tt.want)
		}
	}
	if got := c.URL(URL{}); got != (Match{}) {
		t.Errorf("the zero URL is %v's", got)
	}
}

func TestCookie(t *testing.T) {
	c := compile(t,
		consent.Service{ID: "stat", Purpose: consent.Statistics, Cookies: []consent.Cookie{
			{Name: "_ga"}, {Name: "_ga_*"}, {Name: "both"}, {Name: "twice"}, {Name: "pre*post"}, {Name: "x_*_y_*"},
		}},
		consent.Service{ID: "mark", Purpose: consent.Marketing, Cookies: []consent.Cookie{
			{Name: "_ga_long_*"}, {Name: "both"}, {Name: "IDE", Domain: "ads.example"}, {Name: "*", Domain: "all.example"},
		}},
		consent.Service{ID: "need", Purpose: consent.Necessary, Cookies: []consent.Cookie{{Name: "both"}, {Name: "wp_*"}}},
		consent.Service{ID: "stat2", Purpose: consent.Statistics, Cookies: []consent.Cookie{{Name: "twice"}}},
	)
	tests := []struct{ name, domain, want string }{
		{"_ga", "", "stat by _ga"},
		{"_GA", "", "nobody"},
		{"_ga_", "", "stat by _ga_*"},
		{"_ga_X", "", "stat by _ga_*"},
		{"_ga_long_x", "", "mark by _ga_long_*"},
		{"_g", "", "nobody"},
		{"both", "", "mark by both"},   // the most reluctantly granted
		{"twice", "", "stat by twice"}, // else the first
		{"prepost", "", "stat by pre*post"},
		{"pre-x-post", "", "stat by pre*post"},
		{"prepos", "", "nobody"},
		{"x_1_y_2", "", "stat by x_*_y_*"},
		{"wp_lang", "", "need by wp_*"},
		{"IDE", "", "nobody"},
		{"IDE", "ads.example", "mark by IDE"},
		{"IDE", ".ads.example", "mark by IDE"},
		{"IDE", "x.y.ads.example", "mark by IDE"},
		{"IDE", "notads.example", "nobody"},
		{"_ga", "ads.example", "nobody"},
		{"anything", "a.all.example", "mark by *"},
		{"", "", "nobody"},
	}
	for _, tt := range tests {
		if got := idOf(c.Cookie(tt.name, tt.domain)); got != tt.want {
			t.Errorf("%q of %q: got %s, want %s", tt.name, tt.domain, got, tt.want)
		}
	}
}

func TestCookieOfNoServiceMayHaveAPurpose(t *testing.T) {
	c := compile(t)
	m := c.Cookie("AwinChannelCookie", "")
	if m.Service == nil || m.Service.ID != "cookie-awin" || m.Service.Name != "Awin" || m.Service.Purpose != consent.Marketing {
		t.Fatalf("got %+v", m.Service)
	}
	if _, ok := c.Service(m.Service.ID); ok || len(c.Services()) > 0 {
		t.Error("it is among the services")
	}
	if got := c.Cookie("AwinChannelCookie", "example.com"); got.Service != nil {
		t.Errorf("a third party's cookie is %s's", got.Service.ID)
	}
	claimed := compile(t, consent.Service{ID: "mine", Purpose: consent.Necessary, Cookies: []consent.Cookie{{Name: "Awin*"}}})
	if got := idOf(claimed.Cookie("AwinChannelCookie", "")); got != "mine by Awin*" {
		t.Errorf("a claimed cookie is of %s", got)
	}
}

func TestCookieTableShowsItsMistakes(t *testing.T) {
	for table, want := range map[string]string{
		"# head\na\tmarketing\tA\n":           "cookies.tsv:2: 3 columns",
		"a\tads\tA\t1 day\n":                  `cookies.tsv:1: "ads" is not a purpose`,
		"\n# x\n\nb\tstatistics\tB\t1\t2\r\n": "cookies.tsv:4: 5 columns",
	} {
		if _, err := readCookieTable(table); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", table, err, want)
		}
	}
	x, err := readCookieTable("a\tmarketing\tA b(C)\t1 day\r\nb\tstatistics\tA b(C)\tsession\n")
	if err != nil {
		t.Fatal(err)
	}
	if a, b := x.find("a").Service, x.find("b").Service; a.ID != "cookie-a-b-c" || b.ID != "cookie-a-b-c-statistics" || a.Cookies[0].Lifetime != "1 day" {
		t.Errorf("got %+v and %+v", a, b)
	}
}

func TestNewRefusesWhatItCannotCompile(t *testing.T) {
	_, err := New([]consent.Service{
		{ID: "a", URLs: []string{"https://x/"}, Inline: []consent.Signature{{Pattern: "(", Role: consent.Loader}}},
		{ID: "b"}, {ID: "b"}, {},
	})
	for _, want := range []string{"a.urls[0]", "a.inline[0].pattern", `b.id: there is a service "b" already`, ".id: missing"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	var m consent.Mistake
	if !errors.As(err, &m) {
		t.Errorf("%T holds no consent.Mistake", err)
	}
}

func TestHashTellsCatalogsApart(t *testing.T) {
	one := consent.Service{ID: "a", URLs: []string{"a.example"}}
	other := consent.Service{ID: "a", URLs: []string{"b.example"}}
	if a, b := compile(t, one).Hash(), compile(t, one).Hash(); a != b || len(a) != 64 {
		t.Errorf("the same services have the hashes %s and %s", a, b)
	}
	if compile(t, one).Hash() == compile(t, other).Hash() {
		t.Error("different services have the same hash")
	}
}

func TestLookUpsCostNoMemory(t *testing.T) {
	c := builtinCatalog(t)
	u, _ := new(Parser).Parse(nil, []byte("https://www.googletagmanager.com/gtag/js?id=G-1"))
	mine, _ := new(Parser).Parse(nil, []byte("https://site.example/wp-content/plugins/wp-slimstat/x.js"))
	snippet, settings := []byte(gtmSnippet), []byte(settingsScript(20<<10))
	withheld := func(s *consent.Service) bool { return s.Purpose != consent.Necessary }
	none := func([]byte) bool { return false }
	for name, f := range map[string]func(){
		"URL":           func() { c.URL(u); c.URL(mine) },
		"Cookie":        func() { c.Cookie("_ga_X", ""); c.Cookie("IDE", "x.doubleclick.net"); c.Cookie("nobody's", "") },
		"Script":        func() { c.Script(snippet, withheld); c.Script(settings, withheld) },
		"UnknownLoader": func() { c.UnknownLoader(snippet, none); c.UnknownLoader(settings, none) },
	} {
		if n := fewestAllocations(f); n > 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// A regular expression borrows its stack from a pool, which the race detector and the garbage collector empty at times of
// their own; what f itself allocates, it allocates every time.
func fewestAllocations(f func()) float64 {
	fewest := testing.AllocsPerRun(1, f)
	for range 200 {
		fewest = min(fewest, testing.AllocsPerRun(1, f))
	}
	return fewest
}

func TestRegistrable(t *testing.T) {
	for host, want := range map[string]string{
		"www.example.com":    "example.com",
		"a.b.example.co.uk":  "example.co.uk",
		"example.com":        "example.com",
		"example.com.":       "example.com",
		"co.uk":              "co.uk",
		"me.github.io":       "me.github.io",
		"a.me.github.io":     "me.github.io",
		"github.io":          "github.io",
		"localhost":          "localhost",
		"a.b.unheard-of-tld": "b.unheard-of-tld",
		"127.0.0.1":          "127.0.0.1",
		"[2001:db8::1]":      "[2001:db8::1]",
		"2001:db8::1":        "2001:db8::1",
		"a..b":               "a..b",
		"":                   "",
	} {
		if got := Registrable(host); got != want {
			t.Errorf("%q: got %q, want %q", host, got, want)
		}
	}
}
