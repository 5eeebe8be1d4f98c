package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/numfocus/consentgate/consent"
	"github.com/numfocus/consentgate/consent/ledger"
)

const (
	chainColumns = "gateway, base_seq, base_hash, head_seq, head_hash"
	linkColumns  = "e.gateway, e.seq, e.time, e.kind, e.digest, e.prev, e.hash, p.salt, p.body"
	fromBoth     = " FROM consentgate_entry e LEFT JOIN consentgate_payload p ON p.gateway = e.gateway AND p.seq = e.seq "
)

func (r *remote) chains(ctx context.Context) ([]ledger.Chain, error) {
	var chains []ledger.Chain
	err := r.stream(ctx, func(rows *sql.Rows) error {
		var c ledger.Chain
		err := scanChain(rows, &c)
		chains = append(chains, c)
		return err
	}, "SELECT "+chainColumns+" FROM consentgate_chain WHERE head_seq > 0 ORDER BY gateway")
	return chains, err
}

// chain is empty for a gateway that the database has never heard of.
func (r *remote) chain(ctx context.Context, gateway string) (ledger.Chain, error) {
	c := ledger.Chain{Gateway: gateway}
	err := r.query(ctx, func(rows *sql.Rows) error { return scanChain(rows, &c) },
		"SELECT "+chainColumns+" FROM consentgate_chain WHERE gateway = $1", gateway)
	return c, err
}

// has says whether the database has this entry, with this hash.
func (r *remote) has(ctx context.Context, gateway string, seq uint64, hash ledger.Digest) (has bool, err error) {
	err = r.query(ctx, func(rows *sql.Rows) error { return rows.Scan(&has) },
		"SELECT EXISTS (SELECT 1 FROM consentgate_entry WHERE gateway = $1 AND seq = $2 AND hash = $3)",
		gateway, int64(seq), hash[:])
	return has, err
}

func (r *remote) walk(ctx context.Context, gateway string, after uint64, visit func(ledger.Link) error) error {
	return r.stream(ctx, func(rows *sql.Rows) error { return scanLink(rows, visit) },
		"SELECT "+linkColumns+fromBoth+"WHERE e.gateway = $1 AND e.seq > $2 ORDER BY e.seq", gateway, int64(after))
}

func (r *remote) links(ctx context.Context, record string, visit func(ledger.Link) error) error {
	return r.query(ctx, func(rows *sql.Rows) error { return scanLink(rows, visit) },
		"SELECT "+linkColumns+fromBoth+"WHERE p.record = $1 ORDER BY e.gateway, e.seq", record)
}

func (r *remote) ids(ctx context.Context, query string, args ...any) ([]ledger.ID, error) {
	var ids []ledger.ID
	err := r.query(ctx, func(rows *sql.Rows) error {
		var id ledger.ID
		err := rows.Scan(&id.Gateway, &id.Seq)
		ids = append(ids, id)
		return err
	}, query, args...)
	return ids, err
}

func (r *remote) notices(ctx context.Context, visit func(ledger.Notice) error) error {
	return r.stream(ctx, func(rows *sql.Rows) error {
		var n ledger.Notice
		if err := rows.Scan(&n.Hash, &n.Revision, &n.Language, &n.Body); err != nil {
			return err
		}
		return visit(n)
	}, "SELECT hash, revision, language, body FROM consentgate_notice ORDER BY hash")
}

func (r *remote) counts(ctx context.Context, visit func(ledger.Count) error) error {
	return r.stream(ctx, func(rows *sql.Rows) error {
		var c ledger.Count
		var event, method, purpose string
		err := rows.Scan(&c.Day, &c.Gateway, &c.Site, &c.Language, &event, &method, &c.Signal, &purpose, &c.N)
		if err != nil {
			return err
		}
		c.Event, c.Method, c.Purpose = ledger.Event(event), ledger.Method(method), consent.Purpose(purpose)
		return visit(c)
	}, `SELECT day, gateway, site, language, event, method, signal, purpose, n FROM consentgate_count
		ORDER BY day, gateway, site, language, event, method, signal, purpose`)
}

type scanner interface{ Scan(...any) error }

func scanChain(row scanner, c *ledger.Chain) error {
	return row.Scan(&c.Gateway, &c.Base.Seq, digest{&c.Base.Hash}, &c.Head.Seq, digest{&c.Head.Hash})
}

func scanLink(rows *sql.Rows, visit func(ledger.Link) error) error {
	var (
		l    ledger.Link
		unix int64
		kind string
		salt []byte
		body sql.NullString
	)
	err := rows.Scan(&l.Gateway, &l.Seq, &unix, &kind,
		digest{&l.Digest}, digest{&l.Prev}, digest{&l.Hash}, &salt, &body)
	if err != nil {
		return err
	}
	l.Time, l.Kind = time.Unix(unix, 0).UTC(), ledger.Kind(kind)
	if body.Valid {
		l.Payload = &ledger.Payload{Body: []byte(body.String)}
		copy(l.Payload.Salt[:], salt)
	}
	return visit(l)
}

// digest scans a column into a Digest. A value of another length can only come
// from tampering; it is read as far as it goes, so that verify can name it.
type digest struct{ *ledger.Digest }

func (d digest) Scan(v any) error {
	b, ok := v.([]byte)
	if !ok {
		return errors.New("a digest is stored as " + fmt.Sprintf("%T", v))
	}
	*d.Digest = ledger.Digest{}
	copy(d.Digest[:], b)
	return nil
}
