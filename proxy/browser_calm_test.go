package proxy_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/chromedp"
)

// No answer takes more than 50 milliseconds of scripts, styles and layout, nor does
// anything move: neither in the page that was answered nor in the one that follows, and
// not even at once after the press, which browsers would forgive. The time is that of the
// processor for the page's own thread, from the press on and all tasks together: what
// else the machine has to do is not in it.
func TestAnswersAreCalm(t *testing.T) {
	b, _, _ := polished(t)
	if _, err := chromedp.Call(b.ctx, performance.Enable, performance.EnableParams{TimeDomain: performance.EnableTimeDomainThreadTicks}); err != nil {
		t.Fatal(err)
	}
	for _, answer := range []struct{ value, done string }{
		{"reject", "!document.getElementById('cg-banner') && document.querySelector('[role=status]')?.textContent"},
		{"accept", "window.consentgate?.has('marketing') && document.querySelector('[role=status]')?.textContent"},
	} {
		b.forget()
		b.open("/")
		b.until("window.consentgate && document.getElementById('cg-banner')")
		before := b.busy()
		eval[any](b, "[document.querySelector('#cg-banner [value="+answer.value+"]').click()]")
		b.until(answer.done)
		took := b.busy() - before
		moved := eval[[]string](b, "new Promise(r => setTimeout(() => r(moved), 100))")
		t.Logf("%s: %.0f ms", answer.value, took)
		if took > 50 {
			t.Errorf("%s: takes %.0f ms", answer.value, took)
		}
		if len(moved) > 0 {
			t.Errorf("%s: moved have %q", answer.value, moved)
		}
	}
}

// busy is how long scripts, styles and layout of the page have taken so far, in
// milliseconds of the processor.
func (b *tab) busy() (total float64) {
	b.Helper()
	all, err := chromedp.Call(b.ctx, performance.GetMetrics, cdp.Empty{})
	if err != nil {
		b.Fatal(err)
	}
	for _, m := range all.Metrics {
		switch m.Name {
		case "ScriptDuration", "RecalcStyleDuration", "LayoutDuration":
			total += m.Value * 1000
		}
	}
	if total == 0 {
		b.Fatal("the browser does not say how long it has worked")
	}
	return total
}

// A page whose first half is painted before the second one comes has no half a banner,
// which would grow upwards.
func TestHalfABannerIsNotShown(t *testing.T) {
	o, w := newOrigin(t), newRest(t)
	o.page = []byte(`<!doctype html><html lang="en"><head><title>A page</title><script>` + watching +
		`requestAnimationFrame(() => requestAnimationFrame(() => fetch('/painted')))</script></head><body><main><h1>News</h1></main></body></html>`)
	g := o.gateway(t)
	painted := make(chan struct{})
	halves := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		page := body(t, g.get(t, r.URL.Path, nil))
		switch r.URL.Path {
		case "/painted":
			close(painted)
		case "/":
			first, second, ok := strings.Cut(page, `<div class="cg-actions">`)
			if !ok {
				t.Error("there is no banner to cut in two")
			}
			out.Header().Set("Content-Type", "text/html")
			io.WriteString(out, first)
			http.NewResponseController(out).Flush()
			select {
			case <-painted:
			case <-r.Context().Done():
			}
			io.WriteString(out, `<div class="cg-actions">`+second)
		default:
			w := g.do(t, g.request(t, http.MethodGet, r.URL.RequestURI(), nil))
			out.Header().Set("Content-Type", w.Header.Get("Content-Type"))
			io.Copy(out, w.Body)
		}
	}))
	t.Cleanup(halves.Close)
	b := g.browser(t, w)
	b.url = halves.URL
	b.open("/")
	b.until("window.consentgate && document.querySelector('#cg-banner').getBoundingClientRect().height > 0")
	if moved := eval[[]string](b, "new Promise(r => requestAnimationFrame(() => setTimeout(() => r(moved), 100)))"); len(moved) > 0 {
		t.Errorf("moved have %q", moved)
	}
}
