package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/numfocus/consentgate/consent/ledger"
)

const (
	shipBatch  = 500 // links in one transaction
	firstPause = 250 * time.Millisecond
	longest    = 15 * time.Second // pause between attempts
	settle     = 10 * time.Second // how often counts are sent and the outbox is trimmed
)

// Shipping says how far PostgreSQL is behind.
type Shipping struct {
	Pending uint64    // links that PostgreSQL does not have
	Last    time.Time // of the last success; zero: none since the start
	Err     error     // why shipping does not go on at present, or nil
	Renewed string    // why the gateway last began a new chain since the start, if it had to
}

// A shipper moves what is in the outbox to the database. One pass runs at a
// time.
type shipper struct {
	outbox Outbox
	remote *remote
	keep   time.Duration
	kick   chan struct{} // holds one: there is something to ship
	turn   chan struct{} // holds one while a pass runs
	cancel context.CancelFunc
	done   chan struct{}

	mu      sync.Mutex
	status  Shipping
	at      uint64 // PostgreSQL has our chain up to here
	known   bool   // whether at is what PostgreSQL said since the last failure
	notices bool   // some may be missing in PostgreSQL
	counts  bool   // some may be too low in PostgreSQL
	marks   []mark // what was shipped when, oldest first
}

type mark struct {
	at  time.Time
	seq uint64
}

func newShipper(o Outbox, r *remote, keep time.Duration) *shipper {
	return &shipper{
		outbox: o, remote: r, keep: keep,
		kick: make(chan struct{}, 1), turn: make(chan struct{}, 1), done: make(chan struct{}),
		notices: true, counts: true,
	}
}

func (s *shipper) start() {
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	go func() {
		defer close(s.done)
		s.run(ctx)
	}()
	s.wake()
}

func (s *shipper) stop() {
	s.cancel()
	<-s.done
}

// run ships whenever there is something, and after a failure again and again,
// at growing intervals.
func (s *shipper) run(ctx context.Context) {
	tick := time.NewTicker(settle)
	defer tick.Stop()
	for pause := firstPause; ctx.Err() == nil; {
		select {
		case <-ctx.Done():
			return
		case <-s.kick:
			if err := s.pass(ctx, false); err != nil {
				sleep(ctx, pause/2+rand.N(pause/2))
				pause = min(2*pause, longest)
				s.wake()
				continue
			}
			pause = firstPause
		case <-tick.C:
			if s.pass(ctx, true) == nil {
				s.trim(ctx)
			}
		}
	}
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// wake says that there are links to ship.
func (s *shipper) wake() {
	s.set(func() { s.counts = true })
	select {
	case s.kick <- struct{}{}:
	default:
	}
}

// dirty says that there are counts to ship, which can wait.
func (s *shipper) dirty() { s.set(func() { s.counts = true }) }

// noticed says that there are notices to ship.
func (s *shipper) noticed() {
	s.set(func() { s.notices = true })
	s.wake()
}

func (s *shipper) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

func (s *shipper) state() Shipping {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.status
}

func (s *shipper) shipped() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.at
}

// flush ships everything there is and returns once PostgreSQL has it.
func (s *shipper) flush(ctx context.Context) error { return s.pass(ctx, true) }

func (s *shipper) pass(ctx context.Context, all bool) error {
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-s.turn }()
	err := s.attempt(ctx, all)
	if err != nil {
		err = fmt.Errorf("ship to PostgreSQL: %w", err)
	}
	s.set(func() {
		switch {
		case err == nil:
			s.status.Err, s.status.Last = nil, time.Now()
		case ctx.Err() == nil:
			s.status.Err = err // else it says of the caller's patience
		}
		s.known = err == nil
	})
	return err
}

// attempt ships notices first: no receipt shall be there without its notice.
func (s *shipper) attempt(ctx context.Context, all bool) error {
	own, err := s.find(ctx)
	if err != nil {
		return err
	}
	if err := s.shipNotices(ctx); err != nil {
		return err
	}
	if err := s.shipLinks(ctx, own); err != nil {
		return err
	}
	if !all {
		return nil
	}
	return s.shipCounts(ctx)
}

var errEnough = errors.New("enough")

func (s *shipper) shipLinks(ctx context.Context, own ledger.Chain) error {
	for {
		batch, err := s.next(ctx, own.Gateway)
		if err != nil || len(batch) == 0 {
			return err
		}
		if err := s.remote.change(ctx, func(t *tx) error { return t.extend(batch) }); err != nil {
			return err
		}
		last := batch[len(batch)-1].Seq
		s.set(func() { s.at, s.status.Pending = last, own.Head.Seq-min(own.Head.Seq, last) })
		if len(batch) < shipBatch {
			return nil
		}
	}
}

func (s *shipper) next(ctx context.Context, gateway string) ([]ledger.Link, error) {
	var batch []ledger.Link
	err := s.outbox.Walk(ctx, gateway, s.shipped(), func(l ledger.Link) error {
		if batch = append(batch, l); len(batch) == shipBatch {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return batch, err
}

func (s *shipper) shipNotices(ctx context.Context) error {
	if !s.take(&s.notices) {
		return nil
	}
	err := s.outbox.Notices(ctx, func(n ledger.Notice) error {
		return s.remote.change(ctx, func(t *tx) error { return t.putNotice(n) })
	})
	if err != nil {
		s.set(func() { s.notices = true })
	}
	return err
}

func (s *shipper) shipCounts(ctx context.Context) error {
	if !s.take(&s.counts) {
		return nil
	}
	err := s.remote.change(ctx, func(t *tx) error { return s.outbox.Counts(ctx, t.raiseCount) })
	if err != nil {
		s.set(func() { s.counts = true })
	}
	return err
}

// take resets a flag and returns what it was.
func (s *shipper) take(flag *bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	was := *flag
	*flag = false
	return was
}

// trim removes from the outbox what PostgreSQL has had for long enough.
func (s *shipper) trim(ctx context.Context) {
	own, err := s.outbox.Own(ctx)
	if err != nil {
		return
	}
	if through := s.outOfTime(time.Now()); through > own.Base.Seq {
		_ = s.outbox.Trim(ctx, own.Gateway, through) // it will be tried again
	}
}

// outOfTime notes what is shipped by now and returns the last link that was
// shipped longer than keep ago, or 0.
func (s *shipper) outOfTime(now time.Time) (through uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.marks = append(s.marks, mark{now, s.at})
	for len(s.marks) > 0 && now.Sub(s.marks[0].at) >= s.keep {
		through, s.marks = s.marks[0].seq, s.marks[1:]
	}
	return through
}
