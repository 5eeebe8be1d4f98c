package ledgertest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/numfocus/consentgate/consent/ledger"
)

// A Memory is a ledger that forgets everything at the end. It passes Run and
// can be told to fail, for tests of those who write to a ledger.
type Memory struct {
	Now func() time.Time // the clock; nil: [time.Now]

	mu      sync.Mutex
	fail    error
	closed  bool
	own     string
	chains  map[string]*chain
	notices map[string]ledger.Notice
	counts  ledger.Tally
}

type chain struct {
	ledger.Chain
	links []held
}

// held is a link, and what its receipt says while it has not been erased.
type held struct {
	ledger.Link
	receipt *ledger.Receipt
}

// hold keeps a link that has been checked.
func (c *chain) hold(l ledger.Link) {
	h := held{Link: l}
	if r, ok, err := l.Receipt(); ok && err == nil {
		h.receipt = &r
	}
	c.links = append(c.links, h)
}

func (h *held) erase() { h.Payload, h.receipt = nil, nil }

// New returns an empty ledger in memory.
func New() *Memory {
	own := ledger.NewGateway()
	return &Memory{
		own:     own,
		chains:  map[string]*chain{own: {Chain: ledger.Chain{Gateway: own}}},
		notices: map[string]ledger.Notice{},
		counts:  ledger.Tally{},
	}
}

// Fail makes every call but Refuse and Close fail with err until Fail(nil).
func (m *Memory) Fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail = err
}

// lock takes the mutex and says whether the ledger can be used. The caller
// unlocks in either case.
func (m *Memory) lock(ctx context.Context) error {
	m.mu.Lock()
	switch {
	case m.closed:
		return ledger.ErrClosed
	case m.fail != nil:
		return m.fail
	}
	return ctx.Err()
}

func (m *Memory) now() time.Time {
	if m.Now != nil {
		return m.Now()
	}
	return time.Now()
}

func (m *Memory) Append(ctx context.Context, r ledger.Receipt) error {
	err := m.lock(ctx)
	defer m.mu.Unlock()
	if err != nil {
		return err
	}
	if err := ledger.Admit(r, m.now(), 0); err != nil {
		return err
	}
	own := m.chains[m.own]
	link, err := own.AppendReceipt(r)
	if err != nil {
		return err
	}
	own.hold(link)
	m.counts.Add(r.Keys(m.own)...)
	return nil
}

func (m *Memory) Refuse(_ context.Context, r ledger.Refusal) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return ledger.ErrClosed
	}
	if err := r.Check(); err != nil {
		return err
	}
	m.counts.Add(r.Key(m.own))
	return nil
}

func (m *Memory) Find(ctx context.Context, record string) ([]ledger.Receipt, error) {
	err := m.lock(ctx)
	defer m.mu.Unlock()
	if err != nil {
		return nil, err
	}
	var found []ledger.Receipt
	m.each(func(h *held) {
		if h.receipt.Record == record {
			found = append(found, *h.receipt)
		}
	})
	if found == nil {
		return nil, ledger.ErrNotFound
	}
	slices.SortStableFunc(found, func(a, b ledger.Receipt) int { return a.Time.Compare(b.Time) })
	return found, nil
}

func (m *Memory) Erase(ctx context.Context, record string) error {
	err := m.lock(ctx)
	defer m.mu.Unlock()
	if err != nil {
		return err
	}
	n, err := m.erase(ledger.OnRequest, func(r ledger.Receipt) bool { return r.Record == record })
	if err == nil && n == 0 {
		return ledger.ErrNotFound
	}
	return err
}

func (m *Memory) Purge(ctx context.Context, before time.Time) (int, error) {
	err := m.lock(ctx)
	defer m.mu.Unlock()
	if err != nil {
		return 0, err
	}
	return m.erase(ledger.OutOfTime, func(r ledger.Receipt) bool { return r.ValidUntil.Before(before) })
}

func (m *Memory) erase(why ledger.Reason, which func(ledger.Receipt) bool) (int, error) {
	var ids []ledger.ID
	m.each(func(h *held) {
		if which(*h.receipt) {
			ids = append(ids, ledger.ID{Gateway: h.Gateway, Seq: h.Seq})
			h.erase()
		}
	})
	if len(ids) == 0 {
		return 0, nil
	}
	own := m.chains[m.own]
	link, err := own.AppendErasure(ledger.Erasure{Reason: why, Spans: ledger.Spans(ids)}, m.now())
	if err != nil {
		return 0, err
	}
	own.hold(link)
	return len(ids), nil
}

// each visits the receipts that have not been erased.
func (m *Memory) each(visit func(*held)) {
	for _, gateway := range slices.Sorted(maps.Keys(m.chains)) {
		links := m.chains[gateway].links
		for i := range links {
			if links[i].receipt != nil {
				visit(&links[i])
			}
		}
	}
}

// Close ends the ledger: later calls fail with ErrClosed.
func (m *Memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	return nil
}

func (m *Memory) Health(ctx context.Context) error {
	err := m.lock(ctx)
	defer m.mu.Unlock()
	return err
}

func (m *Memory) PutNotice(ctx context.Context, n ledger.Notice) error {
	err := m.lock(ctx)
	defer m.mu.Unlock()
	if err != nil {
		return err
	}
	if err := n.Check(); err != nil {
		return err
	}
	if _, ok := m.notices[n.Hash]; !ok {
		n.Body = slices.Clone(n.Body)
		m.notices[n.Hash] = n
	}
	return nil
}

func (m *Memory) Notices(ctx context.Context, visit func(ledger.Notice) error) error {
	err := m.lock(ctx)
	notices := maps.Clone(m.notices)
	m.mu.Unlock()
	if err != nil {
		return err
	}
	for _, hash := range slices.Sorted(maps.Keys(notices)) {
		if err := visit(notices[hash]); err != nil {
			return err
		}
	}
	return nil
}

func (m *Memory) Chains(ctx context.Context) ([]ledger.Chain, error) {
	err := m.lock(ctx)
	defer m.mu.Unlock()
	if err != nil {
		return nil, err
	}
	var chains []ledger.Chain
	for _, gateway := range slices.Sorted(maps.Keys(m.chains)) {
		if c := m.chains[gateway].Chain; c.Head.Seq > 0 {
			chains = append(chains, c)
		}
	}
	return chains, nil
}

func (m *Memory) Walk(ctx context.Context, gateway string, after uint64, visit func(ledger.Link) error) error {
	err := m.lock(ctx)
	var links []held
	if c := m.chains[gateway]; c != nil {
		links = slices.Clone(c.links)
	}
	m.mu.Unlock()
	if err != nil {
		return err
	}
	for _, l := range links {
		if l.Seq <= after {
			continue
		}
		if err := visit(l.Link); err != nil {
			return err
		}
	}
	return nil
}

func (m *Memory) Counts(ctx context.Context, visit func(ledger.Count) error) error {
	err := m.lock(ctx)
	counts := maps.Clone(m.counts)
	m.mu.Unlock()
	if err != nil {
		return err
	}
	for _, key := range slices.SortedFunc(maps.Keys(counts), ledger.CountKey.Compare) {
		if err := visit(ledger.Count{CountKey: key, N: counts[key]}); err != nil {
			return err
		}
	}
	return nil
}

func (m *Memory) PutCounts(ctx context.Context, counts []ledger.Count) error {
	err := m.lock(ctx)
	defer m.mu.Unlock()
	if err != nil {
		return err
	}
	for _, c := range counts {
		m.counts[c.CountKey] = max(m.counts[c.CountKey], c.N)
	}
	return nil
}

func (m *Memory) Extend(ctx context.Context, links []ledger.Link) error {
	err := m.lock(ctx)
	defer m.mu.Unlock()
	if err != nil || len(links) == 0 {
		return err
	}
	c := m.chains[links[0].Gateway]
	if c == nil {
		c = &chain{Chain: ledger.Chain{Gateway: links[0].Gateway}}
	}
	next := c.Chain
	fresh, err := next.Continue(links, c.hash)
	if err != nil {
		return err
	}
	c.Chain = next
	m.chains[c.Gateway] = c
	for _, l := range fresh {
		c.hold(l)
		m.obey(l)
	}
	return nil
}

func (c *chain) hash(seq uint64) (ledger.Digest, error) {
	for _, l := range c.links {
		if l.Seq == seq {
			return l.Hash, nil
		}
	}
	return ledger.Digest{}, fmt.Errorf("no entry %d", seq)
}

// obey erases what an erasure among links from elsewhere names.
func (m *Memory) obey(l ledger.Link) {
	erasure, ok, err := l.Erasure()
	if !ok || err != nil {
		return
	}
	for _, span := range erasure.Spans {
		m.each(func(h *held) {
			if h.Gateway == span.Gateway && span.First <= h.Seq && h.Seq <= span.Last {
				h.erase()
			}
		})
	}
}
