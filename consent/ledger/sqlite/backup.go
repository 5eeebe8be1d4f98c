package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Backup writes a consistent copy of the ledger to a new file at path, while
// the ledger is in use. The copy is a ledger itself. The file appears whole and
// synced, or not at all.
func (s *Store) Backup(ctx context.Context, path string) error {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("back up ledger: %s exists already", path)
	}
	partial := path + ".partial"
	if err := s.vacuumInto(ctx, partial); err != nil {
		return errors.Join(fmt.Errorf("back up ledger: %w", classify(err)), remove(partial))
	}
	if err := publish(partial, path); err != nil {
		return errors.Join(fmt.Errorf("back up ledger: %w", err), remove(partial))
	}
	return nil
}

// vacuumInto needs a connection that may write, if only elsewhere.
func (s *Store) vacuumInto(ctx context.Context, path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	db, err := sql.Open("sqlite", dsn(s.path, "rw", s.o.Busy))
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "VACUUM INTO ?", path)
	return errors.Join(err, db.Close())
}

func publish(partial, path string) error {
	f, err := os.OpenFile(partial, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(partial, path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func remove(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
