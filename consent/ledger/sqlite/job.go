package sqlite

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/numfocus/consentgate/consent/ledger"
)

// A job is something to write. A shared one fails only where the file does, so
// that it can share a transaction with others; an alone one can fail by itself.
type job struct {
	run     func(*tx) error
	sharing sharing
	taken   atomic.Bool // by the writer, or by a caller that no longer waits
	result  chan error
}

type sharing bool

const (
	shared sharing = true
	alone  sharing = false
)

// do has the writer run something in a transaction and returns once that is
// durable. After an error nothing of it is stored, also after the context's:
// what the writer has taken up is waited for.
func (s *Store) do(ctx context.Context, how sharing, run func(*tx) error) error {
	j := &job{run: run, sharing: how, result: make(chan error, 1)}
	if err := s.hand(ctx, j); err != nil {
		return err
	}
	select {
	case err := <-j.result:
		return err
	case <-ctx.Done():
		if j.taken.CompareAndSwap(false, true) {
			return ctx.Err()
		}
		return <-j.result
	}
}

func (s *Store) hand(ctx context.Context, j *job) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.o.ReadOnly {
		return errReadOnly
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return ledger.ErrClosed
	}
	select {
	case s.jobs <- j:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// take says whether the job is still wanted.
func (j *job) take() bool { return j.taken.CompareAndSwap(false, true) }

// pending holds refusals that are not stored yet. What it holds is bounded by
// the combinations of day, site, language, method and signal.
type pending struct {
	mu    sync.Mutex
	tally map[ledger.CountKey]int64
}

func (p *pending) add(r ledger.Refusal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.tally == nil {
		p.tally = ledger.Tally{}
	}
	p.tally[r.Key("")]++
}

func (p *pending) takeAll() ledger.Tally {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.tally
	p.tally = nil
	return t
}

// putBack returns what could not be stored.
func (p *pending) putBack(t ledger.Tally) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.tally == nil {
		p.tally = t
		return
	}
	for k, n := range t {
		p.tally[k] += n
	}
}
