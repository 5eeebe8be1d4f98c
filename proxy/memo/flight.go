package memo

import (
	"context"
	"fmt"
)

// A flight is a computation somebody is at.
type flight struct {
	done chan struct{} // closed when it has ended
	body []byte
	ok   bool // it gave a body
}

// Do gives the entry for a key, and computes it where it is not remembered.
// Concurrent calls for a key share one computation, in the goroutine of the one
// who came first; the others wait, and leave with the context's error when their
// context ends. Where a computation fails, only the one who ran it gets its error:
// those who waited compute for themselves, since the reason may have been his
// alone.
//
// The bytes computed are kept and shared: they must not be changed afterwards.
func (m *Memo) Do(ctx context.Context, key Key, compute func() ([]byte, error)) (Entry, error) {
	entry, other, mine := m.join(key)
	switch {
	case mine != nil:
		return m.run(key, mine, compute)
	case other == nil:
		return entry, nil
	}
	select {
	case <-other.done:
	case <-ctx.Done():
		return Entry{}, fmt.Errorf("wait for the same result: %w", context.Cause(ctx))
	}
	if other.ok {
		return Entry{Body: other.body}, nil
	}
	return m.run(key, nil, compute)
}

// join finds an entry, or somebody else's flight, or begins a flight of the
// caller's own.
func (m *Memo) join(key Key) (found Entry, other, mine *flight) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e, ok := m.find(key); ok {
		return e, nil, nil
	}
	if f, ok := m.flights[key]; ok {
		m.stats.Shared++
		return Entry{}, f, nil
	}
	f := &flight{done: make(chan struct{})}
	m.flights[key] = f
	return Entry{}, nil, f
}

// run computes and keeps the result. The flight, if there is one, ends whatever
// happens, a panic included.
func (m *Memo) run(key Key, f *flight, compute func() ([]byte, error)) (e Entry, err error) {
	var ok bool
	defer func() { m.land(key, f, e.Body, ok) }()
	e.Body, err = compute()
	ok = err == nil
	if !ok {
		e.Body = nil
	}
	return e, err
}

func (m *Memo) land(key Key, f *flight, body []byte, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stats.Misses++
	if ok {
		m.store(key, body)
	}
	if f == nil {
		return
	}
	delete(m.flights, key)
	f.body, f.ok = body, ok
	close(f.done)
}
