package endpoint

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/numfocus/consentgate/consent"
	"github.com/numfocus/consentgate/consent/ledger"
	"github.com/numfocus/consentgate/proxy/banner"
)

// erase removes the visitor's own record and ends the consent it proved: consent
// that is not on record is none. Which record that is says the cookie, so that a
// visitor can erase no other; the form names it as well, so that a page left open
// does not erase one made since.
func (e *Endpoint) erase(w http.ResponseWriter, r *http.Request) {
	if e.checkSender(r) != nil {
		e.fail(w, r, http.StatusForbidden, banner.Foreign)
		return
	}
	named, err := readRecord(w, r)
	choice := e.site.Decide(r).Choice
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		e.fail(w, r, http.StatusRequestEntityTooLarge, banner.Large)
	case err != nil:
		e.fail(w, r, http.StatusBadRequest, banner.Unknown)
	case choice == nil || choice.Record == "":
		e.fail(w, r, http.StatusNotFound, banner.Unknown)
	case named != "" && named != choice.Record:
		e.fail(w, r, http.StatusConflict, banner.Unknown)
	default:
		e.eraseRecord(w, r, choice.Record)
	}
}

// readRecord reads which record a form names; scripts need not send one.
func readRecord(w http.ResponseWriter, r *http.Request) (string, error) {
	if r.ContentLength == 0 {
		return "", nil
	}
	r.Body = http.MaxBytesReader(w, r.Body, largestBody)
	if err := parseBody(r); err != nil {
		return "", fmt.Errorf("%w: %w", errForm, err)
	}
	return r.PostForm.Get("record"), nil
}

func (e *Endpoint) eraseRecord(w http.ResponseWriter, r *http.Request, record string) {
	now := e.now()
	value, err := e.site.Tokens.Encode(consent.Choice{At: now, Revision: e.site.Policy.Revision})
	if err == nil {
		err = e.forget(r, record)
	}
	if err != nil {
		e.site.Problem(r, err)
		w.Header().Set("Retry-After", "60")
		e.fail(w, r, http.StatusServiceUnavailable, banner.Erase)
		return
	}
	w.Header().Add("Set-Cookie", e.cookie(r).Set(value, e.site.Policy.Until(now).Sub(now)))
	e.clean(w, r)
	e.done(w, r, form{target: e.erased(r)})
}

// forget goes on when the visitor does not wait for the answer. A record that is
// not there has been erased before.
func (e *Endpoint) forget(r *http.Request, record string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), storeFor)
	defer cancel()
	if err := e.site.Ledger.Erase(ctx, record); err != nil && !errors.Is(err, ledger.ErrNotFound) {
		return fmt.Errorf("erase record: %w", err)
	}
	return nil
}

// erased is the address of the settings that say so.
func (e *Endpoint) erased(r *http.Request) string {
	query := url.Values{"erased": {"1"}}
	if lang := e.language(r); lang != e.site.Banner.Default() {
		query.Set("lang", string(lang))
	}
	return e.prefix + "?" + query.Encode()
}
