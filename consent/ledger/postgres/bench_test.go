package postgres

import (
	"context"
	"testing"

	"github.com/numfocus/consentgate/consent/ledger"
	"github.com/numfocus/consentgate/consent/ledger/ledgertest"
)

// BenchmarkGrants measures grants that are durable in the outbox while they are
// shipped to PostgreSQL.
func BenchmarkGrants(b *testing.B) {
	c := running(b)
	ledgertest.Grants(b, func(t testing.TB) ledger.Store { return open(t, c.Database(t)) })
}

// BenchmarkDirect measures the alternative: each grant waits for a transaction
// of its own in PostgreSQL.
func BenchmarkDirect(b *testing.B) {
	c := running(b)
	ledgertest.Grants(b, func(t testing.TB) ledger.Store {
		l := open(t, c.Database(t))
		return &direct{Ledger: l, chain: ledger.Chain{Gateway: "g-direct"}, turn: make(chan struct{}, 1)}
	})
}

// A direct ledger has no outbox.
type direct struct {
	*Ledger
	chain ledger.Chain
	turn  chan struct{}
}

func (d *direct) Append(ctx context.Context, r ledger.Receipt) error {
	d.turn <- struct{}{} // a chain has one writer
	defer func() { <-d.turn }()
	next := d.chain
	l, err := next.AppendReceipt(r)
	if err != nil {
		return err
	}
	if err := d.Extend(ctx, []ledger.Link{l}); err != nil {
		return err
	}
	d.chain = next
	return nil
}
