package proxy_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// A rest stands for the rest of the internet: it remembers what it is asked
// for.
type rest struct {
	server *httptest.Server

	mu   sync.Mutex
	seen []string // host and path
}

func newRest(t *testing.T) *rest {
	t.Helper()
	w := &rest{}
	w.server = httptest.NewServer(w)
	t.Cleanup(w.server.Close)
	return w
}

func (w *rest) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	if browsersOwn(r) {
		return
	}
	w.mu.Lock()
	w.seen = append(w.seen, r.Host+r.URL.Path)
	w.mu.Unlock()
	out.Header().Set("Access-Control-Allow-Origin", "*")
	switch {
	case strings.HasSuffix(r.URL.Path, ".js"):
		out.Header().Set("Content-Type", "text/javascript")
	case strings.HasSuffix(r.URL.Path, ".css"):
		out.Header().Set("Content-Type", "text/css")
	default:
		out.Header().Set("Content-Type", "image/svg+xml")
		io.WriteString(out, `<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>`)
	}
}

// browsersOwn recognises what Chromium asks for by itself, whatever page is open.
func browsersOwn(r *http.Request) bool {
	switch r.Host {
	case "clients2.google.com", "update.googleapis.com":
		return true
	}
	return r.Header.Get("Sec-Fetch-Site") == "none" && r.Header.Get("Sec-Fetch-Mode") != "navigate"
}

// take returns what was asked for since the last time.
func (w *rest) take() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	seen := w.seen
	w.seen = nil
	slices.Sort(seen)
	return slices.Compact(seen)
}

// A tab is a page in Chromium.
type tab struct {
	*testing.T
	ctx context.Context
	url string // of the gateway
}

// chromium is the browser's path.
func chromium(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("no chromium to test with")
		}
		t.Skip("no chromium to test with; apt install chromium")
	}
	return path
}

func (g *gate) browser(t *testing.T, w *rest) *tab {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(chromium(t)), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("host-resolver-rules", "MAP * "+w.server.Listener.Addr().String()+", EXCLUDE 127.0.0.1"),
		chromedp.Flag("disable-features", "HttpsUpgrades"),
	)...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	b := &tab{T: t, ctx: ctx, url: g.server.URL}
	b.do(chromedp.Navigate("about:blank"))
	return b
}

// another opens a second tab of the same browser.
func (b *tab) another() *tab {
	b.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx)
	b.Cleanup(cancel)
	return &tab{T: b.T, ctx: ctx, url: b.url}
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.Fatal(err)
	}
}

func (b *tab) open(path string) {
	b.Helper()
	b.do(chromedp.Navigate(b.url + path))
}

// eval asks the page; promises are waited for.
func eval[T any](b *tab, expression string) T {
	b.Helper()
	text, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](
		"(async () => JSON.stringify(await ("+expression+") ?? null))()", chromedp.EvalAwaitPromise))
	if err != nil {
		b.Fatalf("%s: %v", expression, err)
	}
	var v T
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		b.Fatalf("%s: %s: %v", expression, text, err)
	}
	return v
}

// until waits for something to become true in the page.
func (b *tab) until(condition string) {
	b.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		// While the browser is between two pages there is nothing to ask.
		if ok, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool]("!!("+condition+")")); err == nil && ok {
			return
		}
	}
	state, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](`JSON.stringify([location.href, document.cookie, window.errors])`))
	b.Fatalf("it never came true: %s\n%s %v", condition, state, err)
}

// serve answers with a page that has the content and runs the script, from a
// file: what an inline script would load is for the rewriter.
func (o *origin) serve(content, script string) {
	o.handle = func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/page.js" {
			w.Header().Set("Content-Type", "text/javascript")
			io.WriteString(w, script)
			return
		}
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A page</title></head>
<body><main>%s</main><script src="/page.js"></script></body></html>`, content)
	}
}
