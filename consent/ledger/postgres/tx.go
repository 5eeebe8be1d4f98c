package postgres

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/numfocus/consentgate/consent/ledger"
)

// A tx is one transaction.
type tx struct {
	ctx context.Context
	sql *sql.Tx
}

func (t *tx) exec(query string, args ...any) error {
	_, err := t.sql.ExecContext(t.ctx, query, args...)
	return err
}

// extend stores the links, all of one chain, that are not there yet. The row of
// the chain is locked first: another connection of the same gateway waits.
func (t *tx) extend(links []ledger.Link) error {
	chain := ledger.Chain{Gateway: links[0].Gateway}
	if err := t.exec(`INSERT INTO consentgate_chain (gateway, base_seq, base_hash, head_seq, head_hash)
		VALUES ($1, 0, $2, 0, $2) ON CONFLICT DO NOTHING`, chain.Gateway, chain.Head.Hash[:]); err != nil {
		return err
	}
	err := scanChain(t.sql.QueryRowContext(t.ctx,
		"SELECT "+chainColumns+" FROM consentgate_chain WHERE gateway = $1 FOR UPDATE", chain.Gateway), &chain)
	if err != nil {
		return err
	}
	fresh, err := chain.Continue(links, func(seq uint64) (d ledger.Digest, err error) {
		err = t.sql.QueryRowContext(t.ctx, "SELECT hash FROM consentgate_entry WHERE gateway = $1 AND seq = $2",
			chain.Gateway, int64(seq)).Scan(digest{&d})
		return d, err
	})
	if err != nil || len(fresh) == 0 {
		return err
	}
	if err := t.insert(fresh); err != nil {
		return err
	}
	return t.exec(`UPDATE consentgate_chain SET base_seq = $2, base_hash = $3, head_seq = $4, head_hash = $5 WHERE gateway = $1`,
		chain.Gateway, int64(chain.Base.Seq), chain.Base.Hash[:], int64(chain.Head.Seq), chain.Head.Hash[:])
}

func (t *tx) insert(links []ledger.Link) error {
	var e entryColumns
	var p payloadColumns
	var erasures []ledger.Erasure
	for _, l := range links {
		e.add(l)
		if l.Payload == nil {
			continue
		}
		p.add(l)
		if erasure, ok, err := l.Erasure(); err != nil {
			return fmt.Errorf("entry %d of %s: %w", l.Seq, l.Gateway, err)
		} else if ok {
			erasures = append(erasures, erasure)
		}
	}
	if err := e.insert(t); err != nil {
		return err
	}
	if err := p.insert(t); err != nil {
		return err
	}
	return t.obey(erasures)
}

func (t *tx) obey(erasures []ledger.Erasure) error {
	for _, e := range erasures {
		for _, s := range e.Spans {
			err := t.exec("DELETE FROM consentgate_payload WHERE gateway = $1 AND seq BETWEEN $2 AND $3 AND record IS NOT NULL",
				s.Gateway, int64(s.First), int64(s.Last))
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// Columns travel as arrays: one statement for a batch.
type entryColumns struct {
	gateway            []string
	seq, time          []int64
	kind               []string
	digest, prev, hash [][]byte
}

func (c *entryColumns) add(l ledger.Link) {
	c.gateway, c.seq = append(c.gateway, l.Gateway), append(c.seq, int64(l.Seq))
	c.time, c.kind = append(c.time, l.Time.Unix()), append(c.kind, string(l.Kind))
	c.digest = append(c.digest, l.Digest[:])
	c.prev = append(c.prev, l.Prev[:])
	c.hash = append(c.hash, l.Hash[:])
}

func (c *entryColumns) insert(t *tx) error {
	return t.exec(`INSERT INTO consentgate_entry (gateway, seq, time, kind, digest, prev, hash)
		SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::bytea[], $6::bytea[], $7::bytea[])`,
		c.gateway, c.seq, c.time, c.kind, c.digest, c.prev, c.hash)
}

type payloadColumns struct {
	gateway []string
	seq     []int64
	salt    [][]byte
	body    []string
}

func (c *payloadColumns) add(l ledger.Link) {
	c.gateway, c.seq = append(c.gateway, l.Gateway), append(c.seq, int64(l.Seq))
	c.salt, c.body = append(c.salt, l.Payload.Salt[:]), append(c.body, string(l.Payload.Body))
}

func (c *payloadColumns) insert(t *tx) error {
	return t.exec(`INSERT INTO consentgate_payload (gateway, seq, salt, body)
		SELECT * FROM unnest($1::text[], $2::bigint[], $3::bytea[], $4::text[])`,
		c.gateway, c.seq, c.salt, c.body)
}

func (t *tx) putNotice(n ledger.Notice) error {
	body := n.Body
	if body == nil {
		body = []byte{}
	}
	return t.exec("INSERT INTO consentgate_notice (hash, revision, language, body) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
		n.Hash, n.Revision, n.Language, body)
}

func (t *tx) raiseCount(c ledger.Count) error {
	return t.exec(`INSERT INTO consentgate_count AS c (day, gateway, site, language, event, method, signal, purpose, n)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (day, gateway, site, language, event, method, signal, purpose)
		DO UPDATE SET n = greatest(c.n, excluded.n)`,
		c.Day, c.Gateway, c.Site, c.Language, string(c.Event), string(c.Method), c.Signal, string(c.Purpose), c.N)
}
