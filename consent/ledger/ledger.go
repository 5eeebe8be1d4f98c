package ledger

import (
	"context"
	"errors"
	"time"
)

var (
	// ErrNotFound says that no receipt has the record id that was asked for.
	ErrNotFound = errors.New("no receipt with this record id")

	// ErrUnavailable says that the store cannot be used now: its disk is full,
	// its file locked, its server away. The same call may succeed later.
	ErrUnavailable = errors.New("the ledger is unavailable")

	// ErrFuture says that a receipt is dated later than the clock allows.
	ErrFuture = errors.New("the receipt is dated in the future")

	// ErrFork says that two different histories claim the same place in a
	// chain: a gateway's file was copied, or put back from an older copy.
	ErrFork = errors.New("two histories of one chain")

	// ErrGap says that links do not continue the chain that is stored.
	ErrGap = errors.New("the chain has a gap")

	// ErrClosed says that the ledger has been closed.
	ErrClosed = errors.New("the ledger is closed")
)

// A Ledger is what a gateway writes to. Implementations are safe for concurrent
// use and pass ledgertest.
type Ledger interface {
	// Append stores r and returns once it would survive a power failure. After
	// an error the receipt is not stored. Errors are those of [Receipt.Check],
	// [ErrFuture], [ErrUnavailable], [ErrClosed] and the context's.
	Append(ctx context.Context, r Receipt) error

	// Refuse counts a refusal. It does not wait for the disk: a power failure
	// may lose the refusals of the last second, a full disk loses none.
	Refuse(ctx context.Context, r Refusal) error

	// Find returns the receipts of a record, oldest first, or ErrNotFound.
	Find(ctx context.Context, record string) ([]Receipt, error)

	// Erase removes what the receipts of a record say and leaves the chain
	// verifiable. It returns ErrNotFound for an unknown record.
	Erase(ctx context.Context, record string) error

	Close() error
}

// A Store is a Ledger with all that those who keep it need. Verify, Export,
// Import and Summary work on any Store.
type Store interface {
	Ledger

	// Health says why grants cannot be stored at present, or nil.
	Health(ctx context.Context) error

	// PutNotice keeps n under its hash; one that is already kept stays.
	PutNotice(ctx context.Context, n Notice) error

	// Notices visits every notice in the order of hashes.
	Notices(ctx context.Context, visit func(Notice) error) error

	// Chains lists the chains in the order of their gateways' ids.
	Chains(ctx context.Context) ([]Chain, error)

	// Walk visits the links of a gateway's chain whose sequence number is
	// greater than after, in order, as they were when Walk was called. It holds
	// a bounded number of links. An error of visit ends it and is returned.
	Walk(ctx context.Context, gateway string, after uint64, visit func(Link) error) error

	// Counts visits the daily counts in the order of their keys.
	Counts(ctx context.Context, visit func(Count) error) error

	// Extend stores links that were made elsewhere. Links that are there
	// already are skipped, so that it can be repeated; the others must continue
	// their chain (ErrGap, ErrFork). It stores all of them or none. Erasures
	// among them take effect.
	Extend(ctx context.Context, links []Link) error

	// PutCounts raises each count to N where it is lower. It can be repeated.
	PutCounts(ctx context.Context, counts []Count) error

	// Purge erases what receipts say whose validity ended before the time, and
	// returns how many those were. Counts and notices stay.
	Purge(ctx context.Context, before time.Time) (int, error)
}
