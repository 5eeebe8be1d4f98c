package endpoint

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/numfocus/consentgate/consent"
	"github.com/numfocus/consentgate/consent/ledger"
	"github.com/numfocus/consentgate/proxy/banner"
)

// state is what a page may know of the decision in force. The id of the record
// is not in it: scripts of the page would have an identifier for nothing.
type state struct {
	Purposes   map[consent.Purpose]bool `json:"purposes"`
	Services   []consent.ServiceID      `json:"services"` // granted one by one
	Ask        bool                     `json:"ask"`
	Answered   bool                     `json:"answered"`
	Signals    signals                  `json:"signals"`
	Revision   string                   `json:"revision"`
	Class      string                   `json:"class"` // of the decision: other pages are made for another one
	ChosenAt   *time.Time               `json:"chosen_at,omitempty"`
	ValidUntil *time.Time               `json:"valid_until,omitempty"`
}

// signals is what the browser sends, and whether it is in force.
type signals struct {
	DNT        string `json:"dnt,omitempty"`
	GPC        bool   `json:"gpc"`
	NoTracking bool   `json:"no_tracking"`
	NoSale     bool   `json:"no_sale"`
}

func (e *Endpoint) state(w http.ResponseWriter, r *http.Request) {
	d := e.site.Decide(r)
	s := state{
		Purposes: make(map[consent.Purpose]bool),
		Services: append([]consent.ServiceID{}, d.Services...),
		Ask:      d.Ask,
		Answered: d.Choice != nil,
		Signals:  signals{DNT: dntValue(d.Signals.DNT), GPC: d.Signals.GPC, NoTracking: d.NoTracking, NoSale: d.NoSale},
		Revision: e.site.Policy.Revision,
		Class:    banner.Class(d),
	}
	for _, p := range consent.AllPurposes() {
		s.Purposes[p] = d.Purposes.Has(p)
	}
	if c := d.Choice; c != nil {
		until := e.site.Policy.Until(c.At)
		s.ChosenAt, s.ValidUntil = &c.At, &until
	}
	showJSON(w, http.StatusOK, "application/json", s)
}

func dntValue(d consent.DNT) string {
	if d == consent.DNTUnset {
		return ""
	}
	return string(rune(d))
}

// receipt shows visitors what is on record about them.
func (e *Endpoint) receipt(w http.ResponseWriter, r *http.Request) {
	c := e.site.Decide(r).Choice
	if c == nil || c.Record == "" {
		showJSON(w, http.StatusNotFound, "application/json", map[string]string{"error": "no record"})
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), storeFor)
	defer cancel()
	receipts, err := e.site.Ledger.Find(ctx, c.Record)
	switch {
	case errors.Is(err, ledger.ErrNotFound):
		showJSON(w, http.StatusNotFound, "application/json", map[string]string{"error": "no record"})
	case err != nil:
		e.site.Problem(r, err)
		w.Header().Set("Retry-After", "60")
		showJSON(w, http.StatusServiceUnavailable, "application/json", map[string]string{"error": "ledger"})
	default:
		showJSON(w, http.StatusOK, "application/json", e.recordOf(c.Record, receipts))
	}
}

// A record follows the sections of ISO/IEC TS 27560: header, processing,
// parties, events.
type record struct {
	Schema     string     `json:"schema_version"`
	Record     string     `json:"record_id"`
	Subject    string     `json:"pii_principal_id"`
	Processing processing `json:"pii_processing"`
	Parties    []party    `json:"party_identification"`
	Events     []event    `json:"events"`
}

type processing struct {
	Notice     string    `json:"privacy_notice,omitempty"`
	Withdrawal string    `json:"withdrawal_method"`
	Purposes   []purpose `json:"purposes"`
}

type purpose struct {
	Purpose    consent.Purpose `json:"purpose"`
	Type       string          `json:"consent_type"`
	Recipients []recipient     `json:"recipient_third_parties"`
}

type recipient struct {
	Service consent.ServiceID `json:"service"`
	Name    string            `json:"name"`
	Vendor  string            `json:"vendor,omitempty"`
	Country string            `json:"country,omitempty"`
	Privacy string            `json:"privacy_policy,omitempty"`
}

type party struct {
	Name    string `json:"party_name"`
	Contact string `json:"party_contact,omitempty"`
	Type    string `json:"party_type"`
}

type event struct {
	Event       ledger.Event             `json:"event_type"`
	State       string                   `json:"event_state"`
	Time        time.Time                `json:"event_time"`
	ValidUntil  time.Time                `json:"valid_until"`
	Language    string                   `json:"language"`
	Revision    string                   `json:"notice_revision"`
	Notice      string                   `json:"notice_sha256"`
	Catalog     string                   `json:"services_sha256"`
	Purposes    map[consent.Purpose]bool `json:"purposes"`
	Services    []consent.ServiceID      `json:"services"`
	Method      ledger.Method            `json:"method"`
	DNT         string                   `json:"dnt,omitempty"`
	GPC         bool                     `json:"gpc"`
	OverrodeDNT bool                     `json:"overrode_dnt"`
	OverrodeGPC bool                     `json:"overrode_gpc"`
}

func (e *Endpoint) recordOf(id string, receipts []ledger.Receipt) record {
	name := e.site.Banner.Controller()
	if name == "" {
		name = e.site.Name
	}
	rec := record{
		Schema:     "consentgate/1",
		Record:     id,
		Subject:    id,
		Processing: processing{Notice: e.site.Banner.PolicyURL(), Withdrawal: e.prefix, Purposes: e.purposes()},
		Parties:    []party{{Name: name, Contact: e.site.Banner.Contact(), Type: "pii controller"}},
	}
	for _, r := range receipts {
		rec.Events = append(rec.Events, eventOf(r))
	}
	return rec
}

func (e *Endpoint) purposes() []purpose {
	var list []purpose
	for _, p := range consent.Optional() {
		entry := purpose{Purpose: p, Type: "explicit", Recipients: []recipient{}}
		for _, s := range e.site.Offered {
			if s.Purpose == p {
				entry.Recipients = append(entry.Recipients, recipient{s.ID, s.Name, s.Vendor, s.Country, s.PrivacyURL})
			}
		}
		list = append(list, entry)
	}
	return list
}

func eventOf(r ledger.Receipt) event {
	ev := event{
		Event:       r.Event,
		State:       "ConsentGiven",
		Time:        r.Time,
		ValidUntil:  r.ValidUntil,
		Language:    r.Language,
		Revision:    r.Revision,
		Notice:      r.Notice,
		Catalog:     r.Catalog,
		Purposes:    make(map[consent.Purpose]bool),
		Services:    append([]consent.ServiceID{}, r.Services...),
		Method:      r.Method,
		DNT:         dntValue(r.Signals.DNT),
		GPC:         r.Signals.GPC,
		OverrodeDNT: r.OverrodeDNT,
		OverrodeGPC: r.OverrodeGPC,
	}
	if r.Event == ledger.Withdrawn {
		ev.State = "ConsentWithdrawn"
	}
	for _, p := range consent.Optional() {
		ev.Purposes[p] = r.Purposes.Has(p)
	}
	return ev
}
