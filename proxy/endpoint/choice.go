package endpoint

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/numfocus/consentgate/consent"
	"github.com/numfocus/consentgate/consent/catalog"
	"github.com/numfocus/consentgate/consent/ledger"
	"github.com/numfocus/consentgate/consent/token"
	"github.com/numfocus/consentgate/proxy/banner"
)

// choose takes what a visitor says.
func (e *Endpoint) choose(w http.ResponseWriter, r *http.Request) {
	if e.checkSender(r) != nil {
		e.fail(w, r, http.StatusForbidden, banner.Foreign)
		return
	}
	f, err := e.readForm(w, r)
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		e.fail(w, r, http.StatusRequestEntityTooLarge, banner.Large)
	case err != nil:
		e.fail(w, r, http.StatusBadRequest, banner.Unknown)
	case f.grants() && f.revision != e.site.Policy.Revision:
		e.askAgain(w, r)
	case f.once:
		e.grantOnce(w, r, f)
	default:
		e.take(w, r, f)
	}
}

// askAgain shows the notice in force to somebody who said yes to another.
func (e *Endpoint) askAgain(w http.ResponseWriter, r *http.Request) {
	if wantsJSON(r) {
		showJSON(w, http.StatusConflict, "application/json", map[string]string{"error": "revision", "revision": e.site.Policy.Revision})
		return
	}
	view := e.view(r)
	view.Note = banner.Changed
	e.showSettings(w, r, http.StatusConflict, view)
}

// grantOnce lets services load on the next page. That is no consent that
// lasts, so it is not recorded.
func (e *Endpoint) grantOnce(w http.ResponseWriter, r *http.Request, f form) {
	value, err := e.site.Tokens.EncodeOnce(f.services)
	if err != nil {
		e.cannotStore(w, r, err)
		return
	}
	w.Header().Add("Set-Cookie", e.cookie(r).SetOnce(value))
	e.done(w, r, f)
}

// take records a choice and gives the visitor the cookie that says so, in this
// order: a grant that is not on record is none.
func (e *Endpoint) take(w http.ResponseWriter, r *http.Request, f form) {
	d, now := e.site.Decide(r), e.now()
	choice := e.choiceOf(f, d, now)
	if err := e.identify(&choice, d.Choice); err != nil {
		e.cannotStore(w, r, err)
		return
	}
	value, err := e.site.Tokens.Encode(choice)
	if err != nil {
		e.cannotStore(w, r, fmt.Errorf("keep choice in a cookie: %w", err))
		return
	}
	if err := e.record(r, f, d, choice); err != nil {
		e.site.Problem(r, err)
		if choice.Grants() {
			e.tellNotStored(w, r)
			return
		}
	}
	w.Header().Add("Set-Cookie", e.cookie(r).Set(value, e.site.Policy.Until(now).Sub(now)))
	e.clean(w, r)
	e.done(w, r, f)
}

// clean ends a double of the cookie, which would go on saying what the visitor
// said before.
func (e *Endpoint) clean(w http.ResponseWriter, r *http.Request) {
	cookie := e.cookie(r)
	if len(token.Find(r.Header["Cookie"], cookie.Name())) < 2 {
		return
	}
	host := (&url.URL{Host: e.site.Host(r)}).Hostname()
	for _, line := range cookie.Clean(catalog.Registrable(host)) {
		w.Header().Add("Set-Cookie", line)
	}
}

func (e *Endpoint) now() time.Time { return e.site.Now().UTC().Truncate(time.Second) }

func (e *Endpoint) cookie(r *http.Request) token.Cookie {
	return token.Cookie{Secure: e.site.Secure(r), Domain: e.site.Domain}
}

// choiceOf is what the visitor will have said after this form. A signal is
// overridden only by a form that names it, and only while the browser sends it.
func (e *Endpoint) choiceOf(f form, d consent.Decision, now time.Time) consent.Choice {
	c := consent.Choice{
		Purposes:    f.purposes,
		Services:    f.services,
		At:          now,
		Revision:    e.site.Policy.Revision,
		OverrodeDNT: f.overrideDNT && d.Signals.DNT == consent.DNTOn,
		OverrodeGPC: f.overrideGPC && d.Signals.GPC,
	}
	if f.verb == grant && d.Choice != nil {
		before := e.site.Policy.Kept(*d.Choice, e.site.Offered)
		c.Purposes |= before.Purposes
		c.Services = append(c.Services, before.Services...)
		c.OverrodeDNT = c.OverrodeDNT || before.OverrodeDNT
		c.OverrodeGPC = c.OverrodeGPC || before.OverrodeGPC
	}
	c.Purposes = c.Purposes.Without(consent.Necessary)
	c.Services = e.beyond(c.Purposes, c.Services)
	if !c.Grants() {
		c.OverrodeDNT, c.OverrodeGPC = false, false
	}
	return c
}

// beyond keeps of services those that the purposes do not cover and that the
// site still has, sorted.
func (e *Endpoint) beyond(purposes consent.Purposes, services []consent.ServiceID) []consent.ServiceID {
	kept := slices.DeleteFunc(slices.Clone(services), func(id consent.ServiceID) bool {
		s, ok := e.services[id]
		return !ok || purposes.Has(s.Purpose)
	})
	slices.Sort(kept)
	return slices.Compact(kept)
}

// identify gives a choice that grants something the id of the visitor's record,
// made at the first one. Whoever refuses gets none.
func (e *Endpoint) identify(c *consent.Choice, before *consent.Choice) error {
	switch {
	case !c.Grants():
		return nil
	case before != nil && before.Record != "":
		c.Record = before.Record
		return nil
	}
	var err error
	c.Record, err = newRecord(e.site.Random)
	return err
}

// newRecord makes a random UUID (RFC 9562 section 5.4).
func newRecord(random io.Reader) (string, error) {
	var id [16]byte
	if _, err := io.ReadFull(random, id[:]); err != nil {
		return "", fmt.Errorf("make record id: %w", err)
	}
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:]), nil
}

// storeFor is how long the ledger may take.
const storeFor = 5 * time.Second

// record writes a receipt of a grant and of the end of one, and counts a
// refusal. It goes on when the visitor does not wait for the answer.
func (e *Endpoint) record(r *http.Request, f form, d consent.Decision, c consent.Choice) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), storeFor)
	defer cancel()
	if receipt, ok := e.receiptOf(r, f, d, c); ok {
		if err := e.keepNotice(ctx, e.language(r)); err != nil {
			return fmt.Errorf("keep the notice that was shown: %w", err)
		}
		if err := e.site.Ledger.Append(ctx, receipt); err != nil {
			return fmt.Errorf("record choice: %w", err)
		}
		return nil
	}
	err := e.site.Ledger.Refuse(ctx, ledger.Refusal{
		Time:     c.At,
		Site:     e.site.Name,
		Language: string(e.language(r)),
		Method:   f.method(),
		Signals:  d.Signals,
	})
	if err != nil {
		return fmt.Errorf("count refusal: %w", err)
	}
	return nil
}

// A noticeKeeper is a ledger that keeps what its receipts say was shown.
type noticeKeeper interface {
	PutNotice(ctx context.Context, n ledger.Notice) error
}

// keepNotice has the ledger keep the notice in a language, once: a receipt holds
// no more than its hash.
func (e *Endpoint) keepNotice(ctx context.Context, lang banner.Lang) error {
	keeper, ok := e.site.Ledger.(noticeKeeper)
	if _, kept := e.noticesKept.Load(lang); kept || !ok {
		return nil
	}
	shown, err := e.site.Banner.Shown(lang)
	if err != nil {
		return err
	}
	if err := keeper.PutNotice(ctx, ledger.NewNotice(e.site.Policy.Revision, string(lang), shown)); err != nil {
		return err
	}
	e.noticesKept.Store(lang, true)
	return nil
}

// receiptOf is the receipt of a choice, unless it is a refusal by somebody who
// never granted anything.
func (e *Endpoint) receiptOf(r *http.Request, f form, d consent.Decision, c consent.Choice) (ledger.Receipt, bool) {
	event, record := ledger.Given, c.Record
	if before := d.Choice; before != nil && before.Record != "" {
		event, record = ledger.Changed, before.Record
	}
	if !c.Grants() {
		event = ledger.Withdrawn
	}
	lang := e.language(r)
	return ledger.Receipt{
		Record:      record,
		Event:       event,
		Time:        c.At,
		ValidUntil:  e.site.Policy.Until(c.At),
		Site:        e.site.Name,
		Language:    string(lang),
		Revision:    c.Revision,
		Notice:      e.site.Banner.NoticeHash(lang),
		Catalog:     e.site.Catalog,
		Purposes:    c.Purposes,
		Services:    c.Services,
		Method:      f.method(),
		Signals:     d.Signals,
		OverrodeDNT: c.OverrodeDNT,
		OverrodeGPC: c.OverrodeGPC,
	}, record != ""
}

func (e *Endpoint) cannotStore(w http.ResponseWriter, r *http.Request, err error) {
	e.site.Problem(r, err)
	e.tellNotStored(w, r)
}

func (e *Endpoint) tellNotStored(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Retry-After", "60")
	e.fail(w, r, http.StatusServiceUnavailable, banner.Stored)
}

// done ends the answer to a choice that was taken. Pages the browser fetched
// ahead were made for the choice before.
func (e *Endpoint) done(w http.ResponseWriter, r *http.Request, f form) {
	h := w.Header()
	h.Set("Tk", "U")
	if e.site.Secure(r) {
		h.Set("Clear-Site-Data", `"prefetchCache", "prerenderCache"`)
	}
	if wantsJSON(r) {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	h.Set("Location", e.next(r, f.target))
	w.WriteHeader(http.StatusSeeOther)
}
