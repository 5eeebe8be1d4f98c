package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	cdpage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

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

func (b *session) flags(path string) []chromedp.ExecAllocatorOption {
	flags := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(path),
		chromedp.WindowSize(windowWidth, windowHeight),
		chromedp.Flag("log-net-log", b.log),
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
		// It would connect ahead of time to whom a page called before, consent or none.
		chromedp.Flag("disable-features", "Translate,LoadingPredictorUseLocalPredictions"),
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

// errSlow says that a page is there but is not done.
var errSlow = errors.New("it had not finished loading after " + pageTimeout.String())

// settle does what leads to another page, and waits until that one has nothing
// more to load.
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
		return errSlow
	}
	return err
}

// open goes to a page; it does not wait for its load event, which some never have.
func (b *session) open(url string) error {
	return b.settle(func(ctx context.Context, t *chromedp.Target) (void chromedp.Void, err error) {
		answer, err := cdp.Call(ctx, t, cdpage.Navigate, cdpage.NavigateParams{URL: url})
		if err == nil && answer.ErrorText != "" {
			err = errors.New(answer.ErrorText)
		}
		return void, err
	})
}

// ask evaluates an expression whose value JSON can hold; a promise is waited for.
func ask[T any](b *session, expression string) (v T, err error) {
	ctx, cancel := context.WithTimeout(b.ctx, pageTimeout) // a page may be busy for ever
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](
		"(async () => JSON.stringify(await ("+expression+") ?? null))()", chromedp.EvalAwaitPromise))
	if err == nil {
		err = json.Unmarshal([]byte(text), &v)
	}
	return v, err
}

// leave goes to an empty page, so that what pages send as they are left is sent.
func (b *session) leave() error { return b.open("about:blank") }

// picture shows what a visitor with an ordinary window sees.
func (b *session) picture(v *auditVisit) error {
	quality, height := int64(60), int64(900)
	ctx, cancel := context.WithTimeout(b.ctx, pageTimeout)
	defer cancel()
	if _, err := chromedp.Call(ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: windowWidth, Height: height, DeviceScaleFactor: .5,
	}); err != nil {
		return fmt.Errorf("make the window smaller: %w", err)
	}
	shot, err := chromedp.Call(ctx, cdpage.CaptureScreenshot, cdpage.CaptureScreenshotParams{
		Format: cdpage.CaptureScreenshotFormatJpeg, Quality: &quality,
	})
	if err != nil {
		return fmt.Errorf("take a picture: %w", err)
	}
	v.Picture = shot.Data
	_, err = chromedp.Call(ctx, emulation.ClearDeviceMetricsOverride, cdp.Empty{})
	return err
}
