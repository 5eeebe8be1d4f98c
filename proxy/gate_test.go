package proxy_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/numfocus/consentgate/consent/ledger/ledgertest"
	"github.com/numfocus/consentgate/consent/token"
	"github.com/numfocus/consentgate/proxy"
)

// An origin is a site that answers with whatever the test wants.
type origin struct {
	server *httptest.Server
	page   []byte           // what it answers, unless handle is set
	handle http.HandlerFunc // nil: page
	mu     sync.Mutex       // browsers ask for several things at once
	asked  *http.Request    // the last request
}

func newOrigin(t *testing.T) *origin {
	t.Helper()
	o := &origin{}
	o.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o.mu.Lock()
		o.asked = r.Clone(r.Context())
		o.mu.Unlock()
		if o.handle != nil {
			o.handle(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html")
		w.Write(o.page)
	}))
	t.Cleanup(o.server.Close)
	return o
}

// A gate is a gateway with a server of its own.
type gate struct {
	server *httptest.Server
	client *http.Client // follows no redirects
	clock  *clock
	seen   string // the last line of the log that was read
	log    *logBook
}

// A logBook is a log that can be read while it is written.
type logBook struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logBook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logBook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// later lets time pass.
func (g *gate) later(d time.Duration) { g.clock.ahead.Add(int64(d)) }

// lastLog waits for the line about the last request: it is written when the
// visitor has the answer already.
func (g *gate) lastLog(t *testing.T) string {
	t.Helper()
	for range 500 {
		lines := strings.Split(strings.TrimSpace(g.log.String()), "\n")
		if last := lines[len(lines)-1]; last != "" && last != g.seen {
			g.seen = last
			return last
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("nothing was logged")
	return ""
}

// gateway puts one in front of the origin, configured by change.
func (o *origin) gateway(t *testing.T, change ...func(*proxy.Config)) *gate {
	t.Helper()
	c := proxy.Config{Sites: []proxy.SiteConfig{{}}}
	c.Sites[0].Upstream.URL = o.server.URL
	for _, f := range change {
		f(&c)
	}
	tokens, err := token.New([]token.Key{token.NewKey()})
	if err != nil {
		t.Fatal(err)
	}
	log, clock := new(logBook), new(clock)
	g, err := proxy.New(c, proxy.Parts{
		Ledger: ledgertest.New(),
		Tokens: tokens,
		Log:    zerolog.New(log),
		Now:    clock.now,
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(g)
	t.Cleanup(server.Close)
	return &gate{
		server: server,
		log:    log,
		clock:  clock,
		client: &http.Client{
			Transport:     &http.Transport{DisableCompression: true},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// request makes one to the gateway as a browser's navigation.
func (g *gate) request(t *testing.T, method, target string, header http.Header) *http.Request {
	t.Helper()
	r, err := http.NewRequest(method, g.server.URL+target, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
	for name, lines := range header {
		r.Header[name] = lines
	}
	return r
}

func (g *gate) do(t *testing.T, r *http.Request) *http.Response {
	t.Helper()
	res, err := g.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { res.Body.Close() })
	return res
}

func (g *gate) get(t *testing.T, target string, header http.Header) io.ReadCloser {
	t.Helper()
	return g.do(t, g.request(t, http.MethodGet, target, header)).Body
}

func (g *gate) getFrom(t *testing.T, host, target string, cookies []string) io.ReadCloser {
	t.Helper()
	r := g.request(t, http.MethodGet, target, nil)
	r.Host = host
	if len(cookies) > 0 {
		r.Header["Cookie"] = []string{strings.Join(cookies, "; ")}
	}
	return g.do(t, r).Body
}

// choose sends the form of the banner and returns the cookies it is answered
// with, as a Cookie header holds them.
func (g *gate) choose(t *testing.T, form url.Values) []string {
	t.Helper()
	if form.Get("revision") == "" {
		form.Set("revision", "1")
	}
	r, err := http.NewRequest(http.MethodPost, g.server.URL+"/_consent/choice", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Origin", g.server.URL)
	res := g.do(t, r)
	if res.StatusCode != http.StatusSeeOther {
		t.Fatalf("choice %v: %s\n%s", form, res.Status, body(t, res.Body))
	}
	var cookies []string
	for _, line := range res.Header["Set-Cookie"] {
		pair, _, _ := strings.Cut(line, ";")
		cookies = append(cookies, pair)
	}
	return cookies
}

var (
	inserts = regexp.MustCompile(`(?s)<link rel="?stylesheet"? href="?/_consent/assets/[^>]*>|<script[^>]* src="/_consent/assets/[^>]*></script>` +
		`|<section id="cg-banner".*?</section>\n?|<section id="cg-foot".*?</section>\n?`)
	placeholders = regexp.MustCompile(`(?s)<span class="cg-placeholder".*?</span></span></span>`)
)

func withoutInserts(page string) string { return inserts.ReplaceAllString(page, "") }

// withoutPlaceholders also leaves out the links that stand in place of what is
// withheld: they load nothing.
func withoutPlaceholders(page string) string { return placeholders.ReplaceAllString(page, "") }
