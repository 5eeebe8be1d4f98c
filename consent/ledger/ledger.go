// Package ledger keeps the proof that visitors consented: append-only, hash
// chained, and with nothing about a visitor but what the proof needs.
package ledger

import (
	"context"
	"errors"
	"time"

	"github.com/numfocus/consentgate/consent"
)

// ErrNotFound says that no receipt has the record id that was asked for.
var ErrNotFound = errors.New("no receipt with this record id")

// An Event is what a receipt records.
type Event string

const (
	Given     Event = "given"     // the first yes
	Changed   Event = "changed"   // a later choice that still grants something
	Withdrawn Event = "withdrawn" // nothing is granted any more
)

// A Method is how the visitor chose.
type Method string

const (
	ByBanner      Method = "banner"      // accept or reject on the banner
	BySettings    Method = "settings"    // saved or withdrawn on the settings page
	ByPlaceholder Method = "placeholder" // always allow, on a placeholder
)

// A Receipt is one record of a choice, in the terms of ISO/IEC TS 27560. It
// holds no address, no user agent and no URL.
type Receipt struct {
	Record     string    // id made at opt-in; all receipts of one visitor share it
	Event      Event     //
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

// A Refusal is counted by day, never recorded one by one.
type Refusal struct {
	Time     time.Time
	Site     string
	Language string
	Method   Method
	Signals  consent.Signals
}

// A Ledger stores receipts. Implementations are safe for concurrent use and
// pass ledgertest.
type Ledger interface {
	// Append stores r and returns once it would survive a power failure. After
	// an error the receipt is not stored.
	Append(ctx context.Context, r Receipt) error

	// Refuse counts a refusal.
	Refuse(ctx context.Context, r Refusal) error

	// Find returns the receipts of a record, oldest first, or ErrNotFound.
	Find(ctx context.Context, record string) ([]Receipt, error)

	// Erase removes what the receipts of a record say and leaves the chain
	// verifiable. It returns ErrNotFound for an unknown record.
	Erase(ctx context.Context, record string) error

	Close() error
}
