package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	cdpage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"
)

// An auditor visits one site, each time with a browser that has never been
// anywhere.
type auditor struct {
	browser string
	start   *url.URL
	most    int
	shots   bool
	judge   auditJudge

	pages []string // to open, found by survey
}

// A session is one browser with one window.
type session struct {
	ctx   context.Context
	log   string // file of the network log
	frame cdp.FrameID

	mu    sync.Mutex
	kinds map[string]network.ResourceType // by URL without query, of what the window itself asked for
}

const (
	pageTimeout  = 30 * time.Second
	visitTimeout = 10 * time.Minute
	// Tall enough that what loads when it comes into view loads.
	windowWidth, windowHeight = 1280, 4000
)

// with starts a browser for f and ends it. What the network log says is complete
// only then.
func (a *auditor) with(ctx context.Context, s auditState, f func(*session) error) (_ []contact, err error) {
	folder, err := os.MkdirTemp("", "consentgate-audit-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	ctx, cancel := context.WithTimeout(ctx, visitTimeout)
	defer cancel()
	b := &session{log: filepath.Join(folder, "net.json"), kinds: map[string]network.ResourceType{}}
	ctx, cancel = chromedp.NewExecAllocator(ctx, b.flags(a.browser)...)
	defer cancel()
	b.ctx, cancel = chromedp.NewContext(ctx)
	defer cancel()
	if err := b.prepare(s); err != nil {
		return nil, fmt.Errorf("start %s: %w", a.browser, err)
	}
	if err := f(b); err != nil {
		return nil, err
	}
	if err := chromedp.Cancel(b.ctx); err != nil {
		return nil, fmt.Errorf("end the browser: %w", err)
	}
	return readNetLog(b.log)
}

func (b *session) flags(path string) []chromedp.ExecAllocatorOption {
	flags := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(path),
		chromedp.WindowSize(windowWidth, windowHeight),
		chromedp.Flag("log-net-log", b.log),
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
	)
	if os.Geteuid() == 0 { // Chromium's sandbox refuses to work for root
		flags = append(flags, chromedp.NoSandbox)
	}
	return flags
}

func (b *session) prepare(s auditState) error {
	tree, err := chromedp.Call(b.ctx, cdpage.GetFrameTree, cdp.Empty{})
	if err != nil {
		return err
	}
	b.frame = tree.FrameTree.Frame.ID
	if err := chromedp.Listen(b.ctx, b.note); err != nil {
		return err
	}
	steps := []error{
		tell(b, network.Enable, network.EnableParams{}),
		tell(b, cdpage.SetLifecycleEventsEnabled, cdpage.SetLifecycleEventsEnabledParams{Enabled: true}),
		tell(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !s.scripts}),
	}
	header := network.Headers{}
	if s.signals.DNT != 0 {
		header["DNT"] = string(rune(s.signals.DNT))
	}
	if s.signals.GPC {
		header["Sec-GPC"] = "1"
		steps = append(steps, tell(b, cdpage.AddScriptToEvaluateOnNewDocument, cdpage.AddScriptToEvaluateOnNewDocumentParams{
			Source: "Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', {value: true})"}))
	}
	if len(header) > 0 {
		steps = append(steps, tell(b, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: header}))
	}
	return errors.Join(steps...)
}

func tell[P, R any](b *session, command cdp.Command[P, R], params P) error {
	_, err := chromedp.Call(b.ctx, command, params)
	return err
}

// note remembers what the window takes a URL for.
func (b *session) note(event any) {
	if e, ok := event.(*network.EventRequestWillBeSent); ok && e.Request != nil {
		if u, err := url.Parse(e.Request.URL); err == nil {
			u.RawQuery, u.ForceQuery, u.Fragment, u.User = "", false, "", nil
			b.mu.Lock()
			b.kinds[u.String()] = e.Type
			b.mu.Unlock()
		}
	}
}

// settle does what leads to another page, and waits until that one has nothing
// more to load. A page that is never done is left after a while.
func (b *session) settle(step chromedp.Action[chromedp.Void]) error {
	ctx, cancel := context.WithTimeout(b.ctx, pageTimeout)
	defer cancel()
	begun := false
	idle := func(e cdpage.EventLifecycleEvent) bool {
		if e.FrameID != b.frame {
			return false
		}
		begun = begun || e.Name == "commit" || e.Name == "init"
		return begun && e.Name == "networkIdle"
	}
	_, err := chromedp.Run(ctx, chromedp.WaitEvent(cdpage.LifecycleEvent, idle, step))
	if begun && errors.Is(err, context.DeadlineExceeded) && b.ctx.Err() == nil {
		return nil
	}
	return err
}

func (b *session) open(url string) error { return b.settle(chromedp.Navigate(url)) }

// ask evaluates an expression whose value JSON can hold; a promise is waited for.
func ask[T any](b *session, expression string) (v T, err error) {
	text, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](
		"(async () => JSON.stringify(await ("+expression+") ?? null))()", chromedp.EvalAwaitPromise))
	if err == nil {
		err = json.Unmarshal([]byte(text), &v)
	}
	return v, err
}

// choose sends a choice as the form of the notice would.
func (b *session) choose(n *auditNotice, choice url.Values) error {
	fields, err := json.Marshal(choice)
	if err != nil {
		return err
	}
	script := fmt.Sprintf(`(() => {
	const form = document.createElement('form');
	form.method = 'post';
	form.action = %q;
	for (const [name, values] of Object.entries({...%s, revision: [%q], return: ['/']}))
		for (const value of values) form.append(Object.assign(document.createElement('input'), {type: 'hidden', name, value}));
	document.body.append(form);
	form.submit();
	return true;
})()`, n.Action, fields, n.Revision)
	return b.settle(func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.Evaluate[bool](script)(ctx, t)
		return chromedp.Void{}, err
	})
}

// survey opens the first page as a new visitor and finds out what there is.
func (a *auditor) survey(ctx context.Context, r *auditReport) error {
	_, err := a.with(ctx, auditState{scripts: true}, func(b *session) error {
		version, err := chromedp.CallBrowser(b.ctx, browser.GetVersion, cdp.Empty{})
		if err != nil {
			return err
		}
		r.Browser = version.Product
		if err := b.open(a.start.String()); err != nil {
			return err
		}
		if r.Landed, err = ask[string](b, "location.href"); err != nil {
			return err
		}
		landed, err := url.Parse(r.Landed)
		if err != nil || landed.Host == "" {
			return fmt.Errorf("the browser shows %s instead", r.Landed)
		}
		a.start = landed
		if a.judge, err = a.judge.at(r.Landed); err != nil {
			return err
		}
		if r.Notice, err = ask[*auditNotice](b, noticeScript); err != nil {
			return err
		}
		r.Gateway = r.Notice != nil
		links, err := ask[[]string](b, "[...document.links].map(a => a.href)")
		a.pages = a.choosePages(links)
		r.Pages = a.pages
		return err
	})
	a.judge.notice = r.Notice
	return err
}

// An auditNotice is the form of our notice.
type auditNotice struct {
	Action   string `json:"action"`
	Revision string `json:"revision"`
}

const noticeScript = `(f => f && {action: f.action, revision: f.elements.revision.value})(document.querySelector('#cg-banner form'))`

// choosePages takes the first page and those it leads to on the same host.
func (a *auditor) choosePages(links []string) []string {
	pages := []string{a.start.String()}
	for _, link := range links {
		u, err := url.Parse(link)
		if err != nil || u.Host != a.start.Host || u.Scheme != a.start.Scheme || !harmless(u) {
			continue
		}
		u.Fragment = ""
		if len(pages) < a.most && !slices.Contains(pages, u.String()) {
			pages = append(pages, u.String())
		}
	}
	return pages
}

// visit walks through the pages in one state.
func (a *auditor) visit(ctx context.Context, s auditState) (*auditVisit, error) {
	v := &auditVisit{State: s.title(), Says: s.Says, JavaScript: s.scripts, decision: s.decision()}
	var since time.Time // when the last choice was made
	var kinds map[string]network.ResourceType
	contacts, err := a.with(ctx, s, func(b *session) error {
		if err := a.makeChoices(b, s); err != nil {
			return err
		}
		since = time.Now()
		if err := a.walk(b, v); err != nil {
			return err
		}
		if err := b.leave(); err != nil {
			return err
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		kinds = b.kinds
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, c := range contacts {
		if !c.at.Before(since) {
			a.judge.contact(v, c, kinds[c.url])
		}
	}
	v.finish()
	return v, nil
}

// makeChoices opens the first page before each choice: that is where a visitor
// makes it.
func (a *auditor) makeChoices(b *session, s auditState) error {
	for _, choice := range s.choices {
		if err := b.open(a.start.String()); err != nil {
			return err
		}
		if err := b.choose(a.judge.notice, choice); err != nil {
			return fmt.Errorf("choose: %w", err)
		}
	}
	return b.leave()
}

// leave goes to an empty page, so that what pages send as they are left is sent.
func (b *session) leave() error { return b.open("about:blank") }

func (a *auditor) walk(b *session, v *auditVisit) error {
	for i, address := range a.pages {
		if err := b.open(address); err != nil {
			v.Problems = append(v.Problems, fmt.Sprintf("%s could not be opened: %v", address, err))
			continue
		}
		if i == 0 && a.shots {
			if err := b.picture(v); err != nil {
				return err
			}
		}
		if err := a.stored(b, v); err != nil {
			return err
		}
	}
	return nil
}

func (b *session) picture(v *auditVisit) error {
	quality := int64(60)
	shot, err := chromedp.Call(b.ctx, cdpage.CaptureScreenshot, cdpage.CaptureScreenshotParams{
		Format: cdpage.CaptureScreenshotFormatJpeg, Quality: &quality,
		Clip: &cdpage.Viewport{Width: windowWidth, Height: 900, Scale: .5},
	})
	if err != nil {
		return fmt.Errorf("take a picture: %w", err)
	}
	v.Picture = shot.Data
	return nil
}

// stored looks at what the page has left in the browser.
func (a *auditor) stored(b *session, v *auditVisit) error {
	cookies, err := chromedp.Call(b.ctx, storage.GetCookies, storage.GetCookiesParams{})
	if err != nil {
		return fmt.Errorf("read cookies: %w", err)
	}
	for _, c := range cookies.Cookies {
		a.judge.cookie(v, c.Name, c.Domain)
	}
	kept, err := ask[map[string][]string](b, storageScript)
	if err != nil {
		return fmt.Errorf("read storage: %w", err)
	}
	for where, names := range kept {
		for _, name := range names {
			a.judge.key(v, where, name)
		}
	}
	return nil
}

// storageScript lists names by where they are kept; a page may forbid any of it.
const storageScript = `(async () => {
	const kept = {}, list = async (where, f) => { try { kept[where] = await f() } catch { kept[where] = [] } };
	await list('localStorage', () => Object.keys(localStorage));
	await list('sessionStorage', () => Object.keys(sessionStorage));
	await list('IndexedDB', async () => (await indexedDB.databases()).map(d => d.name));
	await list('Cache Storage', () => caches.keys());
	return kept;
})()`
