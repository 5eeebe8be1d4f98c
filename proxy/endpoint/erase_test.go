package endpoint

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/numfocus/consentgate/consent"
)

// erase sends what the settings page sends.
func (v *visitor) erase(fields url.Values, headers ...string) answer {
	v.Helper()
	headers = append([]string{"Content-Type", "application/x-www-form-urlencoded", "Origin", v.origin(), "Sec-Fetch-Site", "same-origin"}, headers...)
	return v.do(http.MethodPost, "/_consent/erase", fields.Encode(), headers...)
}

func TestErase(t *testing.T) {
	w := newWorld(t)
	v, other := w.visitor(), w.visitor()
	v.choose(fields("choice", "accept"))
	other.choose(fields("choice", "accept"))
	record := v.choice().Record

	page := v.get("/_consent/")
	if strings.Contains(page.body, "/_consent/erase") || !strings.Contains(page.body, `/_consent/?erase=1`) {
		t.Error("the settings erase without asking, or do not offer to")
	}
	page = v.get("/_consent/?erase=1")
	if !strings.Contains(page.body, `formaction="/_consent/erase" name="record" value="`+record+`"`) {
		t.Error("the settings do not ask whether to erase")
	}

	a := v.erase(fields("record", record))
	wantStatus(t, a, http.StatusSeeOther)
	wantHeader(t, a, "Location", "/_consent/?erased=1")
	wantHeader(t, a, "Tk", "U")
	if c := v.choice(); c.Grants() || c.Record != "" {
		t.Errorf("after erasing the cookie says %+v", c)
	}
	if !strings.Contains(v.get("/_consent/?erased=1").body, "has been erased") {
		t.Error("the visitor is not told")
	}
	if len(w.book.receipts) != 1 || w.book.receipts[0].Record != other.choice().Record {
		t.Errorf("receipts %+v, want those of the other visitor alone", w.book.receipts)
	}
	wantStatus(t, v.get("/_consent/receipt"), http.StatusNotFound)
}

func TestEraseForScripts(t *testing.T) {
	v := newWorld(t).visitor("Accept", "application/json")
	v.choose(fields("choice", "accept"))
	wantStatus(t, v.do(http.MethodPost, "/_consent/erase", "", "Sec-Fetch-Site", "same-origin"), http.StatusNoContent)
	if v.choice().Grants() {
		t.Error("consent is still given")
	}
	a := v.do(http.MethodPost, "/_consent/erase", "", "Sec-Fetch-Site", "same-origin")
	wantStatus(t, a, http.StatusNotFound)
	wantHeader(t, a, "Content-Type", "application/json")
}

func TestEraseOnlyForTheVisitor(t *testing.T) {
	w := newWorld(t)
	v, other := w.visitor(), w.visitor()
	v.choose(fields("choice", "accept"))
	other.choose(fields("choice", "accept"))
	for name, tt := range map[string]struct {
		form    url.Values
		headers []string
		status  int
	}{
		"another's record": {fields("record", other.choice().Record), nil, http.StatusConflict},
		"another site":     {fields("record", v.choice().Record), []string{"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"}, http.StatusForbidden},
		"not a form":       {fields("record", v.choice().Record), []string{"Content-Type", "text/plain"}, http.StatusBadRequest},
		"too long":         {fields("record", strings.Repeat("x", largestBody)), nil, http.StatusRequestEntityTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			wantStatus(t, v.erase(tt.form, tt.headers...), tt.status)
			if !v.choice().Grants() || len(w.book.receipts) != 2 {
				t.Error("something was erased")
			}
		})
	}
	wantStatus(t, w.visitor().erase(fields("record", v.choice().Record)), http.StatusNotFound)
	a := v.get("/_consent/erase")
	wantStatus(t, a, http.StatusMethodNotAllowed)
}

// Only with the cookie can the visitor try again.
func TestWhatCannotBeErasedIsKept(t *testing.T) {
	w := newWorld(t)
	v := w.visitor()
	v.choose(fields("choice", "accept"))
	w.book.broken = true
	a := v.erase(fields("record", v.choice().Record))
	wantStatus(t, a, http.StatusServiceUnavailable)
	if !v.choice().Grants() || a.Header.Get("Retry-After") == "" || !strings.Contains(a.body, "could not be erased") || len(w.problems) != 1 {
		t.Errorf("problems %v, page\n%s", w.problems, a.body)
	}
}

// A service that joined since waits: to allow another one, or to save the settings
// as they are, does not grant it.
func TestNewServicesAreGrantedOnlyWhenNamed(t *testing.T) {
	pixel := services()[3]
	w := newWorld(t, func(_ *Config, s *Site) {
		s.Policy.Added = []consent.Addition{{Service: pixel, At: noon.Add(time.Hour)}}
	})
	v := w.visitor()
	v.choose(fields("choice", "save", "purpose", "statistics", "purpose", "marketing"))
	w.now = noon.Add(2 * time.Hour)

	page := v.get("/_consent/").body
	if !strings.Contains(page, "New since you last chose: "+pixel.Name) {
		t.Error("the settings do not say what is new")
	}
	if strings.Contains(page, `value="statistics" aria-label="Allow: Statistics" checked`) || !strings.Contains(page, `Allow: Marketing" checked`) {
		t.Error("the settings tick the purpose that has something new, or not the other one")
	}
	v.choose(fields("choice", "grant", "service", "youtube"))
	if c := v.choice(); c.Purposes != consent.PurposesOf(consent.Marketing) || !slices.Equal(c.Services, []consent.ServiceID{"youtube"}) {
		t.Errorf("granted %v and %v", c.Purposes, c.Services)
	}
	v.choose(fields("choice", "accept"))
	if d := w.policy.Decide(consent.Visitor{Choice: ptr(v.choice())}, w.now); !d.Allows(pixel) || d.Ask {
		t.Error("what was agreed to with everything is not allowed")
	}
}

func ptr[T any](v T) *T { return &v }
