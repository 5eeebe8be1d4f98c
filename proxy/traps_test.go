package proxy_test

import (
	"context"
	"maps"
	"net/url"
	"os"
	"os/exec"
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

// A limit is a trap that the fences leave open to a service that is withheld, and
// why. This list is all of them under block-active, with scripts on. None is open
// under block-all, and none that needs a script is when scripts are off.
type limit struct{ trap, why string }

const (
	asMarkup = "a script writes it as markup, which the guard does not read, and the policy has to leave pictures, styles, fonts and media open to hosts nobody knows"
	inCSS    = "a script puts it into a style, which the guard does not read, and the policy leaves styles and pictures open"
	unusual  = "a script sets it by a way the guard does not watch, and the policy leaves pictures and media open"
	hint     = "a policy checks prefetching against its most generous directive, and the guard does not read markup"
)

var limits = []limit{
	{"scripts/prefetch-markup", hint},
	{"scripts/image-detached-markup", asMarkup},
	{"scripts/image-markup", asMarkup},
	{"scripts/image-outer-markup", asMarkup},
	{"scripts/image-write", asMarkup},
	{"scripts/image-fragment", asMarkup},
	{"scripts/image-parser", asMarkup},
	{"scripts/image-template", asMarkup},
	{"scripts/image-shadow", asMarkup},
	{"scripts/image-picture", asMarkup},
	{"scripts/media-source", asMarkup},
	{"scripts/image-attribute-node", unusual},
	{"scripts/image-source", unusual},
	{"scripts/image-input", unusual},
	{"scripts/image-background", unusual},
	{"scripts/image-svg-href", unusual},
	{"scripts/image-frame-window", unusual},
	{"scripts/image-poster", unusual},
	{"scripts/media-video", unusual},
	{"scripts/media-audio", unusual},
	{"scripts/style-import", inCSS},
	{"scripts/style-rule", inCSS},
	{"scripts/style-property", inCSS},
	{"scripts/style-attribute", inCSS},
	{"scripts/style-adopted", inCSS},
	{"scripts/style-font", inCSS},
	{"scripts/font-face", inCSS},
}

// overdone lists traps that are closed although the tracker is granted, and why
// nothing is done about it.
var overdone = map[string]string{
	"parser/url-dot":            "a policy that names a host does not mean the same with a dot at its end",
	"parser/noscript-attribute": "what is one thing with scripts and another without is left out of every page",
}

func isLimit(id string) bool {
	return slices.ContainsFunc(limits, func(l limit) bool { return l.trap == id })
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
		t.Skip("it opens some three thousand pages in Chromium")
	}
	traps := trapSite(loadTraps(t))
	world := newInternet(t)
	o := newOrigin(t)
	o.handle = traps.ServeHTTP
	active := o.gateway(t)
	all := o.gateway(t, func(c *proxy.Config) { c.Sites[0].Unknown = proxy.UnknownBlockAll })
	v := visits{t, trapBrowser(t, world), world}

	without := v.visit(o.server.URL, nil, true)
	withoutScripts := v.visit(o.server.URL, nil, false)
	undecided := v.visit(active.server.URL, nil, true)
	undecidedScripts := v.visit(active.server.URL, nil, false)
	refused := v.visit(all.server.URL, all.choose(t, url.Values{"choice": {"reject"}}), true)
	statistics := v.visit(active.server.URL, active.choose(t, url.Values{"choice": {"save"}, "purpose": {"statistics"}}), true)
	accepted := v.visit(active.server.URL, active.choose(t, url.Values{"choice": {"accept"}}), true)

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
				case to == tracker && isLimit(p.id()):
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
	path, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("no chromium to test with")
		}
		t.Skip("no chromium to test with; apt install chromium")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.IgnoreCertErrors,
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

// visit opens the traps as a visitor of its own and returns whom they reached.
func (v visits) visit(base string, cookies []string, scripts bool) map[string]bool {
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
	v.world.settle()
	asked := map[string]bool{}
	for _, kind := range trapKinds {
		if kind == "scripts" && !scripts {
			continue
		}
		b.open("/all?kind=" + kind)
		maps.Copy(asked, v.world.settle())
	}
	return asked
}

func tell[P, R any](b *tab, command cdp.Command[P, R], params P) {
	b.Helper()
	if _, err := chromedp.Call(b.ctx, command, params); err != nil {
		b.Fatal(err)
	}
}
