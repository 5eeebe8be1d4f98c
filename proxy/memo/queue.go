package memo

import (
	"container/list"
	"slices"
)

const (
	// overhead is about what an entry costs beside its bytes.
	overhead = 300
	// maxWarm is how often an entry in the main queue may be passed over for the
	// hits it had.
	maxWarm = 3
	// smallShare is which part of the budget the small queue may take, also while
	// nothing else wants it: what nobody asks for again is not worth the memory.
	// largestShare is how big one entry may be.
	smallShare   = 10
	largestShare = 8
)

type entry struct {
	key      Key
	body     []byte
	hits     int
	warm     int // recent hits, up to maxWarm
	upgraded bool
	in       *queue
}

func (e *entry) cost() int64 { return int64(cap(e.body)+len(e.key.Context)) + overhead }

// compact copies bytes that hold on to much more memory than they use.
func compact(body []byte) []byte {
	if cap(body)-len(body) > len(body)/4 {
		return slices.Clip(slices.Clone(body))
	}
	return body
}

// A queue is first in, first out.
type queue struct {
	list  list.List
	bytes int64
}

func (q *queue) push(e *entry) {
	e.in = q
	q.bytes += e.cost()
	q.list.PushBack(e)
}

func (q *queue) pop() *entry {
	e := q.list.Remove(q.list.Front()).(*entry)
	q.bytes -= e.cost()
	return e
}

// store keeps a result, unless it would take too much of the budget.
func (m *Memo) store(key Key, body []byte) {
	e := &entry{key: key, body: compact(body)}
	if _, ok := m.entries[key]; ok || e.cost() > m.budget/largestShare {
		return
	}
	m.entries[key] = e
	if m.ghosts.take(key) {
		m.main.push(e)
	} else {
		m.small.push(e)
	}
	m.shrink()
}

// shrink forgets entries until the rest fits the budget. Each turn removes an
// entry, moves it to the main queue, or cools it, so it comes to an end.
func (m *Memo) shrink() {
	for m.small.bytes > m.budget/smallShare && m.small.list.Len() > 1 {
		m.shrinkSmall()
	}
	for m.small.bytes+m.main.bytes > m.budget {
		if m.main.list.Len() == 0 {
			m.shrinkSmall()
		} else {
			m.shrinkMain()
		}
	}
}

func (m *Memo) shrinkSmall() {
	e := m.small.pop()
	if e.warm > 0 {
		e.warm = 0
		m.main.push(e)
		return
	}
	m.forget(e)
	m.ghosts.add(e.key)
}

func (m *Memo) shrinkMain() {
	e := m.main.pop()
	if e.warm > 0 {
		e.warm--
		m.main.push(e)
		return
	}
	m.forget(e)
}

func (m *Memo) forget(e *entry) {
	delete(m.entries, e.key)
	m.stats.Evicted++
}

// typicalEntry is how large, in bytes, a small compressed page is taken to be when
// the number of ghosts is decided.
const typicalEntry = 8 << 10

// ghosts are the keys last forgotten from the small queue: what comes back soon
// is not new.
type ghosts struct {
	ring []Key
	next int
	at   map[Key]int // index in ring
}

func newGhosts(budget int64) ghosts {
	return ghosts{ring: make([]Key, max(16, budget/typicalEntry)), at: make(map[Key]int)}
}

func (g *ghosts) add(key Key) {
	g.take(key)
	delete(g.at, g.ring[g.next])
	g.ring[g.next] = key
	g.at[key] = g.next
	g.next = (g.next + 1) % len(g.ring)
}

// take removes a key and reports whether it was there.
func (g *ghosts) take(key Key) bool {
	i, ok := g.at[key]
	if ok {
		delete(g.at, key)
		g.ring[i] = Key{}
	}
	return ok
}
