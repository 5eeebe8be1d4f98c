package proxy

import (
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/numfocus/consentgate/consent/catalog"
)

// settled waits until no more than max goroutines are left.
func settled(t *testing.T, max int) {
	t.Helper()
	for range 500 {
		if runtime.NumGoroutine() <= max {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	stacks := make([]byte, 1<<20)
	t.Errorf("%d goroutines, want at most %d\n%s", runtime.NumGoroutine(), max, stacks[:runtime.Stack(stacks, true)])
}

// TestTakingOver follows a request that is under way while eight gateways take
// over from each other.
func TestTakingOver(t *testing.T) {
	release, begun := make(chan struct{}), make(chan struct{}, 1)
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			w.(http.Flusher).Flush()
			begun <- struct{}{}
			<-release
		}
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, widget)
	}))
	defer origin.Close()
	c := Config{Sites: []SiteConfig{{}}}
	c.Sites[0].Upstream.URL = origin.URL
	c.Sites[0].Upstream.Health.Path = "/health" // a goroutine of each gateway's

	notes := new(notebook)
	parts := insideParts(t, notes)
	first, err := New(c, parts)
	if err != nil {
		t.Fatal(err)
	}
	var now atomic.Pointer[Gateway]
	now.Store(first)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { now.Load().ServeHTTP(w, r) }))
	defer front.Close()
	if _, text, err := askAs(t, front.URL, "en"); err != nil || strings.Contains(text, "widget.example") {
		t.Fatalf("%v\n%s", err, text)
	}
	whole := make(chan string, 1)
	go func() {
		res, err := http.Get(front.URL + "/slow")
		if err != nil {
			whole <- err.Error()
			return
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		if err != nil {
			text = []byte(err.Error())
		}
		whole <- string(text)
	}()
	<-begun
	before := runtime.NumGoroutine()
	for range 8 {
		old := now.Load()
		parts.After = old
		next, err := New(c, parts)
		if err != nil {
			t.Fatal(err)
		}
		now.Store(next)
		old.Retire()
		if _, _, err := askAs(t, front.URL, "en"); err != nil {
			t.Fatal(err)
		}
	}
	if hits := now.Load().Memo().Hits; hits != 8 {
		t.Errorf("what was remembered before the first of them took over was used %d times, want 8", hits)
	}
	if requests, _ := first.Open(); requests != 1 {
		t.Errorf("%d requests are under way in the first, want 1", requests)
	}
	settled(t, before+10) // the last one's check, its connections
	close(release)
	if text := <-whole; !strings.Contains(text, "Hello.") {
		t.Errorf("the request that was under way: %s", text)
	}
	if now.Load().any.catalog != first.any.catalog {
		t.Error("a catalog that nothing changes is made anew")
	}
}

// TestOtherSettingsForgetPages expects no page of the configuration before.
func TestOtherSettingsForgetPages(t *testing.T) {
	g, front, notes := newInside(t, inPieces(widget, 1, 0), nil)
	if _, _, err := askAs(t, front.URL, "en"); err != nil {
		t.Fatal(err)
	}
	c := Config{Sites: []SiteConfig{{Unknown: UnknownAllow}}}
	c.Sites[0].Upstream.URL = g.Origins()[0].URL
	parts := insideParts(t, notes)
	parts.After = g
	next, err := New(c, parts)
	if err != nil {
		t.Fatal(err)
	}
	second := httptest.NewServer(next)
	defer second.Close()
	if _, text, err := askAs(t, second.URL, "en"); err != nil || !strings.Contains(text, "widget.example") {
		t.Errorf("%v\n%s", err, text)
	}
	if next.memo != g.memo {
		t.Error("the memory is not shared")
	}
	c.Memory.Off = true
	off, err := New(c, parts)
	if err != nil {
		t.Fatal(err)
	}
	if off.memo == g.memo {
		t.Error("another size takes the old memory")
	}
}

// TestGenerations expects two processes to name the same configuration alike,
// pointers and all.
func TestGenerations(t *testing.T) {
	name := func(sells bool) string {
		c := SiteConfig{Services: catalog.Config{"x": {Name: "X", Sells: &sells}}}
		g, err := generation(c, Config{}, "v", "s")
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	first, again, other := name(true), name(true), name(false)
	if first != again || first == other {
		t.Errorf("%s, %s, %s", first, again, other)
	}
}
