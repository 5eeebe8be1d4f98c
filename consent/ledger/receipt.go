package ledger

import (
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/numfocus/consentgate/consent"
)

// An Event is what a receipt records.
type Event string

const (
	Given     Event = "given"     // the first yes
	Changed   Event = "changed"   // a later choice that still grants something
	Withdrawn Event = "withdrawn" // nothing is granted any more
	Refused   Event = "refused"   // only in counts, never in a receipt
)

// A Method is how the visitor chose.
type Method string

const (
	ByBanner      Method = "banner"      // accept or reject on the banner
	BySettings    Method = "settings"    // saved or withdrawn on the settings page
	ByPlaceholder Method = "placeholder" // always allow, on a placeholder
)

// A Receipt is one record of a choice, in the terms of ISO/IEC TS 27560. As
// JSON it has the canonical form that the package comment describes.
type Receipt struct {
	Record     string    // id made at opt-in; all receipts of one visitor share it
	Event      Event     // Given, Changed or Withdrawn
	Time       time.Time // UTC, whole seconds
	ValidUntil time.Time
	Site       string // name of the site in the configuration
	Language   string // of the notice that was shown, BCP 47
	Revision   string // of the notice
	Notice     string // hash of exactly what was shown, hex SHA-256
	Catalog    string // hash of the services offered, hex SHA-256
	Purposes   consent.Purposes
	Services   []consent.ServiceID
	Method     Method
	Signals    consent.Signals // present when the choice was made
	OverrodeDNT,
	OverrodeGPC bool
}

// Normal returns r as the ledger keeps it: times in UTC and whole seconds,
// services sorted and each once, nil where there are none.
func (r Receipt) Normal() Receipt {
	r.Time = r.Time.UTC().Truncate(time.Second)
	r.ValidUntil = r.ValidUntil.UTC().Truncate(time.Second)
	if len(r.Services) == 0 {
		r.Services = nil
		return r
	}
	services := slices.Clone(r.Services)
	slices.Sort(services)
	r.Services = slices.Compact(services)
	return r
}

// Check says everything that keeps r from being a proof.
func (r Receipt) Check() error {
	problems := []error{
		checkText("record id", r.Record),
		checkText("site", r.Site),
		checkText("language", r.Language),
		checkText("notice revision", r.Revision),
		checkHash("notice", r.Notice),
		checkHash("catalog", r.Catalog),
		checkMethod(r.Method),
		r.checkEvent(),
		r.checkTimes(),
	}
	for _, id := range r.Services {
		problems = append(problems, checkText("service", string(id)))
	}
	if err := errors.Join(problems...); err != nil {
		return fmt.Errorf("check receipt: %w", err)
	}
	return nil
}

func (r Receipt) checkEvent() error {
	switch r.Event {
	case Given, Changed, Withdrawn:
		return nil
	}
	return fmt.Errorf("event %q is not given, changed or withdrawn", r.Event)
}

func (r Receipt) checkTimes() error {
	switch {
	case r.Time.IsZero():
		return errors.New("no time")
	case r.ValidUntil.Before(r.Time.Truncate(time.Second)):
		return errors.New("valid until before its time")
	case r.Time.Year() > 9999 || r.ValidUntil.Year() > 9999:
		return errors.New("a year beyond 9999")
	}
	return nil
}

func checkMethod(m Method) error {
	switch m {
	case ByBanner, BySettings, ByPlaceholder:
		return nil
	}
	return fmt.Errorf("method %q is not banner, settings or placeholder", m)
}

const maxText = 200 // bytes

// checkText keeps out what has more than one form in JSON, so that the
// canonical form needs no rules of its own.
func checkText(field, s string) error {
	switch {
	case s == "":
		return fmt.Errorf("no %s", field)
	case len(s) > maxText:
		return fmt.Errorf("%s is longer than %d bytes", field, maxText)
	case !utf8.ValidString(s):
		return fmt.Errorf("%s is not UTF-8", field)
	}
	for _, c := range s {
		if !unicode.IsPrint(c) {
			return fmt.Errorf("%s has the unprintable character %U", field, c)
		}
	}
	return nil
}

func checkHash(field, s string) error {
	if _, err := ParseDigest(s); err != nil {
		return fmt.Errorf("%s hash: %w", field, err)
	}
	return nil
}
