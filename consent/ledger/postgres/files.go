package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"time"
)

// Files are what several gateways keep together beside the ledger: their
// certificates and the keys of those. Keys are paths with slashes. Safe for
// concurrent use.
type Files struct {
	remote *remote

	lease, poll time.Duration

	mu   sync.Mutex
	held map[string]*lock
}

// OpenFiles fails only for a Config that cannot be understood: the database
// need not be there yet.
func OpenFiles(c Config) (*Files, error) {
	r, err := dial(c.withDefaults())
	if err != nil {
		return nil, fmt.Errorf("open shared files: %w", err)
	}
	return &Files{remote: r, lease: lockLease, poll: lockPoll, held: map[string]*lock{}}, nil
}

// Close gives up the connections; locks that are held expire.
func (f *Files) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, l := range f.held {
		l.stop()
	}
	return f.remote.db.Close()
}

// Store returns once the value is on the server's disk.
func (f *Files) Store(ctx context.Context, key string, value []byte) error {
	if value == nil {
		value = []byte{}
	}
	err := f.remote.change(ctx, func(t *tx) error {
		return t.exec(`INSERT INTO consentgate_file (key, body, modified) VALUES ($1, $2, clock_timestamp())
			ON CONFLICT (key) DO UPDATE SET body = excluded.body, modified = excluded.modified`, key, value)
	})
	return wrapFile("store", key, err)
}

// Load returns [fs.ErrNotExist] for a key that is not there.
func (f *Files) Load(ctx context.Context, key string) ([]byte, error) {
	var body []byte
	err := f.one(ctx, key, func(rows *sql.Rows) error { return rows.Scan(&body) },
		"SELECT body FROM consentgate_file WHERE key = $1", key)
	return body, wrapFile("load", key, err)
}

// Delete removes a key, or all below it; it is no error if nothing is there.
func (f *Files) Delete(ctx context.Context, key string) error {
	err := f.remote.change(ctx, func(t *tx) error {
		return t.exec("DELETE FROM consentgate_file WHERE key = $1 OR starts_with(key, $2)", key, below(key))
	})
	return wrapFile("delete", key, err)
}

// List returns the keys below a key: all of them, or those of the next level,
// among which are some that only have keys below them. It returns
// [fs.ErrNotExist] where there are none.
func (f *Files) List(ctx context.Context, key string, recursive bool) ([]string, error) {
	var keys []string
	err := f.remote.query(ctx, func(rows *sql.Rows) error {
		var found string
		err := rows.Scan(&found)
		keys = append(keys, found)
		return err
	}, `SELECT DISTINCT CASE WHEN $2 THEN key ELSE $1 || split_part(substr(key, length($1) + 1), '/', 1) END AS found
		FROM consentgate_file WHERE starts_with(key, $1) ORDER BY found`, below(key), recursive)
	if err == nil && len(keys) == 0 {
		err = fs.ErrNotExist
	}
	return keys, wrapFile("list", key, err)
}

// Stat says when a key was stored and how many bytes it has; file is false where
// there are only keys below it.
func (f *Files) Stat(ctx context.Context, key string) (modified time.Time, size int64, file bool, err error) {
	err = f.one(ctx, key, func(rows *sql.Rows) error { return rows.Scan(&modified, &size, &file) },
		`SELECT max(modified), CASE WHEN bool_or(key = $1) THEN sum(length(body)) ELSE 0 END::bigint, bool_or(key = $1)
		FROM consentgate_file WHERE key = $1 OR starts_with(key, $2) HAVING count(*) > 0`, key, below(key))
	return modified, size, file, wrapFile("stat", key, err)
}

// one reads a row that has to be there.
func (f *Files) one(ctx context.Context, key string, scan func(*sql.Rows) error, query string, args ...any) error {
	found := false
	err := f.remote.query(ctx, func(rows *sql.Rows) error {
		found = true
		return scan(rows)
	}, query, args...)
	if err == nil && !found {
		err = fs.ErrNotExist
	}
	return err
}

// below is how the keys below a key begin.
func below(key string) string {
	if key == "" {
		return ""
	}
	return strings.TrimSuffix(key, "/") + "/"
}

func wrapFile(doing, key string, err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	return fmt.Errorf("%s shared file %s: %w", doing, key, err)
}
