package postgres

import (
	"context"
	"errors"
	"fmt"
	"sort"

	"github.com/numfocus/consentgate/consent/ledger"
)

// find returns the own chain and sees to it that s.at is how far PostgreSQL has
// it. It asks at the start and after a failure: PostgreSQL may have more than it
// could acknowledge or, after a failover, less than it did.
func (s *shipper) find(ctx context.Context) (ledger.Chain, error) {
	own, err := s.outbox.Own(ctx)
	if err != nil {
		return own, err
	}
	s.mu.Lock()
	known := s.known
	s.status.Pending = own.Head.Seq - min(own.Head.Seq, max(s.at, own.Base.Seq))
	s.mu.Unlock()
	if known {
		return own, nil
	}
	there, err := s.remote.chain(ctx, own.Gateway)
	if err != nil {
		return own, err
	}
	misfit, err := s.misfit(ctx, own, there)
	if err != nil {
		return own, err
	}
	if misfit == nil {
		s.set(func() { s.at, s.known, s.marks = there.Head.Seq, true, nil })
		return own, nil
	}
	return s.renew(ctx, own, there, misfit)
}

// misfit says why the own chain cannot go on from what PostgreSQL has of it, or
// nil. Another process may be shipping the same chain at the same time: what the
// outbox has is asked for before and after what PostgreSQL has.
func (s *shipper) misfit(ctx context.Context, own, there ledger.Chain) (misfit, err error) {
	now, err := s.outbox.Own(ctx)
	switch {
	case err != nil:
		return nil, err
	case now.Gateway != own.Gateway:
		return nil, errors.New("another process has just begun a new chain")
	case there.Head.Seq < own.Base.Seq:
		return fmt.Errorf("%w: PostgreSQL has the chain of %s up to entry %d, and the outbox begins after %d",
			ledger.ErrGap, own.Gateway, there.Head.Seq, own.Base.Seq), nil
	case there.Head.Seq > now.Head.Seq:
		return fmt.Errorf("%w: PostgreSQL has entry %d of %s, and the outbox ends at %d: it was put back from an older copy",
			ledger.ErrFork, there.Head.Seq, own.Gateway, now.Head.Seq), nil
	case there.Head.Seq == 0:
		return nil, nil
	}
	here, err := s.hash(ctx, own, there.Head.Seq)
	if err != nil || here == there.Head.Hash {
		return nil, err
	}
	return fmt.Errorf("%w: entry %d of %s is another one in PostgreSQL: the outbox was copied",
		ledger.ErrFork, there.Head.Seq, own.Gateway), nil
}

// hash is that of an entry of the outbox, from the base on.
func (s *shipper) hash(ctx context.Context, own ledger.Chain, seq uint64) (hash ledger.Digest, err error) {
	if seq == own.Base.Seq {
		return own.Base.Hash, nil
	}
	err = s.outbox.Walk(ctx, own.Gateway, seq-1, func(l ledger.Link) error {
		hash = l.Hash
		return errEnough
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return hash, err
}

// renew begins a new chain with what PostgreSQL does not have of the old one, so
// that nothing is lost and nobody has to repair anything.
func (s *shipper) renew(ctx context.Context, own, there ledger.Chain, why error) (ledger.Chain, error) {
	common, err := s.common(ctx, own, there)
	if err != nil {
		return own, err
	}
	if err := s.outbox.Renew(ctx, common); err != nil {
		return own, err
	}
	s.set(func() { s.at, s.known, s.marks, s.status.Renewed = 0, true, nil, why.Error() })
	return s.outbox.Own(ctx)
}

// common is the last entry that both have, or else the base of the outbox.
func (s *shipper) common(ctx context.Context, own, there ledger.Chain) (uint64, error) {
	base, both := own.Base.Seq, min(own.Head.Seq, there.Head.Seq)
	if both <= base {
		return base, nil
	}
	var failed error
	n := sort.Search(int(both-base), func(i int) bool { // the first that differs
		seq := base + 1 + uint64(i)
		here, err := s.hash(ctx, own, seq)
		if err != nil {
			failed = err
			return true
		}
		same, err := s.remote.has(ctx, own.Gateway, seq, here)
		if err != nil {
			failed = err
		}
		return !same
	})
	return base + uint64(n), failed
}
