package sqlite

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// probeAfter is how long a successful commit vouches for the file.
const probeAfter = 5 * time.Second

// health remembers how the last commit went.
type health struct {
	mu  sync.Mutex
	err error
	at  time.Time
}

func (h *health) record(err error) {
	if err != nil && !isUnavailable(err) {
		return // says something of the job, nothing of the file
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.err, h.at = err, time.Now()
}

func (h *health) fine() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.err == nil && !h.at.IsZero() && time.Since(h.at) < probeAfter
}

// Health says why grants cannot be stored at present, or nil. It writes
// something of its own, unless a commit within the last seconds went well.
func (s *Store) Health(ctx context.Context) error {
	if s.health.fine() && !s.isClosed() {
		return nil
	}
	err := s.do(ctx, shared, func(t *tx) error { return t.putChain(t.own) })
	if err != nil {
		return fmt.Errorf("write to the ledger: %w", err)
	}
	return nil
}
