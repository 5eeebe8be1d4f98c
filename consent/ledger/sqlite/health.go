package sqlite

import (
	"context"
	"fmt"
	"sync"
	"time"
)

const (
	probeAfter = 5 * time.Second // how long a successful commit vouches for the file
	probeSize  = 16 << 10        // bytes; more than a grant needs, so that its success means something
)

// health remembers how the last commit went.
type health struct {
	mu  sync.Mutex
	err error
	at  time.Time
}

// failed notes that the file failed.
func (h *health) failed(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.err, h.at = err, time.Now()
}

// succeeded notes a commit. Only one that was as large as a grant is a cure: a
// full disk often has room for a little more.
func (h *health) succeeded(large bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.err == nil || large {
		h.err, h.at = nil, time.Now()
	}
}

// state says whether the file failed last, and whether that is still news.
func (h *health) state() (ill, recent bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.err != nil, !h.at.IsZero() && time.Since(h.at) < probeAfter
}

// Health says why grants cannot be stored at present, or nil. It writes
// something of its own, unless a commit within the last seconds went well.
func (s *Store) Health(ctx context.Context) error {
	ill, recent := s.health.state()
	if !ill && recent && !s.isClosed() {
		return nil
	}
	err := s.do(ctx, shared, func(t *tx) error {
		if !ill {
			return t.putChain(t.own)
		}
		t.large = true
		return t.exec("INSERT OR REPLACE INTO probe (id, filler) VALUES (1, zeroblob(?))", probeSize)
	})
	if err != nil {
		return fmt.Errorf("write to the ledger: %w", err)
	}
	return nil
}
