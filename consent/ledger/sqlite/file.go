package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/numfocus/consentgate/consent/ledger"
	_ "modernc.org/sqlite" // the driver
)

// A file knows which file a path meant when it was opened. (Looking at it must
// never open it: closing any descriptor of a file drops the locks that SQLite
// holds on it in this process.)
type file struct {
	path string
	info fs.FileInfo
}

func stat(path string) (file, error) {
	info, err := os.Stat(path)
	return file{path, info}, err
}

// moved reports whether the path means another file now, or none.
func (f file) moved() bool {
	info, err := os.Stat(f.path)
	return err != nil || !os.SameFile(info, f.info)
}

// replaced reports whether the path means another file now.
func (f file) replaced() bool {
	info, err := os.Stat(f.path)
	return err == nil && !os.SameFile(info, f.info)
}

// setAside takes the log of a file that was replaced out of the way: SQLite
// would read it as part of the new one.
func setAside(path string) error {
	for _, suffix := range []string{"-wal", "-shm"} {
		err := os.Rename(path+suffix, path+suffix+".replaced")
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%w: set aside the log of the file before: %w", ledger.ErrUnavailable, err)
		}
	}
	return nil
}

// connect opens the file for writing. It makes the file only if told to: a
// ledger that disappears while it is in use must not be replaced by an empty one.
func connect(path string, o Options, make bool) (*connection, error) {
	if make {
		if err := create(path); err != nil {
			return nil, fmt.Errorf("%w: %w", ledger.ErrUnavailable, err)
		}
	}
	db, err := sql.Open("sqlite", dsn(path, "rw", o.Busy,
		"journal_mode(wal)", "synchronous(full)", "secure_delete(on)", "journal_size_limit(67108864)"))
	if err != nil {
		return nil, err
	}
	c, err := ready(path, db, o)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return c, nil
}

func ready(path string, db *sql.DB, o Options) (*connection, error) {
	conn, err := db.Conn(context.Background())
	if err != nil {
		return nil, err
	}
	c := &connection{db: db, conn: conn, statements: map[string]*sql.Stmt{}}
	if err := migrate(c); err != nil {
		c.close()
		return nil, err
	}
	c.file, err = stat(path)
	if err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// create makes an empty file that only its owner can read. The name is synced
// too: SQLite syncs what is in the file, not that it is there.
func create(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), syncDir(filepath.Dir(path)))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func dsn(path, mode string, busy time.Duration, pragmas ...string) string {
	q := url.Values{"mode": {mode}, "_pragma": append([]string{fmt.Sprintf("busy_timeout(%d)", busy.Milliseconds())}, pragmas...)}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode()
}

// readers is the pool that reads, while the writer writes.
type readers struct {
	path string
	busy time.Duration

	mu     sync.Mutex
	file   file
	db     *sql.DB
	closed bool
}

// stale reports whether open would make a new pool.
func (r *readers) stale() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.db == nil || r.file.moved()
}

// open returns the pool, a new one where the file is another one now.
func (r *readers) open() (*sql.DB, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, ledger.ErrClosed
	}
	if r.db != nil && !r.file.moved() {
		return r.db, nil
	}
	r.drop()
	f, err := stat(r.path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ledger.ErrUnavailable, err)
	}
	db, err := sql.Open("sqlite", dsn(r.path, "ro", r.busy))
	if err != nil {
		return nil, classify(err)
	}
	if err := checkVersion(db); err != nil {
		return nil, errors.Join(classify(err), db.Close())
	}
	db.SetMaxOpenConns(8)
	r.file, r.db = f, db
	return db, nil
}

// failed gives the pool up where the file failed, so that the next reader
// starts afresh, and says what failed.
func (r *readers) failed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	err = classify(err)
	if isUnavailable(err) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.drop()
	}
	return err
}

func (r *readers) drop() {
	if r.db != nil {
		r.db.Close()
		r.db = nil
	}
}

func (r *readers) close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	r.drop()
	return nil
}
