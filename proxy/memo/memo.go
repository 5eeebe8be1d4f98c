// Package memo remembers what a pure function made of some bytes: equal bytes
// in, equal bytes out.
//
// An entry is found by a strong hash of the bytes as they came and by everything
// else the result depends on. So nothing of HTTP caching is involved: the origin is
// asked every time, and one visitor can never be given what was made for another
// decision.
//
// What is kept follows S3-FIFO: new entries wait in a small queue, and only those
// asked for again move on to the main one. A site whose every page is new (a nonce
// in each) therefore pushes out a tenth of what is remembered and no more.
package memo

import "sync"

// An Entry is a remembered result.
type Entry struct {
	Body []byte // shared by all who ask: never change it
	Hits int    // how often it was asked for before, the first time not counted
}

// Stats are counters since the start, and what is held now.
type Stats struct {
	Hits    uint64 // found
	Misses  uint64 // computed
	Shared  uint64 // waited for somebody else's computation
	Evicted uint64 // forgotten to make room
	Bytes   int64  // held, with what holding them costs
	Entries int
}

// A Memo is a bounded memory. It is safe for concurrent use.
type Memo struct {
	budget int64
	hasher hasher

	mu      sync.Mutex
	entries map[Key]*entry
	small   queue // seen once
	main    queue // asked for again
	ghosts  ghosts
	flights map[Key]*flight
	stats   Stats
}

// New makes an empty memo; c must have passed its Check.
func New(c Config, secret Secret) *Memo {
	budget := c.bytes()
	return &Memo{
		budget:  budget,
		hasher:  newHasher(secret),
		entries: make(map[Key]*entry),
		flights: make(map[Key]*flight),
		ghosts:  newGhosts(budget),
	}
}

// Stats tells how the memo does.
func (m *Memo) Stats() Stats {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.stats
	s.Bytes, s.Entries = m.small.bytes+m.main.bytes, len(m.entries)
	return s
}

// Get gives the entry for a key, if it is remembered.
func (m *Memo) Get(key Key) (Entry, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.find(key)
}

func (m *Memo) find(key Key) (Entry, bool) {
	e, ok := m.entries[key]
	if !ok {
		return Entry{}, false
	}
	m.stats.Hits++
	e.hits++
	e.warm = min(e.warm+1, maxWarm)
	return Entry{Body: e.body, Hits: e.hits}, true
}

// Upgrade replaces an entry by a better form of itself: the same page in a
// smaller coding, once it has shown that it is asked for again. At most one caller
// for each entry, ever, gets to compute; all others, and those who ask for what is
// not remembered, get false at once. It computes in the caller's goroutine.
func (m *Memo) Upgrade(key Key, compute func(body []byte) ([]byte, error)) (bool, error) {
	body, ok := m.claim(key)
	if !ok {
		return false, nil
	}
	better, err := compute(body)
	if err != nil {
		return true, err
	}
	m.replace(key, better)
	return true, nil
}

func (m *Memo) claim(key Key) ([]byte, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.entries[key]
	if !ok || e.upgraded {
		return nil, false
	}
	e.upgraded = true
	return e.body, true
}

func (m *Memo) replace(key Key, body []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.entries[key]
	if !ok {
		return // forgotten meanwhile
	}
	old := e.cost()
	e.body = compact(body)
	e.in.bytes += e.cost() - old
	m.shrink()
}
