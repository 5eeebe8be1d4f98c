package endpoint

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/numfocus/consentgate/consent"
	"github.com/numfocus/consentgate/proxy/banner"
)

var update = flag.Bool("update", false, "write the golden files anew")

// calm and hostile are the style sheets of two sites.
const (
	calm    = `html{font-size:62.5%} body{margin:0;font:18px/1.6 Georgia} a{color:teal}`
	hostile = `* {all: unset !important; letter-spacing: 3px; text-transform: uppercase; direction: rtl}
section, #cg-banner {display: none !important; position: static !important; opacity: .1 !important; width: 9px !important}
button {background: red !important; color: lime !important; border-radius: 0 !important; float: left; width: 100% !important}
[value=reject] {font-size: 8px !important; color: #eee !important; padding: 0 !important}
h2 {font: 900 60px serif !important} p {margin: 50px !important} form {visibility: hidden !important}
a::after {content: " HA!" !important} html {font-size: 62.5%} body {font-family: cursive; text-align: right}`
)

// browser is a Chromium without JavaScript of pages: what a visitor can do
// here, every visitor can.
type browser struct {
	*testing.T
	ctx   context.Context
	url   string
	world *world
}

func newBrowser(t *testing.T, style string) *browser {
	t.Helper()
	b := newScriptedBrowser(t, style)
	_, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	b.must(err)
	return b
}

func newScriptedBrowser(t *testing.T, style string) *browser {
	t.Helper()
	ctx, cancel := context.WithTimeout(chromium(t), 4*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)

	w := newWorld(t)
	server := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) { w.serve(out, r, style) }))
	t.Cleanup(server.Close)
	return &browser{T: t, ctx: ctx, url: server.URL, world: w}
}

// oneChromium is shared: each test has a profile of its own in it.
var oneChromium struct {
	sync.Once
	ctx  context.Context
	stop context.CancelFunc
	err  error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if oneChromium.stop != nil {
		oneChromium.stop()
	}
	os.Exit(code)
}

func chromium(t *testing.T) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("no chromium to test with")
		}
		t.Skip("no chromium to test with; apt install chromium")
	}
	oneChromium.Do(func() {
		ctx, stop := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
			chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU)...)
		oneChromium.ctx, _ = chromedp.NewContext(ctx)
		oneChromium.stop, oneChromium.err = stop, chromedp.Do(oneChromium.ctx, chromedp.Navigate("about:blank"))
	})
	if oneChromium.err != nil {
		t.Fatal(oneChromium.err)
	}
	return oneChromium.ctx
}

// serve answers with our own pages, and with pages of a site that have everything
// the gateway puts into them, in the language that the address names.
func (w *world) serve(out http.ResponseWriter, r *http.Request, style string) {
	if w.endpoint.Handles(r.URL.Path) {
		w.endpoint.ServeHTTP(out, r)
		return
	}
	notice, d, lang := w.endpoint.site.Banner, w.decide(r), banner.Lang(r.FormValue("lang"))
	if lang == "" {
		lang = "en"
	}
	out.Header().Set("Content-Type", "text/html; charset=utf-8")
	if kind, ok := strings.CutPrefix(r.URL.Path, "/error/"); ok {
		_ = notice.Message(out, lang, banner.Kind(kind))
		return
	}
	out.Header().Set("Set-Cookie", w.endpoint.cookie(r).ExpireOnce()) // one page has it now
	fmt.Fprintf(out, `<!DOCTYPE html><html lang="%s" dir="auto"><head>%s<meta name="viewport" content="width=device-width"><title>Site</title><style>%s</style></head><body>%s<main><h1>Open data</h1>`,
		lang, notice.Head(lang, d), style, notice.Notice(lang, d))
	if r.URL.Path == "/declaration" {
		_, _ = out.Write(append([]byte(`<h2>Cookies</h2>`), notice.Part(lang)...))
	} else {
		_, _ = out.Write(w.article(lang, d))
	}
	_, _ = io.WriteString(out, `</main>`+string(notice.Link(lang, d))+`</body></html>`)
}

func (w *world) article(lang banner.Lang, d consent.Decision) []byte {
	var page []byte
	for i := range 30 {
		page = fmt.Appendf(page, `<p>Some words of the site and <a href="/page/%d">a link</a>.</p>`, i)
	}
	page = append(page, `<p>A talk: `...)
	if youtube := w.endpoint.site.Services[1]; !d.Allows(youtube) {
		page = w.endpoint.site.Banner.AppendPlaceholder(page, lang, banner.Frame{
			Service: youtube, Source: "https://www.youtube.com/embed/x", Width: "560", Height: "315"}, d)
	}
	page = append(page, ` and the questions. `...)
	page = w.endpoint.site.Banner.AppendPlaceholder(page, lang, banner.Frame{Source: "https://widget.example.net/w", Width: "100%"}, d)
	return append(page, `</p>`...)
}

func (b *browser) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (b *browser) open(path string, width, height int64, features ...*emulation.MediaFeature) {
	b.Helper()
	b.must(chromedp.Do(b.ctx, chromedp.EmulateViewport(width, height)))
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: features})
	b.must(err)
	b.must(chromedp.Do(b.ctx, chromedp.Navigate(b.url+path)))
}

// eval asks about the page from outside: that works with scripts turned off.
func eval[T any](b *browser, expression string) T {
	b.Helper()
	text, err := chromedp.Run(b.ctx, chromedp.Evaluate[string]("JSON.stringify("+expression+")"))
	b.must(err)
	var v T
	b.must(json.Unmarshal([]byte(text), &v))
	return v
}

// click follows a link or sends a form, and waits for the page it leads to.
func (b *browser) click(selector string) {
	b.Helper()
	_, err := chromedp.RunResponse(b.ctx, chromedp.Click(selector))
	b.must(err)
}

// until waits for something to become true in the page.
func (b *browser) until(condition string) {
	b.Helper()
	_, err := chromedp.Run(b.ctx, chromedp.Poll[any](condition, chromedp.WithPollingTimeout(30*time.Second)))
	b.must(err)
}

func (b *browser) has(selector string) bool {
	b.Helper()
	return eval[bool](b, fmt.Sprintf("!!document.querySelector(%q)", selector))
}

const measure = `["reject","accept"].map(v => {
	const e = document.querySelector("#cg-banner [value="+v+"]"), s = getComputedStyle(e), r = e.getBoundingClientRect();
	return {box: [r.width, r.height, r.top].map(Math.round), style: ["fontSize","fontWeight","fontFamily","color","backgroundColor",
		"borderTopWidth","borderTopColor","borderRadius","padding","opacity","visibility","textTransform","letterSpacing","display"].map(p => s[p])}
})`

type button struct {
	Box   []int    `json:"box"`
	Style []string `json:"style"`
}

// L2, in the browser's own numbers: same size, same row, same style, on any
// site, screen and scheme.
func TestL2BothButtonsLookTheSame(t *testing.T) {
	dark := &emulation.MediaFeature{Name: "prefers-color-scheme", Value: "dark"}
	for name, style := range map[string]string{"calm": calm, "hostile": hostile} {
		t.Run(name, func(t *testing.T) {
			b := newBrowser(t, style)
			for _, width := range []int64{1280, 390, 320} {
				b.open("/", width, 800)
				b.compareButtons()
				b.open("/", width, 800, dark)
				b.compareButtons()
			}
		})
	}
}

func (b *browser) compareButtons() {
	b.Helper()
	two := eval[[]button](b, measure)
	if fmt.Sprint(two[0]) != fmt.Sprint(two[1]) {
		b.Errorf("reject %v\naccept %v", two[0], two[1])
	}
	if two[0].Box[0] < 90 || two[0].Box[1] < 40 {
		b.Errorf("buttons of %v px are hard to hit", two[0].Box)
	}
}

// What a site does to its own elements must not reach ours.
func TestHostileStyleSheetsDoNotReachTheBanner(t *testing.T) {
	const everything = `[...document.querySelectorAll("#cg-banner, #cg-banner *, .cg-placeholder *, #cg-foot a")].map(e => {
		const s = getComputedStyle(e), r = e.getBoundingClientRect(), fixed = e.closest("#cg-banner");
		return [e.tagName, Math.round(r.width), Math.round(r.height), fixed ? Math.round(r.top) : 0, s.color, s.font, s.opacity, s.textAlign, s.textTransform].join(" ")
	})`
	one, two := newBrowser(t, calm), newBrowser(t, hostile)
	one.open("/", 1280, 800)
	two.open("/", 1280, 800)
	want, got := eval[[]string](one, everything), eval[[]string](two, everything)
	if len(want) < 20 || len(got) != len(want) {
		t.Fatalf("%d and %d elements", len(want), len(got))
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("on a hostile site\n%s\nelsewhere\n%s", got[i], want[i])
		}
	}
}

// WCAG 2.2, 1.4.10: at 320 CSS pixels (a screen of 1280 at 400 %) nothing has to
// be scrolled sideways, and the banner lies over nothing.
func TestNarrow(t *testing.T) {
	b := newBrowser(t, calm)
	for _, path := range []string{"/", "/_consent/", "/_consent/cookies", "/_consent/nowhere"} {
		b.open(path, 320, 256)
		if w := eval[int](b, "document.documentElement.scrollWidth"); w > 320 {
			t.Errorf("%s is %d px wide", path, w)
		}
	}
	b.open("/", 320, 256)
	if p := eval[string](b, `getComputedStyle(document.getElementById("cg-banner")).position`); p != "static" {
		t.Errorf("the banner is %s over the page", p)
	}
}

// WCAG 2.2, 2.4.11: whatever has the focus is not hidden behind the banner.
func TestTheFocusIsNeverUnderTheBanner(t *testing.T) {
	b := newBrowser(t, calm)
	for _, size := range [][2]int64{{1280, 800}, {390, 844}, {844, 390}} {
		b.open("/", size[0], size[1])
		hidden := eval[[]string](b, `(() => {
			const banner = document.getElementById("cg-banner");
			return [...document.querySelectorAll("a, button")].filter(e => !banner.contains(e)).filter(e => {
				e.focus();
				const r = e.getBoundingClientRect(), o = banner.getBoundingClientRect();
				return r.top >= o.top - 1 && r.bottom <= o.bottom + 1 && r.left >= o.left && r.right <= o.right;
			}).map(e => e.outerHTML);
		})()`)
		if len(hidden) > 0 {
			t.Errorf("at %v: under the banner are %q", size, hidden)
		}
	}
}

// L8, L9 and the whole of what a visitor can do, without JavaScript.
func TestAWalkWithoutJavaScript(t *testing.T) {
	b := newBrowser(t, calm)
	b.open("/", 1280, 800)
	b.click(`a[href="/page/0"]`) // the page can be used while the banner is there
	if !b.has("#cg-banner") {
		t.Error("going on reading was taken for an answer")
	}
	b.click(`#cg-banner [value=reject]`)
	if b.has("#cg-banner") || !strings.HasSuffix(b.location(), "/page/0") {
		t.Errorf("after refusing the visitor is at %s, asked again: %v", b.location(), b.has("#cg-banner"))
	}
	b.click(`.cg-placeholder [form=cg-once]`)
	if b.has(`.cg-placeholder [form=cg-once]`) {
		t.Error("what was to be loaded once is not")
	}
	b.open("/page/0", 1280, 800)
	b.click(`.cg-placeholder [form=cg-always]`)
	b.click(`#cg-settings`)
	if !b.has(`[name=service][value=youtube]:checked`) {
		t.Error("the settings do not show what was allowed at the placeholder")
	}
	b.must(chromedp.Do(b.ctx, chromedp.Click(`[name=purpose][value=statistics]`)))
	b.click(`.bar [value=save]`)
	if !b.has(`.note[role=status]`) || !b.has(`[value=statistics]:checked`) {
		t.Error("the settings do not say that they were saved")
	}
	b.click(`header a`)
	b.click(`#cg-settings`)     // one
	b.click(`[value=withdraw]`) // two
	if b.has(":checked") || b.has(`[value=withdraw]`) {
		t.Error("consent is still there after withdrawing it")
	}
}

func (b *browser) location() string {
	b.Helper()
	u, err := chromedp.Run(b.ctx, chromedp.Location())
	b.must(err)
	return u
}
