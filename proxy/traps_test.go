package proxy_test

import (
	"context"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/numfocus/consentgate/proxy"
)

// knownLimits reads which traps the fences leave open to a service that is
// withheld, under block-active and with scripts on. None is open under block-all,
// and none that needs a script is when scripts are off.
func knownLimits(t *testing.T) map[string]bool {
	t.Helper()
	text, err := trapFiles.ReadFile("testdata/traps/limits.txt")
	if err != nil {
		t.Fatal(err)
	}
	limits := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			limits[line] = true
		}
	}
	return limits
}

// overdone lists traps that are closed although the tracker is granted, and why
// nothing is done about it.
var overdone = map[string]string{
	"parser/url-dot":            "a policy that names a host does not mean the same with a dot at its end",
	"parser/noscript-attribute": "what is one thing with scripts and another without is left out of every page",
}

// passive reports whether a trap loads what strangers may give under block-active:
// pictures, styles, fonts and media.
func (p trap) passive() bool {
	return passiveName.MatchString(p.name) || p.id() == "parser/cdata-svg" || p.id() == "parser/svg-break-out" || p.id() == "parser/math-style"
}

var passiveName = regexp.MustCompile(`^(?:image|media|style|font|noscript|preload-(?:image|srcset)|frame-data-object|prefetch-markup)`)

// TestTraps opens pages that try everything there is to reach somebody.
func TestTraps(t *testing.T) {
	if testing.Short() {
		t.Skip("it opens a thousand pages in Chromium")
	}
	traps, limits := trapSite(loadTraps(t)), knownLimits(t)
	world := newInternet(t)
	o := newOrigin(t)
	o.handle = traps.ServeHTTP
	active := o.gateway(t)
	all := o.gateway(t, func(c *proxy.Config) { c.Sites[0].Unknown = proxy.UnknownBlockAll })
	v := visits{t, trapBrowser(t, world), world}

	needsNoScript := func(p trap) bool { return strings.HasPrefix(p.name, "noscript") }
	without := v.visit(o.server.URL, nil, true, traps.hosts(func(p trap, _ string) bool { return !needsNoScript(p) }))
	fired := func(p trap, to string) bool { return without[p.host(to)] && overdone[p.id()] == "" }
	withoutScripts := v.visit(o.server.URL, nil, false, nil)
	undecided := v.visit(active.server.URL, nil, true, nil)
	undecidedScripts := v.visit(active.server.URL, nil, false, nil)
	refused := v.visit(all.server.URL, all.choose(t, url.Values{"choice": {"reject"}}), true, nil)
	statistics := v.visit(active.server.URL, active.choose(t, url.Values{"choice": {"save"}, "purpose": {"statistics"}}), true,
		traps.hosts(func(p trap, to string) bool { return to == tracker && fired(p, to) }))
	accepted := v.visit(active.server.URL, active.choose(t, url.Values{"choice": {"accept"}}), true, traps.hosts(fired))

	for _, p := range traps {
		for _, to := range p.reach() {
			t.Run(p.id()+" to "+to, func(t *testing.T) {
				host := p.host(to)
				fires := without[host]
				if !fires && !withoutScripts[host] {
					t.Error("it reaches nobody without the gateway, so it proves nothing")
				}
				if refused[host] {
					t.Error("block-all: reached after refusing")
				}
				mayPass := to == stranger && p.passive()
				if undecidedScripts[host] && !mayPass {
					t.Error("scripts off: reached before anybody agreed")
				}
				switch {
				case to == tracker && limits[p.id()]:
					if !undecided[host] {
						t.Error("it is not reached any more: take it from the limits")
					}
				case undecided[host] && !mayPass:
					t.Error("reached before anybody agreed")
				}
				if statistics[host] && to == stranger && !p.passive() {
					t.Error("reached although only statistics were granted")
				}
				if overdone[p.id()] != "" {
					return
				}
				if fires && to == tracker && !statistics[host] {
					t.Error("not reached although statistics were granted")
				}
				if fires && !accepted[host] {
					t.Error("not reached although everything was granted")
				}
			})
		}
	}
}

func trapBrowser(t *testing.T, world *internet) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(chromium(t)), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.IgnoreCertErrors,
		chromedp.WindowSize(1400, 3000),
		chromedp.Flag("host-resolver-rules", "MAP * "+world.addr()+", EXCLUDE 127.0.0.1"),
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-features", "HttpsUpgrades,OptimizationHints,Translate,MediaRouter"),
	)...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatal(err)
	}
	return ctx
}

// visits are what a test does with one browser.
type visits struct {
	t     *testing.T
	ctx   context.Context
	world *internet
}

// visit opens the traps as a visitor of its own and returns whom they reached. Those
// who are expected are given more time.
func (v visits) visit(base string, cookies []string, scripts bool, expected []string) map[string]bool {
	v.t.Helper()
	ctx, cancel := chromedp.NewContext(v.ctx, chromedp.WithNewBrowserContext())
	defer cancel()
	b := &tab{T: v.t, ctx: ctx, url: base}
	b.do(chromedp.Navigate("about:blank"))
	for _, c := range cookies {
		name, value, _ := strings.Cut(c, "=")
		tell(b, network.SetCookie, network.SetCookieParams{Name: name, Value: value, URL: base})
	}
	tell(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !scripts})
	v.world.forget()
	b.open("/all")
	return v.world.settle(expected...)
}

func tell[P, R any](b *tab, command cdp.Command[P, R], params P) {
	b.Helper()
	if _, err := chromedp.Call(b.ctx, command, params); err != nil {
		b.Fatal(err)
	}
}
