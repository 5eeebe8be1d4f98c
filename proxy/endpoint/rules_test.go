package endpoint

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/numfocus/consentgate/consent/ledger"
)

// The law as rules that a browser can check. Those about what the gateway does to
// pages (L13, L15) are tested with the catalog and with the gateway; those about
// words (L6, L7, L14) and about closing, which takes a script (L4), elsewhere too.

// L1: before any choice our part of a page stores nothing and asks no third party
// for anything.
func TestL1NothingBeforeAChoice(t *testing.T) {
	b := newScriptedBrowser(t, calm)
	var mu sync.Mutex
	var asked []string
	b.must(chromedp.Listen(b.ctx, func(ev any) {
		if e, ok := ev.(*network.EventRequestWillBeSent); ok {
			mu.Lock()
			defer mu.Unlock()
			asked = append(asked, e.Request.URL)
		}
	}))
	_, err := chromedp.Call(b.ctx, network.Enable, network.EnableParams{})
	b.must(err)
	for _, path := range []string{"/", "/declaration", "/_consent/", "/_consent/cookies"} {
		b.open(path, 1280, 800)
		if stored := eval[[]any](b, `[document.cookie, localStorage.length, sessionStorage.length]`); fmt.Sprint(stored) != "[ 0 0]" {
			t.Errorf("%s stores %v", path, stored)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	for _, url := range asked {
		if !strings.HasPrefix(url, b.url) && !strings.HasPrefix(url, "data:") {
			t.Errorf("%s was asked for", url)
		}
	}
	if len(asked) < 4 {
		t.Errorf("only %q was asked for", asked)
	}
	cookies, err := chromedp.Call(b.ctx, network.GetCookies, network.GetCookiesParams{})
	b.must(err)
	if len(cookies.Cookies) != 0 {
		t.Errorf("cookies %v", cookies.Cookies)
	}
}

// L3: nothing is ticked that the visitor did not tick, and the necessary is no
// switch.
func TestL3NothingIsTicked(t *testing.T) {
	b := newBrowser(t, calm)
	b.open("/_consent/", 1280, 800)
	if b.has(":checked, [checked], :disabled, [value=necessary]") {
		t.Error("something is ticked, or cannot be")
	}
	if n := eval[int](b, `document.querySelectorAll("[type=checkbox]").length`); n < 6 {
		t.Errorf("%d boxes", n)
	}
}

// L5: going on reading, scrolling and waiting is no consent.
func TestL5ReadingOnIsNoConsent(t *testing.T) {
	b := newBrowser(t, calm)
	for i := range 5 {
		b.open(fmt.Sprintf("/page/%d", i), 1280, 800)
		eval[any](b, `[scrollTo(0, document.body.scrollHeight)]`)
		b.world.setClock(b.world.clock().Add(24 * time.Hour))
	}
	b.open("/", 1280, 800)
	if !b.has("#cg-banner") || !b.has("[data-service=youtube]") {
		t.Error("that was taken for an answer")
	}
	if len(b.world.book.receipts) != 0 {
		t.Error("and recorded")
	}
}

// L8: the page can be used while the banner is there: it scrolls, and its links can
// be clicked.
func TestL8NoWall(t *testing.T) {
	b := newBrowser(t, calm)
	b.open("/", 1280, 800)
	if y := eval[float64](b, `(scrollTo(0, 400), scrollY)`); y < 100 {
		t.Errorf("the page scrolled to %v", y)
	}
	eval[any](b, `[scrollTo(0, 0)]`)
	if !eval[bool](b, `(r => document.elementFromPoint(r.x + 2, r.y + 2).closest("a") !== null)(document.querySelector('a[href="/page/0"]').getBoundingClientRect())`) {
		t.Error("something lies over the page")
	}
	b.click(`a[href="/page/0"]`)
	if !strings.HasSuffix(b.location(), "/page/0") {
		t.Errorf("the link led to %s", b.location())
	}
}

// L9: one click agrees; two from any page withdraw.
func TestL9WithdrawingTakesTwoClicks(t *testing.T) {
	b := newBrowser(t, calm)
	b.open("/page/3", 1280, 800)
	b.click(`#cg-banner [value=accept]`)
	if b.has("#cg-banner") {
		t.Fatal("one click was not enough to agree")
	}
	b.click(`#cg-settings`)
	b.click(`[value=withdraw]`)
	b.open("/page/3", 1280, 800)
	if b.has("#cg-banner") || !b.has("[data-service=youtube]") {
		t.Error("two clicks were not enough to withdraw")
	}
}

// L10: withdrawing takes effect with the next page, says so in Tk, and is recorded.
func TestL10WithdrawingTakesEffectAtOnce(t *testing.T) {
	b := newBrowser(t, calm)
	b.open("/", 1280, 800)
	b.click(`#cg-banner [value=accept]`)
	if b.has("[data-service=youtube]") {
		t.Fatal("what was agreed to is withheld")
	}
	var mu sync.Mutex
	var tk any
	b.must(chromedp.Listen(b.ctx, func(ev any) {
		if e, ok := ev.(*network.EventRequestWillBeSent); ok && e.RedirectResponse != nil {
			mu.Lock()
			defer mu.Unlock()
			tk = e.RedirectResponse.Headers["Tk"]
		}
	}))
	_, err := chromedp.Call(b.ctx, network.Enable, network.EnableParams{})
	b.must(err)
	b.click(`#cg-settings`)
	b.click(`[value=withdraw]`)
	mu.Lock()
	if fmt.Sprint(tk) != "U" {
		t.Errorf("Tk: %v", tk)
	}
	mu.Unlock()
	b.open("/", 1280, 800)
	if !b.has("[data-service=youtube]") {
		t.Error("what was withdrawn is loaded")
	}
	if last := b.world.book.receipts[len(b.world.book.receipts)-1]; last.Event != ledger.Withdrawn {
		t.Errorf("the last receipt is %+v", last)
	}
}

// L11: whether yes or no, an answer holds for 180 days, and nobody is asked in
// between.
func TestL11AnswersHoldForSixMonths(t *testing.T) {
	for _, answer := range []string{"accept", "reject"} {
		b := newBrowser(t, calm)
		b.world.setClock(time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)) // a refusal knows the day alone
		b.open("/", 1280, 800)
		b.click(`#cg-banner [value=` + answer + `]`)
		start := b.world.clock()
		for days, asked := range map[int]bool{1: false, 179: false, 181: true} {
			b.world.setClock(start.AddDate(0, 0, days))
			b.open("/", 1280, 800)
			if b.has("#cg-banner") != asked {
				t.Errorf("%s, %d days later: asked again %v", answer, days, !asked)
			}
		}
	}
}

// L12: whoever sends a signal is not asked, is told that it is honoured, and can
// reach the settings.
func TestL12SignalsAreAnAnswer(t *testing.T) {
	for _, tt := range []struct {
		headers []string
		line    string
	}{
		{[]string{"DNT", "1"}, "Do Not Track honored"},
		{[]string{"Sec-GPC", "1"}, "Opt-Out Preference Signal Honored"},
	} {
		b := newBrowser(t, calm)
		b.send(tt.headers...)
		b.open("/", 1280, 800)
		if b.has("#cg-banner") || !b.has("[data-service=youtube]") {
			t.Errorf("%v: asked, or not withheld", tt.headers)
		}
		if foot := eval[string](b, `document.getElementById("cg-foot").innerText`); !strings.Contains(foot, tt.line) {
			t.Errorf("%v: the page says %q", tt.headers, foot)
		}
		b.click("#cg-settings")
		if !b.has("[name=override]") {
			t.Errorf("%v: the settings do not name the signal", tt.headers)
		}
	}
}

// L16: what is stored after a refusal tells nobody from anybody.
func TestL16ARefusalHasNoIdentifier(t *testing.T) {
	var values []string
	for range 2 {
		b := newBrowser(t, calm)
		b.open("/", 1280, 800)
		b.click(`#cg-banner [value=reject]`)
		cookies, err := chromedp.Call(b.ctx, network.GetCookies, network.GetCookiesParams{})
		b.must(err)
		for _, c := range cookies.Cookies {
			values = append(values, c.Name+"="+c.Value)
		}
	}
	if len(values) != 2 || values[0] != values[1] {
		t.Errorf("two who refused have %q", values)
	}
}

// L17: what stands in a page speaks its language, and leads to settings that do.
func TestL17ThePagesLanguage(t *testing.T) {
	b := newBrowser(t, calm)
	for lang, word := range map[string]string{"de": "Alle ablehnen", "fr": "Tout refuser", "ar": "رفض الكل", "en": "Reject all"} {
		b.open("/?lang="+lang, 1280, 800)
		same := `[...document.querySelectorAll("#cg-banner, #cg-foot, .cg-placeholder")].every(e => e.lang === document.documentElement.lang)`
		if text := eval[string](b, `document.querySelector("#cg-banner [value=reject]").innerText`); text != word || !eval[bool](b, same) {
			t.Errorf("%s: the button says %q", lang, text)
		}
		b.click(`#cg-banner .cg-choose`)
		if got := eval[string](b, "document.documentElement.lang"); got != lang {
			t.Errorf("%s: the settings speak %s", lang, got)
		}
	}
}
