package sqlite

import (
	"errors"
	"fmt"

	"github.com/numfocus/consentgate/consent/ledger"
	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

var errReadOnly = errors.New("the ledger was opened for reading only")

// classify says in words what SQLite's code means and what helps, and marks
// what may pass as [ledger.ErrUnavailable]. Other errors stay as they are.
func classify(err error) error {
	var failure *sqlite.Error
	if !errors.As(err, &failure) {
		return err
	}
	words := ""
	switch failure.Code() & 0xff {
	case lib.SQLITE_FULL:
		words = "the disk is full"
	case lib.SQLITE_READONLY:
		words = "the file or its folder is read-only"
	case lib.SQLITE_BUSY, lib.SQLITE_LOCKED, lib.SQLITE_PROTOCOL:
		words = "the file is locked by another process"
	case lib.SQLITE_CORRUPT, lib.SQLITE_NOTADB, lib.SQLITE_FORMAT:
		words = "the file is damaged; put a backup in its place"
	case lib.SQLITE_CANTOPEN, lib.SQLITE_PERM, lib.SQLITE_AUTH:
		words = "the file cannot be opened, or its folder cannot be written"
	case lib.SQLITE_IOERR, lib.SQLITE_NOMEM:
		words = "the disk failed"
	default:
		return err
	}
	return fmt.Errorf("%w: %s: %w", ledger.ErrUnavailable, words, err)
}

func isUnavailable(err error) bool { return errors.Is(err, ledger.ErrUnavailable) }
