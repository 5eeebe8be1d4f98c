// Package sqlite keeps a ledger in one file.
//
// The file is in WAL mode with synchronous=FULL: a transaction is acknowledged
// only after the log has been synced, so that it survives a power failure.
// (WAL with synchronous=NORMAL would survive a crash of the process but lose
// acknowledged transactions with the power.) One goroutine writes. Whatever
// arrives while it waits for the disk shares the next commit, so that many
// grants cost little more than one.
//
// A file that cannot be used now, because the disk is full, say, or another
// process holds it locked, makes calls fail with [ledger.ErrUnavailable]. The
// store tries anew at each call and needs no restart. Several processes may use
// one file at a time.
package sqlite

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/numfocus/consentgate/consent/ledger"
)

// Options are what a store can be told. The zero value has the defaults.
type Options struct {
	ReadOnly bool             // never write; the file must exist
	Now      func() time.Time // the clock; nil: [time.Now]
	Skew     time.Duration    // how far ahead of the clock a receipt may be; zero: [ledger.DefaultSkew]
	MaxBatch int              // receipts in one commit; zero: 256
	Busy     time.Duration    // to wait for another process's lock; zero: 3 s
}

// A Store is a ledger in one file. It is a [ledger.Store].
type Store struct {
	path string
	o    Options
	read readers

	mu     sync.RWMutex // held for reading while a job is handed over
	closed bool
	jobs   chan *job
	done   chan struct{} // closed when the writer has ended

	refusals pending
	health   health
}

// Open opens the ledger in the file at path, making it or bringing its schema
// up to date first. It fails where the file cannot be used now.
func Open(path string, o Options) (*Store, error) {
	s := New(path, o)
	var err error
	if o.ReadOnly {
		_, err = s.read.open()
	} else {
		err = s.do(context.Background(), alone, nothing)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open ledger %s: %w", path, err), s.Close())
	}
	return s, nil
}

// New is Open for those who have to go on when the file cannot be used yet:
// until it can, every call but Refuse and Close fails with
// [ledger.ErrUnavailable], and so does Health.
func New(path string, o Options) *Store {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.MaxBatch == 0 {
		o.MaxBatch = 256
	}
	if o.Busy == 0 {
		o.Busy = 3 * time.Second
	}
	s := &Store{
		path: path, o: o,
		read: readers{path: path, busy: o.Busy},
		jobs: make(chan *job, o.MaxBatch),
		done: make(chan struct{}),
	}
	w := &writer{path: path, o: o, refusals: &s.refusals, health: &s.health}
	go func() {
		defer close(s.done)
		w.run(s.jobs)
	}()
	return s
}

// Path is where the file is.
func (s *Store) Path() string { return s.path }

// Close finishes what was handed over and closes the file.
func (s *Store) Close() error {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		close(s.jobs)
	}
	s.mu.Unlock()
	<-s.done
	return s.read.close()
}

// Append stores r and returns once it is synced to the disk.
func (s *Store) Append(ctx context.Context, r ledger.Receipt) error {
	if err := ledger.Admit(r, s.o.Now(), s.o.Skew); err != nil {
		return err
	}
	err := s.do(ctx, shared, func(t *tx) error { return t.appendReceipt(r) })
	if err != nil {
		return fmt.Errorf("append receipt: %w", err)
	}
	return nil
}

// Refuse counts r with the next commit, within a second.
func (s *Store) Refuse(_ context.Context, r ledger.Refusal) error {
	if err := r.Check(); err != nil {
		return err
	}
	if s.isClosed() {
		return ledger.ErrClosed
	}
	s.refusals.add(r)
	return nil
}

func (s *Store) isClosed() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.closed
}

// Erase removes what the receipts of a record say, also from the free pages of
// the file and from its log.
func (s *Store) Erase(ctx context.Context, record string) error {
	err := s.do(ctx, alone, func(t *tx) error {
		ids, err := t.ids("SELECT gateway, seq FROM payload WHERE record = ?", record)
		if err != nil {
			return err
		}
		if len(ids) == 0 {
			return ledger.ErrNotFound
		}
		return t.erase(ledger.Erasure{Reason: ledger.OnRequest, Spans: ledger.Spans(ids)})
	})
	if err != nil {
		return fmt.Errorf("erase record %s: %w", record, err)
	}
	return nil
}

// purgeBatch bounds how long a purge keeps grants waiting.
const purgeBatch = 5000

// Purge erases in batches: other writers get their turn between them.
func (s *Store) Purge(ctx context.Context, before time.Time) (int, error) {
	for total := 0; ; {
		n, err := s.purgeSome(ctx, before)
		total += n
		if err != nil {
			return total, fmt.Errorf("purge ledger: %w", err)
		}
		if n < purgeBatch {
			return total, nil
		}
	}
}

func (s *Store) purgeSome(ctx context.Context, before time.Time) (n int, err error) {
	err = s.do(ctx, alone, func(t *tx) error {
		ids, err := t.ids("SELECT gateway, seq FROM payload WHERE until < ? ORDER BY until, gateway, seq LIMIT ?",
			before.UTC().Format(time.RFC3339), purgeBatch)
		if err != nil || len(ids) == 0 {
			return err
		}
		n = len(ids)
		return t.erase(ledger.Erasure{Reason: ledger.OutOfTime, Spans: ledger.Spans(ids)})
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

// Forget appends e and erases what it names of this file. It is for those who
// know of receipts elsewhere; others use Erase.
func (s *Store) Forget(ctx context.Context, e ledger.Erasure) error {
	if err := s.do(ctx, alone, func(t *tx) error { return t.erase(e) }); err != nil {
		return fmt.Errorf("record erasure: %w", err)
	}
	return nil
}

// Trim removes the links of a chain up to and including through, which were
// moved elsewhere. The chain goes on from there.
func (s *Store) Trim(ctx context.Context, gateway string, through uint64) error {
	err := s.do(ctx, alone, func(t *tx) error { return t.trim(gateway, through) })
	if err != nil {
		return fmt.Errorf("trim chain of %s: %w", gateway, err)
	}
	return nil
}

// Renew gives the own chain up after the entry numbered after and begins another
// one, under a new gateway's id, with what the links after it said. It is for a
// file that was copied, or put back from an older copy: the chain it would go on
// with is somebody else's by now. What remains of the old chain has to be
// elsewhere; it is removed here.
func (s *Store) Renew(ctx context.Context, after uint64) error {
	if err := s.do(ctx, alone, func(t *tx) error { return t.renew(after) }); err != nil {
		return fmt.Errorf("begin a new chain: %w", err)
	}
	return nil
}

// Extend stores links that were made elsewhere.
func (s *Store) Extend(ctx context.Context, links []ledger.Link) error {
	if len(links) == 0 {
		return nil
	}
	return s.do(ctx, alone, func(t *tx) error { return t.extend(links) })
}

// PutCounts raises counts to what they are elsewhere.
func (s *Store) PutCounts(ctx context.Context, counts []ledger.Count) error {
	err := s.do(ctx, alone, func(t *tx) error { return t.raiseCounts(counts) })
	if err != nil {
		return fmt.Errorf("store counts: %w", err)
	}
	return nil
}

// PutNotice keeps n under its hash.
func (s *Store) PutNotice(ctx context.Context, n ledger.Notice) error {
	if err := n.Check(); err != nil {
		return err
	}
	err := s.do(ctx, shared, func(t *tx) error {
		return t.exec("INSERT INTO notice (hash, revision, language, body) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
			n.Hash, n.Revision, n.Language, blob(n.Body))
	})
	if err != nil {
		return fmt.Errorf("keep notice %s: %w", n.Hash, err)
	}
	return nil
}

// blob keeps an empty body from becoming NULL.
func blob(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
