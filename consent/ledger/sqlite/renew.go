package sqlite

import (
	"database/sql"
	"fmt"

	"github.com/numfocus/consentgate/consent/ledger"
)

// renewPage bounds how many links renew holds.
const renewPage = 500

func (t *tx) renew(after uint64) error {
	old := t.own
	t.own = ledger.Chain{Gateway: ledger.NewGateway()}
	t.start = t.own.Head
	if err := t.exec("UPDATE chain SET own = 0 WHERE gateway = ?", old.Gateway); err != nil {
		return err
	}
	err := t.exec(`INSERT INTO chain (gateway, own, base_seq, base_hash, head_seq, head_hash)
		VALUES (?, 1, 0, zeroblob(32), 0, zeroblob(32))`, t.own.Gateway)
	if err != nil {
		return err
	}
	for last := after; last < old.Head.Seq; {
		page, err := t.page(old.Gateway, last)
		if err != nil {
			return err
		}
		if len(page) == 0 {
			break
		}
		for _, l := range page {
			if err := t.sayAgain(l); err != nil {
				return fmt.Errorf("entry %d: %w", l.Seq, err)
			}
		}
		last = page[len(page)-1].Seq
	}
	for _, table := range []string{"payload", "entry", "chain"} {
		if err := t.exec("DELETE FROM "+table+" WHERE gateway = ?", old.Gateway); err != nil {
			return err
		}
	}
	return nil
}

// sayAgain appends to the own chain what l said in another. A receipt that was
// erased says nothing any more.
func (t *tx) sayAgain(l ledger.Link) error {
	r, isReceipt, err := l.Receipt()
	if err != nil {
		return err
	}
	if isReceipt {
		next, err := t.own.AppendReceipt(r)
		if err != nil {
			return err
		}
		t.counts.Add(r.Keys(t.own.Gateway)...)
		for _, k := range r.Keys(l.Gateway) {
			t.counts[k]--
		}
		return t.putLink(next)
	}
	e, isErasure, err := l.Erasure()
	if err != nil || !isErasure {
		return err
	}
	next, err := t.own.AppendErasure(e, l.Time)
	if err != nil {
		return err
	}
	return t.putLink(next)
}

func (t *tx) page(gateway string, after uint64) ([]ledger.Link, error) {
	rows, err := t.c.query("SELECT "+linkColumns+` FROM entry e LEFT JOIN payload p ON p.gateway = e.gateway AND p.seq = e.seq
		WHERE e.gateway = ? AND e.seq > ? ORDER BY e.seq LIMIT ?`, gateway, after, renewPage)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	return collect(rows)
}

func collect(rows *sql.Rows) (links []ledger.Link, err error) {
	for rows.Next() {
		err := scanLink(rows, func(l ledger.Link) error {
			links = append(links, l)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return links, rows.Err()
}
