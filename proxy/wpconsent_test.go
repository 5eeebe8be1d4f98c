package proxy_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/numfocus/consentgate/proxy"
)

// wpSite answers as a WordPress with the WP Consent API does.
const wpSite = `<!doctype html><html><head></head><body><script>var consent_api = {"cookie_prefix":"wp_consent"};</script></body></html>`

// The plugin's own PHP reads nothing but the Cookie header: whatever the browser has,
// it is told the decision.
func TestWPConsentIsTheDecisions(t *testing.T) {
	o := newOrigin(t)
	o.page = []byte(wpSite)
	g := o.gateway(t)
	statistics := g.choose(t, url.Values{"choice": {"save"}, "purpose": {"statistics"}, "service": {"youtube"}})
	refused := g.choose(t, url.Values{"choice": {"reject"}})
	forged := "theme=dark; wp_consent_marketing=allow; wp_consent_statistics=allow"
	granted := `wp_consent_functional=allow; wp_consent_preferences=deny; wp_consent_statistics-anonymous=allow; ` +
		`wp_consent_statistics=allow; wp_consent_marketing=deny; wp_consent_consented_services={"youtube":true}`
	for name, c := range map[string]struct {
		cookies []string
		headers http.Header
		want    string
	}{
		"undecided":  {nil, nil, ""},
		"forged":     {[]string{forged}, nil, "theme=dark"},
		"refused":    {append(refused, forged), nil, "theme=dark"},
		"granted":    {statistics, nil, granted},
		"both":       {append(statistics, forged), nil, "theme=dark; " + granted},
		"but a DNT":  {statistics, http.Header{"Dnt": {"1"}}, ""},
		"but an old": {[]string{"consent=" + strings.Repeat("A", 40)}, nil, ""},
	} {
		header := http.Header{}
		for key, values := range c.headers {
			header[key] = values
		}
		if len(c.cookies) > 0 {
			header["Cookie"] = []string{strings.Join(c.cookies, "; ")}
		}
		g.do(t, g.request(t, http.MethodGet, "/", header))
		if got := o.asked.Header.Get("Cookie"); got != c.want {
			t.Errorf("%s: the origin is sent %q, want %q", name, got, c.want)
		}
	}
}

// Its JavaScript reads document.cookie. Nobody but those who granted something gets
// cookies for that, and only on a site that has a use for them; and nobody keeps what
// is not so.
func TestWPConsentInTheBrowser(t *testing.T) {
	o := newOrigin(t)
	o.page = []byte("<!doctype html><html><head></head><body></body></html>")
	g := o.gateway(t)
	set := func(cookies ...string) []string {
		t.Helper()
		var names []string
		header := http.Header{}
		if len(cookies) > 0 {
			header["Cookie"] = []string{strings.Join(cookies, "; ")}
		}
		res := g.do(t, g.request(t, http.MethodGet, "/", header))
		body(t, res.Body)
		for _, c := range res.Cookies() {
			if strings.HasPrefix(c.Name, "wp_consent_") {
				if c.HttpOnly || c.MaxAge > 181*24*3600 {
					t.Errorf("%s cannot be read, or is kept too long", c.Raw)
				}
				names = append(names, strings.TrimPrefix(c.Name, "wp_consent_")+"="+c.Value)
			}
		}
		return names
	}
	want := func(when string, got []string, want string) {
		t.Helper()
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%s: set are %q, want %q", when, s, want)
		}
	}
	granted := g.choose(t, url.Values{"choice": {"save"}, "purpose": {"statistics"}})
	refused := g.choose(t, url.Values{"choice": {"reject"}})
	const all = "functional=allow preferences=deny statistics-anonymous=allow statistics=allow marketing=deny"

	want("a site without the API", set(granted...), "")
	o.page = []byte(wpSite)
	set() // somebody has seen the API now
	want("undecided", set(), "")
	want("refused", set(refused...), "")
	want("granted", set(granted...), all)
	var kept []string
	for pair := range strings.FieldsSeq(all) {
		kept = append(kept, "wp_consent_"+pair)
	}
	want("granted, and known", set(append(kept, granted...)...), "")
	want("withdrawn", set(append([]string{"wp_consent_marketing=allow"}, refused...)...), "marketing=")
	want("forged", set(append(append(kept[:4:4], "wp_consent_marketing=allow"), granted...)...), "marketing= "+all)
}

// What a plugin of the origin wrote before there was the gateway is none of the
// visitor's answers. A site that only observes has them all the same.
func TestWPConsentOfTheOrigin(t *testing.T) {
	for mode, want := range map[proxy.Mode]int{proxy.Enforce: 0, proxy.Observe: 1} {
		o := newOrigin(t)
		o.handle = func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.Header().Set("Set-Cookie", "wp_consent_marketing=allow; Path=/")
		}
		g := o.gateway(t, func(c *proxy.Config) { c.Sites[0].Mode = mode })
		res := g.do(t, g.request(t, http.MethodGet, "/", http.Header{"Cookie": {"wp_consent_statistics=allow"}}))
		got := 0
		for _, c := range res.Cookies() {
			if c.Name == "wp_consent_marketing" && c.MaxAge >= 0 {
				got++
			}
		}
		if got != want || (o.asked.Header.Get("Cookie") != "") != (mode == proxy.Observe) {
			t.Errorf("%s: the origin's answer passes %d times, the browser's as %q", mode, got, o.asked.Header.Get("Cookie"))
		}
	}
}
