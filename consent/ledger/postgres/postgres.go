package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/numfocus/consentgate/consent/ledger"
)

// An Outbox is the local ledger where receipts are durable before PostgreSQL
// has them. A [github.com/numfocus/consentgate/consent/ledger/sqlite.Store] is
// one.
type Outbox interface {
	ledger.Ledger
	Health(ctx context.Context) error
	PutNotice(ctx context.Context, n ledger.Notice) error
	Notices(ctx context.Context, visit func(ledger.Notice) error) error
	Counts(ctx context.Context, visit func(ledger.Count) error) error
	Walk(ctx context.Context, gateway string, after uint64, visit func(ledger.Link) error) error
	Links(ctx context.Context, record string, visit func(ledger.Link) error) error
	Own(ctx context.Context) (ledger.Chain, error)
	Forget(ctx context.Context, e ledger.Erasure) error
	Trim(ctx context.Context, gateway string, through uint64) error
	Renew(ctx context.Context, after uint64) error
}

// A Ledger is one gateway's access to the ledger of many. It is a
// [ledger.Store]. Grants and refusals need the outbox only; what looks at the
// ledger as a whole, or erases from it, needs PostgreSQL.
type Ledger struct {
	outbox Outbox
	remote *remote
	ship   *shipper

	mu     sync.Mutex
	closed bool
}

// Open starts shipping from outbox, which the Ledger owns from now on, to the
// database. It fails only for a Config that cannot be understood: the database
// need not be there yet.
func Open(c Config, outbox Outbox) (*Ledger, error) {
	c = c.withDefaults()
	r, err := dial(c)
	if err != nil {
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	l := &Ledger{outbox: outbox, remote: r, ship: newShipper(outbox, r, c.Keep)}
	l.ship.start()
	return l, nil
}

// Shipping says how far PostgreSQL is behind, for metrics and the console.
func (l *Ledger) Shipping() Shipping { return l.ship.state() }

// Append stores r in the outbox and returns once it is durable there.
func (l *Ledger) Append(ctx context.Context, r ledger.Receipt) error {
	if err := l.outbox.Append(ctx, r); err != nil {
		return err
	}
	l.ship.wake()
	return nil
}

// Refuse counts r.
func (l *Ledger) Refuse(ctx context.Context, r ledger.Refusal) error {
	if err := l.outbox.Refuse(ctx, r); err != nil {
		return err
	}
	l.ship.dirty()
	return nil
}

// Health says whether grants can be stored; that PostgreSQL is away does not
// keep them from it.
func (l *Ledger) Health(ctx context.Context) error { return l.outbox.Health(ctx) }

// PutNotice keeps n in the outbox and in PostgreSQL, once that is there.
func (l *Ledger) PutNotice(ctx context.Context, n ledger.Notice) error {
	if err := l.outbox.PutNotice(ctx, n); err != nil {
		return err
	}
	l.ship.noticed()
	return nil
}

// Find returns receipts from PostgreSQL and those on their way to it.
func (l *Ledger) Find(ctx context.Context, record string) ([]ledger.Receipt, error) {
	found := map[ledger.ID]ledger.Receipt{}
	collect := func(link ledger.Link) error {
		r, _, err := link.Receipt()
		found[ledger.ID{Gateway: link.Gateway, Seq: link.Seq}] = r
		return err
	}
	err := l.each(ctx, record, collect)
	if err != nil {
		return nil, fmt.Errorf("find record %s: %w", record, err)
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("find record %s: %w", record, ledger.ErrNotFound)
	}
	return inOrder(found), nil
}

// each looks into the outbox first: what is shipped meanwhile is seen twice
// rather than never.
func (l *Ledger) each(ctx context.Context, record string, visit func(ledger.Link) error) error {
	own, err := l.outbox.Own(ctx)
	if err != nil {
		return err
	}
	shipped := l.ship.shipped()
	err = l.outbox.Links(ctx, record, func(link ledger.Link) error {
		if link.Gateway != own.Gateway || link.Seq <= shipped {
			return nil // PostgreSQL knows better whether it was erased
		}
		return visit(link)
	})
	if err != nil {
		return err
	}
	return l.remote.links(ctx, record, visit)
}

func inOrder(found map[ledger.ID]ledger.Receipt) []ledger.Receipt {
	var ids []ledger.ID
	for id := range found {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b ledger.ID) int {
		if order := found[a].Time.Compare(found[b].Time); order != 0 {
			return order
		}
		return a.Compare(b)
	})
	var receipts []ledger.Receipt
	for _, id := range ids {
		receipts = append(receipts, found[id])
	}
	return receipts
}

// Erase needs PostgreSQL, since receipts of the record may be from other
// gateways.
func (l *Ledger) Erase(ctx context.Context, record string) error {
	n, err := l.erase(ctx, ledger.OnRequest,
		"SELECT gateway, seq FROM consentgate_payload WHERE record = $1", record)
	if err == nil && n == 0 {
		err = ledger.ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("erase record %s: %w", record, err)
	}
	return nil
}

// purgeBatch bounds a transaction.
const purgeBatch = 5000

// Purge needs PostgreSQL. Several gateways may purge at the same time.
func (l *Ledger) Purge(ctx context.Context, before time.Time) (int, error) {
	for total := 0; ; {
		n, err := l.erase(ctx, ledger.OutOfTime,
			"SELECT gateway, seq FROM consentgate_payload WHERE until < $1 ORDER BY until, gateway, seq LIMIT $2",
			before.UTC().Format(time.RFC3339), purgeBatch)
		total += n
		if err != nil {
			return total, fmt.Errorf("purge ledger: %w", err)
		}
		if n < purgeBatch {
			return total, nil
		}
	}
}

// erase records an erasure in this gateway's chain. Shipping it is what removes
// the payloads from PostgreSQL.
func (l *Ledger) erase(ctx context.Context, why ledger.Reason, which string, args ...any) (int, error) {
	if err := l.ship.flush(ctx); err != nil {
		return 0, err
	}
	ids, err := l.remote.ids(ctx, which, args...)
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	if err := l.outbox.Forget(ctx, ledger.Erasure{Reason: why, Spans: ledger.Spans(ids)}); err != nil {
		return 0, err
	}
	return len(ids), l.ship.flush(ctx)
}

// Chains lists the chains of all gateways, with what this one has just shipped.
func (l *Ledger) Chains(ctx context.Context) ([]ledger.Chain, error) {
	if err := l.ship.flush(ctx); err != nil {
		return nil, err
	}
	return l.remote.chains(ctx)
}

// Walk visits the links of a chain as one snapshot.
func (l *Ledger) Walk(ctx context.Context, gateway string, after uint64, visit func(ledger.Link) error) error {
	return l.remote.walk(ctx, gateway, after, visit)
}

// Notices visits the notices of all gateways.
func (l *Ledger) Notices(ctx context.Context, visit func(ledger.Notice) error) error {
	if err := l.ship.flush(ctx); err != nil {
		return err
	}
	return l.remote.notices(ctx, visit)
}

// Counts visits the counts of all gateways.
func (l *Ledger) Counts(ctx context.Context, visit func(ledger.Count) error) error {
	if err := l.ship.flush(ctx); err != nil {
		return err
	}
	return l.remote.counts(ctx, visit)
}

// Extend stores links from elsewhere in PostgreSQL.
func (l *Ledger) Extend(ctx context.Context, links []ledger.Link) error {
	if len(links) == 0 {
		return nil
	}
	return l.remote.change(ctx, func(t *tx) error { return t.extend(links) })
}

// PutCounts raises counts in PostgreSQL.
func (l *Ledger) PutCounts(ctx context.Context, counts []ledger.Count) error {
	return l.remote.change(ctx, func(t *tx) error {
		for _, c := range counts {
			if err := t.raiseCount(c); err != nil {
				return err
			}
		}
		return nil
	})
}

// Close ends shipping and closes the outbox. What has not been shipped is
// shipped after the next start.
func (l *Ledger) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	l.closed = true
	l.ship.stop()
	return errors.Join(l.remote.db.Close(), l.outbox.Close())
}
