package endpoint

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/numfocus/consentgate/consent"
	"github.com/numfocus/consentgate/consent/ledger"
)

func wantStatus(t testing.TB, a answer, status int) {
	t.Helper()
	if a.StatusCode != status {
		t.Errorf("status %d, want %d; body:\n%.500s", a.StatusCode, status, a.body)
	}
}

func wantHeader(t testing.TB, a answer, name, want string) {
	t.Helper()
	if got := a.Header.Get(name); got != want {
		t.Errorf("%s: %q, want %q", name, got, want)
	}
}

func TestAccept(t *testing.T) {
	v := newWorld(t).visitor()
	a := v.choose(fields("choice", "accept", "return", "/donate?x=1#form"))
	wantStatus(t, a, http.StatusSeeOther)
	wantHeader(t, a, "Location", "/donate?x=1#form")
	wantHeader(t, a, "Cache-Control", "no-store")
	wantHeader(t, a, "Tk", "U")

	c := v.choice()
	if c.Purposes != consent.Everything.Without(consent.Necessary) || c.Revision != revision || !c.At.Equal(noon) {
		t.Errorf("choice %+v does not grant everything", c)
	}
	if !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(c.Record) {
		t.Errorf("record %q is not a random UUID", c.Record)
	}
	if len(v.book.receipts) != 1 {
		t.Fatalf("%d receipts, want 1", len(v.book.receipts))
	}
	r := v.book.receipts[0]
	if r.Record != c.Record || r.Event != ledger.Given || r.Method != ledger.ByBanner || r.Language != "en" ||
		r.Revision != revision || len(r.Notice) != 64 || r.Catalog != "catalog-hash" || r.Site != "numfocus" ||
		!r.ValidUntil.Equal(noon.AddDate(0, 0, 180)) {
		t.Errorf("receipt %+v", r)
	}
}

// L16: a refusal leaves nothing by which the visitor could be told from others.
func TestReject(t *testing.T) {
	w := newWorld(t)
	first, second := w.visitor(), w.visitor()
	a := first.choose(fields("choice", "reject"))
	wantStatus(t, a, http.StatusSeeOther)
	wantHeader(t, a, "Location", "/")
	second.choose(fields("choice", "reject"))

	if c := first.choice(); c.Grants() || c.Record != "" {
		t.Errorf("choice %+v grants something or has an identifier", c)
	}
	if first.cookies["consent"] != second.cookies["consent"] {
		t.Error("two who refused have different cookies")
	}
	if len(w.book.receipts) != 0 || len(w.book.refusals) != 2 {
		t.Errorf("%d receipts and %d refusals, want none and 2", len(w.book.receipts), len(w.book.refusals))
	}
	if got := w.book.refusals[0]; got.Method != ledger.ByBanner || got.Site != "numfocus" || got.Language != "en" {
		t.Errorf("refusal %+v", got)
	}
}

func TestRejectNeedsNoRevisionAndNoLedger(t *testing.T) {
	w := newWorld(t)
	w.book.broken = true
	v := w.visitor()
	wantStatus(t, v.choose(fields("choice", "reject", "revision", "long-ago")), http.StatusSeeOther)
	if v.choice().Grants() {
		t.Error("the refusal was not kept")
	}
	if len(w.problems) != 1 {
		t.Errorf("problems %v, want that of the ledger", w.problems)
	}
}

func TestSave(t *testing.T) {
	for _, tt := range []struct {
		name     string
		form     []string
		purposes consent.Purposes
		services []consent.ServiceID
	}{
		{"nothing ticked is a refusal", nil, 0, nil},
		{"one purpose", []string{"purpose", "statistics"}, consent.PurposesOf(consent.Statistics), nil},
		{"purposes", []string{"purpose", "statistics", "purpose", "marketing"}, consent.PurposesOf(consent.Statistics, consent.Marketing), nil},
		{"necessary is not granted but given", []string{"purpose", "necessary", "service", "jsdelivr"}, 0, nil},
		{"services, sorted, each once", []string{"service", "youtube", "service", "meta-pixel", "service", "youtube"}, 0, []consent.ServiceID{"meta-pixel", "youtube"}},
		{"a service its purpose covers is left out", []string{"purpose", "preferences", "service", "youtube", "service", "meta-pixel"},
			consent.PurposesOf(consent.Preferences), []consent.ServiceID{"meta-pixel"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := newWorld(t).visitor()
			wantStatus(t, v.choose(fields(append([]string{"choice", "save"}, tt.form...)...)), http.StatusSeeOther)
			c := v.choice()
			if c.Purposes != tt.purposes || !slices.Equal(c.Services, tt.services) {
				t.Errorf("granted %v and %v, want %v and %v", c.Purposes, c.Services, tt.purposes, tt.services)
			}
			if c.Grants() != (c.Record != "") {
				t.Errorf("a choice that grants %v has record %q", c.Grants(), c.Record)
			}
		})
	}
}

func TestWithdraw(t *testing.T) {
	w := newWorld(t)
	v := w.visitor()
	v.choose(fields("choice", "accept"))
	record := v.choice().Record
	wantStatus(t, v.choose(fields("choice", "withdraw", "from", "settings")), http.StatusSeeOther)
	if c := v.choice(); c.Grants() || c.Record != "" {
		t.Errorf("after withdrawing the cookie says %+v", c)
	}
	last := w.book.receipts[len(w.book.receipts)-1]
	if last.Event != ledger.Withdrawn || last.Record != record || last.Purposes != 0 || last.Method != ledger.BySettings {
		t.Errorf("receipt %+v", last)
	}
}

func TestWithdrawWorksWhileTheLedgerDoesNot(t *testing.T) {
	w := newWorld(t)
	v := w.visitor()
	v.choose(fields("choice", "accept"))
	w.book.broken = true
	wantStatus(t, v.choose(fields("choice", "withdraw")), http.StatusSeeOther)
	if v.choice().Grants() {
		t.Error("consent is still given")
	}
}

func TestChangesShareARecord(t *testing.T) {
	w := newWorld(t)
	v := w.visitor()
	v.choose(fields("choice", "save", "purpose", "statistics"))
	v.choose(fields("choice", "save", "purpose", "marketing"))
	if len(w.book.receipts) != 2 {
		t.Fatalf("%d receipts, want 2", len(w.book.receipts))
	}
	a, b := w.book.receipts[0], w.book.receipts[1]
	if a.Record != b.Record || a.Event != ledger.Given || b.Event != ledger.Changed {
		t.Errorf("receipts %+v and %+v", a, b)
	}
}

func TestGrantAddsToWhatWasGranted(t *testing.T) {
	w := newWorld(t)
	v := w.visitor()
	v.choose(fields("choice", "save", "purpose", "statistics", "service", "typeform"))
	wantStatus(t, v.choose(fields("choice", "grant", "service", "youtube")), http.StatusSeeOther)
	c := v.choice()
	if c.Purposes != consent.PurposesOf(consent.Statistics) || !slices.Equal(c.Services, []consent.ServiceID{"typeform", "youtube"}) {
		t.Errorf("granted %v and %v", c.Purposes, c.Services)
	}
	if m := w.book.receipts[1].Method; m != ledger.ByPlaceholder {
		t.Errorf("method %q", m)
	}
}

func TestGrantOnceLastsForOnePage(t *testing.T) {
	w := newWorld(t)
	v := w.visitor()
	a := v.choose(fields("choice", "grant", "once", "1", "service", "youtube"), "Referer", "http://"+host+"/talks/?y=2026")
	wantStatus(t, a, http.StatusSeeOther)
	wantHeader(t, a, "Location", "/talks/?y=2026")
	if v.hasChosen() {
		t.Error("loading once was taken for a choice")
	}
	ids, err := w.tokens.DecodeOnce(v.cookies["consent-once"])
	if err != nil || !slices.Equal(ids, []consent.ServiceID{"youtube"}) {
		t.Errorf("the cookie for one page says %v, %v", ids, err)
	}
	if !strings.Contains(a.Header.Get("Set-Cookie"), "Max-Age=60") {
		t.Errorf("cookie %q does not end within a minute", a.Header.Get("Set-Cookie"))
	}
	if len(w.book.receipts)+len(w.book.refusals) != 0 {
		t.Error("loading once was recorded")
	}
}

// A grant that is not on record is none.
func TestGrantsNeedTheLedger(t *testing.T) {
	for _, form := range [][]string{{"choice", "accept"}, {"choice", "save", "purpose", "statistics"}, {"choice", "grant", "service", "youtube"}} {
		w := newWorld(t)
		w.book.broken = true
		v := w.visitor()
		a := v.choose(fields(form...))
		wantStatus(t, a, http.StatusServiceUnavailable)
		if v.hasChosen() || a.Header.Get("Set-Cookie") != "" {
			t.Errorf("%v: a cookie was set", form)
		}
		if a.Header.Get("Retry-After") == "" || !strings.Contains(a.body, "could not be saved") {
			t.Errorf("%v: the visitor is not told:\n%s", form, a.body)
		}
		if len(w.problems) != 1 {
			t.Errorf("%v: problems %v", form, w.problems)
		}
	}
}

func TestGrantsNeedTheNoticeInForce(t *testing.T) {
	for _, form := range [][]string{
		{"choice", "accept"}, {"choice", "save", "purpose", "statistics"},
		{"choice", "grant", "service", "youtube"}, {"choice", "grant", "service", "youtube", "once", "1"},
	} {
		v := newWorld(t).visitor()
		a := v.choose(fields(append(form, "revision", "2025-01-01")...))
		wantStatus(t, a, http.StatusConflict)
		if len(v.cookies) != 0 {
			t.Errorf("%v: cookies %v", form, v.cookies)
		}
		if !strings.Contains(a.body, "This notice has changed") || !strings.Contains(a.body, `value="`+revision+`"`) {
			t.Errorf("%v: the page does not ask again:\n%s", form, a.body)
		}
		a = v.choose(fields(append(form, "revision", "2025-01-01")...), "Accept", "application/json")
		wantStatus(t, a, http.StatusConflict)
		wantHeader(t, a, "Content-Type", "application/json")
	}
}

// A site's own button need not know the revision. It means the notice in force.
func TestFormWithoutRevision(t *testing.T) {
	v := newWorld(t).visitor()
	a := v.post(fields("choice", "accept"), "Origin", v.origin(), "Sec-Fetch-Site", "same-origin")
	wantStatus(t, a, http.StatusSeeOther)
	if got := v.choice().Revision; got != revision {
		t.Errorf("agreed to %q, want %q", got, revision)
	}
	a = v.post(fields("choice", "accept", "revision", ""), "Origin", v.origin(), "Sec-Fetch-Site", "same-origin")
	wantStatus(t, a, http.StatusConflict)
}

func TestFormsThatAreNoChoice(t *testing.T) {
	for name, form := range map[string][]string{
		"no choice":       {},
		"another choice":  {"choice", "maybe"},
		"unknown purpose": {"choice", "save", "purpose", "statistic"},
		"unknown service": {"choice", "grant", "service", "nobody"},
		"empty grant":     {"choice", "grant"},
		"once for all":    {"choice", "grant", "once", "1", "purpose", "marketing"},
		"the necessary":   {"choice", "grant", "service", "jsdelivr"},
	} {
		t.Run(name, func(t *testing.T) {
			v := newWorld(t).visitor()
			v.choose(fields("choice", "save", "purpose", "statistics"))
			before := v.choice()
			a := v.choose(fields(form...))
			wantStatus(t, a, http.StatusBadRequest)
			if !strings.Contains(a.body, "was not understood") || !strings.Contains(a.body, `href="/_consent/"`) {
				t.Errorf("the page does not help:\n%s", a.body)
			}
			if after := v.choice(); after.Purposes != before.Purposes || after.Record != before.Record {
				t.Errorf("the choice before was lost: %+v", after)
			}
		})
	}
}

func TestALinkCannotChoose(t *testing.T) {
	v := newWorld(t).visitor()
	a := v.do(http.MethodPost, "/_consent/choice?choice=accept&revision="+revision, "",
		"Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin")
	wantStatus(t, a, http.StatusBadRequest)
	a = v.get("/_consent/choice?choice=accept&revision=" + revision)
	wantStatus(t, a, http.StatusMethodNotAllowed)
	wantHeader(t, a, "Allow", "POST")
	if len(v.cookies) != 0 {
		t.Errorf("cookies %v", v.cookies)
	}
}

func TestBodies(t *testing.T) {
	var multi bytes.Buffer
	m := multipart.NewWriter(&multi)
	for name, value := range map[string]string{"choice": "accept", "revision": revision} {
		if err := m.WriteField(name, value); err != nil {
			t.Fatal(err)
		}
	}
	m.Close()
	long := "choice=reject&x=" + strings.Repeat("x", largestBody)
	for name, tt := range map[string]struct {
		contentType, body string
		status            int
	}{
		"multipart":            {m.FormDataContentType(), multi.String(), http.StatusSeeOther},
		"too long":             {"application/x-www-form-urlencoded", long, http.StatusRequestEntityTooLarge},
		"too long, multipart":  {m.FormDataContentType(), "--" + m.Boundary() + "\r\nContent-Disposition: form-data; name=x\r\n\r\n" + long, http.StatusRequestEntityTooLarge},
		"JSON":                 {"application/json", `{"choice":"accept"}`, http.StatusBadRequest},
		"plain text":           {"text/plain", "choice=accept", http.StatusBadRequest},
		"no type":              {"", "choice=accept", http.StatusBadRequest},
		"broken percent signs": {"application/x-www-form-urlencoded", "choice=%zz", http.StatusBadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			a := newWorld(t).visitor().do(http.MethodPost, "/_consent/choice", tt.body,
				"Content-Type", tt.contentType, "Sec-Fetch-Site", "same-origin")
			wantStatus(t, a, tt.status)
		})
	}
}

func TestForScripts(t *testing.T) {
	v := newWorld(t).visitor("Accept", "application/json")
	a := v.choose(fields("choice", "accept"))
	wantStatus(t, a, http.StatusNoContent)
	if a.Header.Get("Location") != "" || !v.choice().Grants() {
		t.Error("the choice was not taken in place")
	}
	a = v.choose(fields("choice", "maybe"))
	wantStatus(t, a, http.StatusBadRequest)
	wantHeader(t, a, "Content-Type", "application/json")
}

func TestSignalsAreOverriddenOnlyWhilePresentAndNamed(t *testing.T) {
	for _, tt := range []struct {
		name     string
		headers  []string
		override []string
		dnt, gpc bool
	}{
		{"not named", []string{"DNT", "1", "Sec-GPC", "1"}, nil, false, false},
		{"named but absent", nil, []string{"dnt", "gpc"}, false, false},
		{"one of two", []string{"DNT", "1", "Sec-GPC", "1"}, []string{"gpc"}, false, true},
		{"the wrong one", []string{"DNT", "1"}, []string{"gpc"}, false, false},
		{"both", []string{"DNT", "1", "Sec-GPC", "1"}, []string{"dnt", "gpc"}, true, true},
		{"DNT 0 is none", []string{"DNT", "0"}, []string{"dnt"}, false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			v := w.visitor(tt.headers...)
			form := fields("choice", "save", "purpose", "marketing", "from", "settings")
			form["override"] = tt.override
			wantStatus(t, v.choose(form), http.StatusSeeOther)
			c, r := v.choice(), w.book.receipts[0]
			if c.OverrodeDNT != tt.dnt || c.OverrodeGPC != tt.gpc {
				t.Errorf("overrode DNT %v and GPC %v, want %v and %v", c.OverrodeDNT, c.OverrodeGPC, tt.dnt, tt.gpc)
			}
			if r.OverrodeDNT != tt.dnt || r.OverrodeGPC != tt.gpc || r.Method != ledger.BySettings {
				t.Errorf("the receipt says otherwise: %+v", r)
			}
			if c.Purposes != consent.PurposesOf(consent.Marketing) {
				t.Errorf("granted %v", c.Purposes)
			}
		})
	}
}

func TestARefusalOverridesNothing(t *testing.T) {
	v := newWorld(t).visitor("DNT", "1")
	v.choose(fields("choice", "save", "override", "dnt"))
	if c := v.choice(); c.OverrodeDNT {
		t.Errorf("choice %+v", c)
	}
}

func TestOverHTTPS(t *testing.T) {
	w := newWorld(t)
	w.secure = true
	v := w.visitor()
	a := v.choose(fields("choice", "accept"))
	wantStatus(t, a, http.StatusSeeOther)
	wantHeader(t, a, "Clear-Site-Data", `"prefetchCache", "prerenderCache"`)
	cookie := a.Header.Get("Set-Cookie")
	for _, want := range []string{"__Host-consent=", "; Path=/", "; Secure", "; HttpOnly", "; SameSite=Lax", "; Max-Age=15552000"} {
		if !strings.Contains(cookie, want) {
			t.Errorf("cookie %q lacks %q", cookie, want)
		}
	}
	if plain := newWorld(t).visitor().choose(fields("choice", "accept")); plain.Header.Get("Clear-Site-Data") != "" {
		t.Error("Clear-Site-Data was sent over plain HTTP")
	}
}

func TestTheReceiptNamesTheLanguageShown(t *testing.T) {
	w := newWorld(t)
	w.visitor("Accept-Language", "de").choose(fields("choice", "accept", "lang", "en"))
	if got := w.book.receipts[0].Language; got != "en" {
		t.Errorf("language %q", got)
	}
}

// A browser sends two cookies of one name where one is for the host and one for
// its domain; a refusal must not be outlived by the other.
func TestDoublesOfTheCookieEnd(t *testing.T) {
	w := newWorld(t)
	v := w.visitor()
	v.choose(fields("choice", "accept"))
	double := "consent=" + v.cookies["consent"]
	v.cookies = nil
	v.headers.Set("Cookie", double+"; "+double)
	a := v.do(http.MethodPost, "/_consent/choice", "choice=reject", "Content-Type", "application/x-www-form-urlencoded")
	lines := a.Header.Values("Set-Cookie")
	if len(lines) != 2 || !strings.HasPrefix(lines[1], "consent=; Path=/; Domain="+host+"; Max-Age=0") {
		t.Errorf("cookies %q", lines)
	}
}
