package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/numfocus/consentgate/consent"
	"github.com/numfocus/consentgate/consent/ledger"
)

const (
	chainColumns = "gateway, base_seq, base_hash, head_seq, head_hash"
	linkColumns  = "e.gateway, e.seq, e.time, e.kind, e.digest, e.prev, e.hash, p.salt, p.body"
	countColumns = "day, gateway, site, language, event, method, signal, purpose, n"
)

// Find reads what has been committed.
func (s *Store) Find(ctx context.Context, record string) ([]ledger.Receipt, error) {
	var found []ledger.Receipt
	err := s.Links(ctx, record, func(l ledger.Link) error {
		r, _, err := l.Receipt()
		found = append(found, r)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("find record %s: %w", record, err)
	}
	if found == nil {
		return nil, fmt.Errorf("find record %s: %w", record, ledger.ErrNotFound)
	}
	slices.SortStableFunc(found, func(a, b ledger.Receipt) int { return a.Time.Compare(b.Time) })
	return found, nil
}

// Links visits the links of a record, ordered by gateway and sequence number.
func (s *Store) Links(ctx context.Context, record string, visit func(ledger.Link) error) error {
	return s.rows(ctx, func(rows *sql.Rows) error { return scanLink(rows, visit) },
		"SELECT "+linkColumns+` FROM payload p JOIN entry e ON e.gateway = p.gateway AND e.seq = p.seq
		WHERE p.record = ? ORDER BY p.gateway, p.seq`, record)
}

// Walk visits the links of a chain as one snapshot.
func (s *Store) Walk(ctx context.Context, gateway string, after uint64, visit func(ledger.Link) error) error {
	return s.rows(ctx, func(rows *sql.Rows) error { return scanLink(rows, visit) },
		"SELECT "+linkColumns+` FROM entry e LEFT JOIN payload p ON p.gateway = e.gateway AND p.seq = e.seq
		WHERE e.gateway = ? AND e.seq > ? ORDER BY e.seq`, gateway, after)
}

// Own is the chain that this file's gateway writes.
func (s *Store) Own(ctx context.Context) (ledger.Chain, error) {
	chains, err := s.chains(ctx, "WHERE own = 1")
	if err != nil {
		return ledger.Chain{}, err
	}
	if len(chains) != 1 {
		return ledger.Chain{}, fmt.Errorf("the file has %d chains of its own", len(chains))
	}
	return chains[0], nil
}

// Chains lists the chains that have entries.
func (s *Store) Chains(ctx context.Context) ([]ledger.Chain, error) {
	return s.chains(ctx, "WHERE head_seq > 0 ORDER BY gateway")
}

func (s *Store) chains(ctx context.Context, where string) ([]ledger.Chain, error) {
	db, err := s.pool(ctx)
	if err != nil {
		return nil, err
	}
	chains, err := queryChains(db.QueryContext(ctx, "SELECT "+chainColumns+" FROM chain "+where))
	if err != nil {
		return nil, s.read.failed(ctx, err)
	}
	return chains, nil
}

// Notices visits every notice.
func (s *Store) Notices(ctx context.Context, visit func(ledger.Notice) error) error {
	return s.rows(ctx, func(rows *sql.Rows) error {
		var n ledger.Notice
		if err := rows.Scan(&n.Hash, &n.Revision, &n.Language, &n.Body); err != nil {
			return err
		}
		return visit(n)
	}, "SELECT hash, revision, language, body FROM notice ORDER BY hash")
}

// Counts visits every count, refusals that are not stored yet included where
// they can be stored.
func (s *Store) Counts(ctx context.Context, visit func(ledger.Count) error) error {
	if !s.o.ReadOnly {
		if err := s.do(ctx, shared, nothing); err != nil {
			return fmt.Errorf("store refusals: %w", err)
		}
	}
	return s.rows(ctx, func(rows *sql.Rows) error {
		var c ledger.Count
		var event, method, purpose string
		err := rows.Scan(&c.Day, &c.Gateway, &c.Site, &c.Language, &event, &method, &c.Signal, &purpose, &c.N)
		if err != nil {
			return err
		}
		c.Event, c.Method, c.Purpose = ledger.Event(event), ledger.Method(method), consent.Purpose(purpose)
		return visit(c)
	}, "SELECT "+countColumns+" FROM count ORDER BY day, gateway, site, language, event, method, signal, purpose")
}

// pool is what to read from. The writer comes first where the file is new or
// was replaced: it makes the file, or parts it from the log of the one before.
func (s *Store) pool(ctx context.Context) (*sql.DB, error) {
	if !s.o.ReadOnly && s.read.stale() {
		if err := s.do(ctx, alone, nothing); err != nil {
			return nil, err
		}
	}
	return s.read.open()
}

// nothing is a job whose transaction is all that matters.
func nothing(*tx) error { return nil }

// rows calls each for every row; it does not collect them.
func (s *Store) rows(ctx context.Context, each func(*sql.Rows) error, query string, args ...any) error {
	db, err := s.pool(ctx)
	if err != nil {
		return err
	}
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return s.read.failed(ctx, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return s.read.failed(ctx, err)
	}
	return nil
}

func queryChains(rows *sql.Rows, err error) ([]ledger.Chain, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var chains []ledger.Chain
	for rows.Next() {
		var c ledger.Chain
		if err := rows.Scan(&c.Gateway, &c.Base.Seq, digest{&c.Base.Hash}, &c.Head.Seq, digest{&c.Head.Hash}); err != nil {
			return nil, err
		}
		chains = append(chains, c)
	}
	return chains, rows.Err()
}

func scanLink(rows *sql.Rows, visit func(ledger.Link) error) error {
	var (
		l          ledger.Link
		unix       int64
		kind       string
		salt, body []byte
	)
	err := rows.Scan(&l.Gateway, &l.Seq, &unix, &kind,
		digest{&l.Digest}, digest{&l.Prev}, digest{&l.Hash}, &salt, &body)
	if err != nil {
		return err
	}
	l.Time, l.Kind = time.Unix(unix, 0).UTC(), ledger.Kind(kind)
	if body != nil {
		l.Payload = &ledger.Payload{Body: body}
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
		return fmt.Errorf("a digest is stored as %T", v)
	}
	*d.Digest = ledger.Digest{}
	copy(d.Digest[:], b)
	return nil
}
