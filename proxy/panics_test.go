package proxy

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/numfocus/consentgate/consent/catalog"
	"github.com/numfocus/consentgate/consent/ledger/ledgertest"
	"github.com/numfocus/consentgate/consent/token"
)

// A notebook is a log and a Meter that tests can read.
type notebook struct {
	unmetered
	mu       sync.Mutex
	text     bytes.Buffer
	bugs     []string
	overload int
	requests []string
}

func (n *notebook) Write(p []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text.Write(p)
}

func (n *notebook) String() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text.String()
}

func (n *notebook) Panicked(where string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.bugs = append(n.bugs, where)
}

func (n *notebook) Overloaded() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.overload++
}

func (n *notebook) Request(site, route, decision string, status int, _ int64, _ time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.requests = append(n.requests, strings.Join([]string{site, route, decision, http.StatusText(status)}, " "))
}

func (n *notebook) read() (bugs, requests []string, overload int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]string{}, n.bugs...), append([]string{}, n.requests...), n.overload
}

// newInside makes a gateway in front of origin, for tests of what only the
// package sees.
func newInside(t *testing.T, origin http.Handler, change func(*Config)) (*Gateway, *httptest.Server, *notebook) {
	t.Helper()
	behind := httptest.NewServer(origin)
	t.Cleanup(behind.Close)
	c := Config{Sites: []SiteConfig{{}}}
	c.Sites[0].Upstream.URL = behind.URL
	if change != nil {
		change(&c)
	}
	notes := new(notebook)
	g, err := New(c, insideParts(t, notes))
	if err != nil {
		t.Fatal(err)
	}
	front := httptest.NewServer(g)
	t.Cleanup(front.Close)
	return g, front, notes
}

func insideParts(t *testing.T, notes *notebook) Parts {
	tokens, err := token.New([]token.Key{token.NewKey()})
	if err != nil {
		t.Fatal(err)
	}
	return Parts{Ledger: ledgertest.New(), Tokens: tokens, Log: zerolog.New(notes), Meter: notes}
}

func askAs(t *testing.T, url, language string) (*http.Response, string, error) {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", "text/html")
	r.Header.Set("Accept-Language", language)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, "", err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return res, string(text), err
}

const widget = `<!doctype html><title>t</title><script src="https://widget.example/x.js"></script><p>Hello.</p>`

func inPieces(text string, pieces int, pause time.Duration) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		for i := range pieces {
			if i > 0 {
				w.(http.Flusher).Flush()
				time.Sleep(pause)
			}
			io.WriteString(w, text)
		}
	}
}

// breakJudge lets judging a URL panic, wherever that happens.
func (g *Gateway) breakJudge() {
	for _, s := range g.all() {
		s.catalog = new(catalog.Catalog)
	}
}

func TestBugsGetAPageOfOurOwn(t *testing.T) {
	for name, origin := range map[string]http.Handler{
		"in a page that comes whole": inPieces(widget, 1, 0),
		// The rewriter is then called by a timer that flushes what has come.
		"in a page that comes slowly": inPieces(widget, 2, 50*time.Millisecond),
		"in a hint": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Link", "<https://widget.example/x.css>; rel=preload; as=style")
			w.WriteHeader(http.StatusEarlyHints)
			inPieces("<p>Hello.", 1, 0)(w, r)
		}),
	} {
		t.Run(name, func(t *testing.T) {
			g, front, notes := newInside(t, origin, nil)
			g.breakJudge()
			res, text, err := askAs(t, front.URL, "nl")
			if err != nil {
				t.Fatal(err)
			}
			if res.StatusCode != http.StatusInternalServerError || res.Header.Get("Content-Language") != "nl" || !strings.Contains(text, "<html") {
				t.Errorf("%s, %v\n%s", res.Status, res.Header, text)
			}
			if res.Header.Get("Etag") != "" || res.Header.Get("Content-Encoding") != "" {
				t.Errorf("the header is the origin's: %v", res.Header)
			}
			bugs, requests, _ := notes.read()
			if len(bugs) != 1 || len(requests) != 1 || !strings.HasSuffix(requests[0], "Internal Server Error") {
				t.Errorf("counted %q, %q", bugs, requests)
			}
			if log := notes.String(); !strings.Contains(log, `"message":"bug"`) || !strings.Contains(log, "goroutine ") || !strings.Contains(log, ".judge") && !strings.Contains(log, "judge.go") {
				t.Errorf("no stack in the log:\n%s", log)
			}
			if res, _, err := askAs(t, front.URL+"/_consent/", "nl"); err != nil || res.StatusCode != http.StatusOK {
				t.Errorf("the gateway does not go on: %v", err)
			}
		})
	}
}

// TestBugsAfterTheHeaderBreakTheConnection expects the visitor to see that the
// page is not whole.
func TestBugsAfterTheHeaderBreakTheConnection(t *testing.T) {
	long := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, "<!doctype html><p>"+strings.Repeat("Hello. ", 100_000))
		w.(http.Flusher).Flush()
		time.Sleep(50 * time.Millisecond)
		io.WriteString(w, widget)
	})
	g, front, notes := newInside(t, long, nil)
	g.breakJudge()
	res, _, err := askAs(t, front.URL, "en")
	if err == nil {
		t.Errorf("the page looks whole: %s", res.Status)
	}
	if bugs, _, _ := notes.read(); len(bugs) != 1 {
		t.Errorf("counted %q", bugs)
	}
}

// TestBugsWhereSomebodyOnlyWatches expects the visitor not to notice.
func TestBugsWhereSomebodyOnlyWatches(t *testing.T) {
	g, front, notes := newInside(t, inPieces(widget, 1, 0), func(c *Config) { c.Sites[0].Mode = Observe })
	g.breakJudge()
	res, text, err := askAs(t, front.URL, "en")
	if err != nil || res.StatusCode != http.StatusOK || text != widget {
		t.Errorf("%v\n%s", err, text)
	}
	if bugs, _, _ := notes.read(); len(bugs) != 1 || bugs[0] != "watch" {
		t.Errorf("counted %q", bugs)
	}
}

func TestTooManyPagesAreToldToComeAgain(t *testing.T) {
	for name, tt := range map[string]struct {
		origin http.Handler
		turns  func(*Gateway) chan struct{}
	}{
		"whole":   {inPieces(widget, 1, 0), func(g *Gateway) chan struct{} { return g.limits.pages }},
		"streams": {inPieces(widget, 2, 50*time.Millisecond), func(g *Gateway) chan struct{} { return g.limits.streams }},
	} {
		t.Run(name, func(t *testing.T) {
			g, front, notes := newInside(t, tt.origin, func(c *Config) { c.Limits = LimitsConfig{Pages: 1, Streams: 1, Wait: 20 * time.Millisecond} })
			turns := tt.turns(g)
			turns <- struct{}{} // somebody else's page
			res, text, err := askAs(t, front.URL, "de")
			if err != nil {
				t.Fatal(err)
			}
			if res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" || res.Header.Get("Content-Language") != "de" {
				t.Errorf("%s, %v\n%s", res.Status, res.Header, text)
			}
			if _, _, overload := notes.read(); overload != 1 {
				t.Errorf("counted %d", overload)
			}
			<-turns
			if res, text, err := askAs(t, front.URL, "de"); err != nil || res.StatusCode != http.StatusOK || !strings.Contains(text, "Hello.") {
				t.Errorf("the next one: %v, %v", res, err)
			}
			if len(turns) != 0 {
				t.Errorf("%d turns were not given back", len(turns))
			}
		})
	}
}

// TestPagesWaitForTheirTurn expects a page that has to wait to come all the same.
func TestPagesWaitForTheirTurn(t *testing.T) {
	g, front, _ := newInside(t, inPieces(widget, 1, 0), func(c *Config) { c.Limits = LimitsConfig{Pages: 1, Wait: time.Minute} })
	g.limits.pages <- struct{}{}
	got := make(chan int, 1)
	go func() {
		res, _, err := askAs(t, front.URL, "en")
		if err != nil {
			got <- 0
			return
		}
		got <- res.StatusCode
	}()
	for open, _ := g.Open(); open == 0; open, _ = g.Open() {
		runtime.Gosched()
	}
	select {
	case status := <-got:
		t.Errorf("%d without a turn", status)
	case <-time.After(20 * time.Millisecond):
	}
	<-g.limits.pages
	if status := <-got; status != http.StatusOK {
		t.Errorf("status %d", status)
	}
}
