package sqlite_test

import (
	"database/sql"
	"errors"
	"path/filepath"
	"testing"

	"github.com/numfocus/consentgate/consent/ledger"
	"github.com/numfocus/consentgate/consent/ledger/ledgertest"
	"github.com/numfocus/consentgate/consent/ledger/sqlite"
)

// TestTamperingWithSQL has somebody with the sqlite3 command at the file.
func TestTamperingWithSQL(t *testing.T) {
	for _, trick := range []string{
		"UPDATE entry SET time = time + 60 WHERE seq = 3",
		"UPDATE entry SET kind = 'erasure' WHERE seq = 3",
		"UPDATE entry SET digest = zeroblob(32) WHERE seq = 3",
		"UPDATE entry SET prev = zeroblob(5) WHERE seq = 3",
		"UPDATE entry SET hash = x'' WHERE seq = 3",
		"UPDATE entry SET gateway = 'other' WHERE seq = 3",
		"UPDATE payload SET body = CAST(replace(CAST(body AS TEXT), 'statistics', 'marketing') AS BLOB) WHERE seq = 3",
		"UPDATE payload SET salt = zeroblob(32) WHERE seq = 3",
		"DELETE FROM payload WHERE seq = 3",
		"DELETE FROM entry WHERE seq = 3",
		"DELETE FROM entry WHERE seq = 3; UPDATE entry SET seq = seq - 1 WHERE seq > 3",
		"DELETE FROM entry WHERE seq >= 3",
		"DELETE FROM entry",
		"UPDATE chain SET base_seq = 3",
		"UPDATE notice SET body = CAST('You agreed to everything.' AS BLOB)",
	} {
		path := filepath.Join(t.TempDir(), "ledger.db")
		s := open(t, path)
		if err := s.PutNotice(t.Context(), ledgertest.Notice()); err != nil {
			t.Fatal(err)
		}
		for i := range 6 {
			if err := s.Append(t.Context(), ledgertest.Receipt(ledgertest.Record(i))); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		change(t, path, trick)

		s, err := sqlite.Open(path, sqlite.Options{ReadOnly: true})
		if err != nil {
			t.Fatal(err)
		}
		var broken *ledger.Broken
		if _, err := ledger.Verify(t.Context(), s, ledger.Check{}); !errors.As(err, &broken) {
			t.Errorf("%s: not found: %v", trick, err)
		}
		s.Close()
	}
}

func change(t *testing.T, path, query string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(query); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}
