package sqlite

import (
	"errors"
	"fmt"
	"time"

	"github.com/numfocus/consentgate/consent/ledger"
)

// A tx is a transaction of the writer. The own chain's head and the counts are
// kept here and written once, by finish.
type tx struct {
	c      *connection
	now    func() time.Time
	own    ledger.Chain
	start  ledger.Point // where own's head was
	counts ledger.Tally
	scrub  bool // something was erased
	large  bool // a grant, or as much as one, was written
}

func begin(c *connection, now func() time.Time) (*tx, error) {
	t := &tx{c: c, now: now, counts: ledger.Tally{}}
	chains, err := queryChains(c.query("SELECT " + chainColumns + " FROM chain WHERE own = 1"))
	if err != nil {
		return nil, err
	}
	if len(chains) != 1 {
		return nil, errors.New("the file has no chain of its own")
	}
	t.own, t.start = chains[0], chains[0].Head
	return t, nil
}

func (t *tx) finish() error {
	if t.own.Head != t.start {
		if err := t.putChain(t.own); err != nil {
			return err
		}
	}
	for k, n := range t.counts {
		if err := t.putCount(k, n, "n = n + excluded.n"); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) exec(query string, args ...any) error { return t.c.exec(query, args...) }

func (t *tx) appendReceipt(r ledger.Receipt) error {
	link, err := t.own.AppendReceipt(r)
	if err != nil {
		return err
	}
	t.large = true
	t.counts.Add(r.Keys(t.own.Gateway)...)
	return t.putLink(link)
}

// erase appends e and removes what it names.
func (t *tx) erase(e ledger.Erasure) error {
	link, err := t.own.AppendErasure(e, t.now())
	if err != nil {
		return err
	}
	if err := t.putLink(link); err != nil {
		return err
	}
	return t.obey(e)
}

func (t *tx) obey(e ledger.Erasure) error {
	t.scrub = true
	for _, s := range e.Spans {
		err := t.exec("DELETE FROM payload WHERE gateway = ? AND seq BETWEEN ? AND ? AND record IS NOT NULL",
			s.Gateway, s.First, s.Last)
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) extend(links []ledger.Link) error {
	chain, err := t.chain(links[0].Gateway)
	if err != nil {
		return err
	}
	fresh, err := chain.Continue(links, func(seq uint64) (ledger.Digest, error) { return t.hash(chain.Gateway, seq) })
	if err != nil || len(fresh) == 0 {
		return err
	}
	for _, l := range fresh {
		if err := t.take(l); err != nil {
			return fmt.Errorf("store entry %d of %s: %w", l.Seq, l.Gateway, err)
		}
	}
	if chain.Gateway == t.own.Gateway {
		t.own.Base, t.own.Head = chain.Base, chain.Head
		return nil
	}
	return t.putChain(chain)
}

// take stores a link from elsewhere.
func (t *tx) take(l ledger.Link) error {
	if err := t.putLink(l); err != nil {
		return err
	}
	e, ok, err := l.Erasure()
	if err != nil || !ok {
		return err
	}
	return t.obey(e)
}

func (t *tx) trim(gateway string, through uint64) error {
	chain, err := t.chain(gateway)
	if err != nil {
		return err
	}
	if through <= chain.Base.Seq {
		return nil
	}
	hash, err := t.hash(gateway, through)
	if err != nil {
		return err
	}
	chain.Base = ledger.Point{Seq: through, Hash: hash}
	for _, table := range []string{"payload", "entry"} {
		if err := t.exec("DELETE FROM "+table+" WHERE gateway = ? AND seq <= ?", gateway, through); err != nil {
			return err
		}
	}
	return t.putChain(chain)
}

func (t *tx) raiseCounts(counts []ledger.Count) error {
	for _, c := range counts {
		if err := t.putCount(c.CountKey, c.N, "n = max(n, excluded.n)"); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) putLink(l ledger.Link) error {
	err := t.exec("INSERT INTO entry (gateway, seq, time, kind, digest, prev, hash) VALUES (?, ?, ?, ?, ?, ?, ?)",
		l.Gateway, l.Seq, l.Time.Unix(), string(l.Kind), l.Digest[:], l.Prev[:], l.Hash[:])
	if err != nil || l.Payload == nil {
		return err
	}
	return t.exec("INSERT INTO payload (gateway, seq, salt, body) VALUES (?, ?, ?, ?)",
		l.Gateway, l.Seq, l.Payload.Salt[:], l.Payload.Body)
}

func (t *tx) putChain(c ledger.Chain) error {
	return t.exec(`INSERT INTO chain (gateway, own, base_seq, base_hash, head_seq, head_hash) VALUES (?, 0, ?, ?, ?, ?)
		ON CONFLICT (gateway) DO UPDATE SET base_seq = excluded.base_seq, base_hash = excluded.base_hash,
			head_seq = excluded.head_seq, head_hash = excluded.head_hash`,
		c.Gateway, c.Base.Seq, c.Base.Hash[:], c.Head.Seq, c.Head.Hash[:])
}

func (t *tx) putCount(k ledger.CountKey, n int64, conflict string) error {
	return t.exec(`INSERT INTO count (day, gateway, site, language, event, method, signal, purpose, n)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET `+conflict,
		k.Day, k.Gateway, k.Site, k.Language, string(k.Event), string(k.Method), k.Signal, string(k.Purpose), n)
}

// chain is the chain of a gateway as it is stored, empty for an unknown one.
func (t *tx) chain(gateway string) (ledger.Chain, error) {
	if gateway == t.own.Gateway {
		return t.own, nil
	}
	chains, err := queryChains(t.c.query("SELECT "+chainColumns+" FROM chain WHERE gateway = ?", gateway))
	if err != nil || len(chains) == 0 {
		return ledger.Chain{Gateway: gateway}, err
	}
	return chains[0], nil
}

func (t *tx) hash(gateway string, seq uint64) (d ledger.Digest, err error) {
	rows, err := t.c.query("SELECT hash FROM entry WHERE gateway = ? AND seq = ?", gateway, seq)
	if err != nil {
		return d, err
	}
	defer rows.Close()
	if !rows.Next() {
		return d, errors.Join(fmt.Errorf("entry %d of %s is not stored", seq, gateway), rows.Err())
	}
	return d, rows.Scan(digest{&d})
}

func (t *tx) ids(query string, args ...any) ([]ledger.ID, error) {
	rows, err := t.c.query(query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var ids []ledger.ID
	for rows.Next() {
		var id ledger.ID
		if err := rows.Scan(&id.Gateway, &id.Seq); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}
