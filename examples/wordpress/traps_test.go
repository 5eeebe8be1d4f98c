package wordpress

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"golang.org/x/tools/txtar"
)

// The traps are those of the gateway's own tests: what a first-party script may
// do to reach somebody.
const trapFolder = "../../proxy/testdata/traps/"

const trapStart = `
const put = globalThis.put = (tag, props) => document.body.appendChild(Object.assign(document.createElement(tag), props));
const markup = html => document.body.insertAdjacentHTML('beforeend', html);
`

// goesAway lists traps that would leave the page, or write over it.
var goesAway = map[string]bool{
	"refresh": true, "fetch-unload": true, "beacon-unload": true, "script-history": true,
	"script-write": true, "image-write": true, "worker-file": true, "worker-shared": true,
}

type trap struct{ name, script string }

func loadTraps(t *testing.T) (traps []trap, limits map[string]bool) {
	t.Helper()
	read := func(name string) []byte {
		text, err := os.ReadFile(trapFolder + name)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	for _, f := range txtar.Parse(read("scripts.txtar")).Files {
		if !goesAway[f.Name] {
			traps = append(traps, trap{f.Name, string(f.Data)})
		}
	}
	limits = map[string]bool{}
	for line := range strings.Lines(string(read("limits.txt"))) {
		limits[strings.TrimPrefix(strings.TrimSpace(line), "scripts/")] = true
	}
	return traps, limits
}

// spring runs every trap on the page, each for a host of its own below to. What is
// refused may throw, and ends by itself.
func (w *world) spring(b *browser, traps []trap, to string) {
	b.t.Helper()
	var script strings.Builder
	script.WriteString("'use strict';\n" + trapStart)
	for _, p := range traps {
		fmt.Fprintf(&script, "((name, host, id, url = 'http://' + host + '/' + name) => { try {\n%s\n} catch (e) { console.log(name, e); } })(%q, %q, %q);\n",
			p.script, p.name, p.name+"."+to, p.name+"-id")
	}
	ask(b, chromedp.Evaluate[bool]("(() => {"+script.String()+"return true; })()"))
	w.rest.quiet()
	b.settle(chromedp.Navigate("about:blank"))
}

// reached gives the traps whose hosts below to were called.
func (w *world) reached(to string) map[string]bool {
	reached := map[string]bool{}
	for _, s := range w.rest.take() {
		host, _, _ := strings.Cut(s, "/")
		if name, ok := strings.CutSuffix(host, "."+to); ok {
			reached[name] = true
		}
	}
	return reached
}

// TestTraps springs the traps on a page of WordPress, with a policy of the
// theme's own and without: ours only ever adds to it.
func TestTraps(t *testing.T) {
	w := newWorld(t)
	traps, limits := loadTraps(t)
	const tracker = "hotjar.com"

	b := w.browser(t, true)
	b.open(w.site + "/")
	w.spring(b, traps, tracker)
	fired := w.reached(tracker)
	for _, p := range traps {
		if !fired[p.name] {
			t.Errorf("%s: it reaches nobody without the gateway, so it proves nothing", p.name)
		}
	}

	for _, theme := range []string{"", "open", "strict"} {
		t.Run("theme="+theme, func(t *testing.T) {
			if theme != "" {
				w.wantThemesPolicy(t, theme)
			}
			b := w.browser(t, true)
			b.open(w.gateway + "/?theme-policy=" + theme)
			w.spring(b, traps, tracker)
			for name := range w.reached(tracker) {
				if !limits[name] {
					t.Errorf("%s: reached before anybody agreed", name)
				}
			}
		})
	}
}

// wantThemesPolicy shows that the theme's policy goes through as it is.
func (w *world) wantThemesPolicy(t *testing.T, theme string) {
	t.Helper()
	count := func(site string) (n, dynamic int) {
		res, err := http.Get(site + "/?theme-policy=" + theme)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		for _, line := range res.Header["Content-Security-Policy"] {
			n++
			dynamic += strings.Count(line, "'strict-dynamic'") + strings.Count(line, "default-src * data:")
		}
		return n, dynamic
	}
	if n, own := count(w.site); n != 1 || own != 1 {
		t.Errorf("%s: WordPress sends %d policies, %d of them the theme's", theme, n, own)
	}
	if n, own := count(w.gateway); n != 2 || own != 1 {
		t.Errorf("%s: the gateway sends %d policies, %d of them the theme's", theme, n, own)
	}
}
