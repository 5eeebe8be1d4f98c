package ledger

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/numfocus/consentgate/consent"
)

// A Refusal is counted by day, never recorded one by one.
type Refusal struct {
	Time     time.Time
	Site     string
	Language string
	Method   Method
	Signals  consent.Signals
}

// Check says everything that keeps r from being counted.
func (r Refusal) Check() error {
	problems := []error{
		checkText("site", r.Site),
		checkText("language", r.Language),
		checkMethod(r.Method),
	}
	if r.Time.IsZero() || r.Time.Year() > 9999 {
		problems = append(problems, errors.New("no time"))
	}
	if err := errors.Join(problems...); err != nil {
		return fmt.Errorf("check refusal: %w", err)
	}
	return nil
}

// Key is what the refusal is counted under.
func (r Refusal) Key(gateway string) CountKey {
	return CountKey{
		Gateway: gateway, Day: day(r.Time), Site: r.Site, Language: r.Language,
		Event: Refused, Method: r.Method, Signal: signalName(r.Signals),
	}
}

// A CountKey is what is counted together.
type CountKey struct {
	Gateway  string
	Day      string // UTC, 2006-01-02
	Site     string
	Language string
	Event    Event
	Method   Method
	Signal   string          // none, dnt, gpc or dnt+gpc
	Purpose  consent.Purpose // empty: choices with this event; else those of them that granted it
}

// A Count is how often something was chosen on a day. It says nothing about a
// single visitor and is never purged.
type Count struct {
	CountKey
	N int64
}

// Compare orders by day, then by the other fields.
func (k CountKey) Compare(o CountKey) int {
	return cmp.Or(
		cmp.Compare(k.Day, o.Day), cmp.Compare(k.Gateway, o.Gateway), cmp.Compare(k.Site, o.Site),
		cmp.Compare(k.Language, o.Language), cmp.Compare(k.Event, o.Event), cmp.Compare(k.Method, o.Method),
		cmp.Compare(k.Signal, o.Signal), cmp.Compare(k.Purpose, o.Purpose),
	)
}

// Keys is what r is counted under: once as a choice and once for each optional
// purpose that it grants.
func (r Receipt) Keys(gateway string) []CountKey {
	key := CountKey{
		Gateway: gateway, Day: day(r.Time), Site: r.Site, Language: r.Language,
		Event: r.Event, Method: r.Method, Signal: signalName(r.Signals),
	}
	keys := []CountKey{key}
	for _, p := range consent.Optional() {
		if r.Purposes.Has(p) {
			key.Purpose = p
			keys = append(keys, key)
		}
	}
	return keys
}

// A Tally adds up counts.
type Tally map[CountKey]int64

// Add counts one under each key.
func (t Tally) Add(keys ...CountKey) {
	for _, k := range keys {
		t[k]++
	}
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

func signalName(s consent.Signals) string {
	switch {
	case s.DNT == consent.DNTOn && s.GPC:
		return "dnt+gpc"
	case s.DNT == consent.DNTOn:
		return "dnt"
	case s.GPC:
		return "gpc"
	}
	return "none"
}
