package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/numfocus/consentgate/consent/ledger"
)

// A remote is the database. Its calls fail with [ledger.ErrUnavailable] while
// it is away.
type remote struct {
	db      *sql.DB
	timeout time.Duration

	mu       sync.Mutex
	migrated bool
}

func dial(c Config) (*remote, error) {
	conf, err := pgx.ParseConfig(c.URL)
	if err != nil {
		return nil, errors.New("the address of PostgreSQL cannot be understood") // pgx's error may hold the password
	}
	if conf.ConnectTimeout == 0 {
		conf.ConnectTimeout = connectTimeout
	}
	if conf.RuntimeParams["application_name"] == "" {
		conf.RuntimeParams["application_name"] = "consentgate"
	}
	db := stdlib.OpenDB(*conf)
	db.SetMaxOpenConns(8)
	db.SetConnMaxIdleTime(5 * time.Minute)
	return &remote{db: db, timeout: c.Timeout}, nil
}

// ready brings the schema up to date the first time that the database is there.
func (r *remote) ready(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.migrated {
		return nil
	}
	if err := migrate(ctx, r.db, len(steps())); err != nil {
		return err
	}
	r.migrated = true
	return nil
}

// change runs do in a transaction. What it commits is on the server's disk even
// where the server is set up not to wait for that.
func (r *remote) change(ctx context.Context, do func(*tx) error) error {
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	if err := r.ready(ctx); err != nil {
		return away(err)
	}
	sqltx, err := r.db.BeginTx(ctx, nil)
	if err != nil {
		return away(err)
	}
	defer sqltx.Rollback() //nolint:errcheck // after a commit it has nothing to do
	t := &tx{ctx, sqltx}
	if err := t.exec("SET LOCAL synchronous_commit = on"); err != nil {
		return away(err)
	}
	if err := do(t); err != nil {
		return away(err)
	}
	return away(sqltx.Commit())
}

// query is for one row or a few.
func (r *remote) query(ctx context.Context, each func(*sql.Rows) error, query string, args ...any) error {
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	return r.stream(ctx, each, query, args...)
}

// stream is for any number of rows: it holds one at a time.
func (r *remote) stream(ctx context.Context, each func(*sql.Rows) error, query string, args ...any) error {
	if err := r.ready(ctx); err != nil {
		return away(err)
	}
	rows, err := r.db.QueryContext(ctx, query, args...)
	if err != nil {
		return away(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows); err != nil {
			return err
		}
	}
	return away(rows.Err())
}

// away marks what the database answered, or did not, as
// [ledger.ErrUnavailable]. What the ledger itself says stays.
func away(err error) error {
	for _, own := range []error{nil, ledger.ErrFork, ledger.ErrGap, ledger.ErrNotFound, ledger.ErrUnavailable} {
		if errors.Is(err, own) {
			return err
		}
	}
	if errors.Is(err, sql.ErrConnDone) || err.Error() == "sql: database is closed" {
		return ledger.ErrClosed
	}
	return fmt.Errorf("%w: PostgreSQL: %w", ledger.ErrUnavailable, err)
}
