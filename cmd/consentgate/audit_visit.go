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
	"strings"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
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
		if err := b.open(a.start.String()); err != nil && !errors.Is(err, errSlow) {
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
	v.Allows = v.decision.Purposes.List()
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
		if err := b.open(a.start.String()); err != nil && !errors.Is(err, errSlow) {
			return err
		}
		if err := b.choose(a.judge.notice, choice); err != nil && !errors.Is(err, errSlow) {
			return fmt.Errorf("choose: %w", err)
		}
	}
	return b.leave()
}

// walk opens the pages. What goes wrong on one is told, and does not keep the
// others from being opened.
func (a *auditor) walk(b *session, v *auditVisit) error {
	for i, address := range a.pages {
		err := b.open(address)
		if err == nil || errors.Is(err, errSlow) {
			err = errors.Join(err, a.look(b, v, i == 0 && a.shots))
		}
		if err != nil {
			v.Problems = append(v.Problems, address+": "+strings.ReplaceAll(err.Error(), "\n", "; "))
		}
		if b.ctx.Err() != nil {
			return b.ctx.Err()
		}
	}
	return nil
}

func (a *auditor) look(b *session, v *auditVisit, picture bool) error {
	if picture {
		if err := b.picture(v); err != nil {
			return err
		}
	}
	return a.stored(b, v)
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
