package sqlite_test

import (
	"bytes"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/numfocus/consentgate/consent/ledger"
	"github.com/numfocus/consentgate/consent/ledger/ledgertest"
	"github.com/numfocus/consentgate/consent/ledger/sqlite"
)

// fails tests what a visitor and an operator see while the file cannot be used:
// a grant fails in clear words, a refusal works, and health says so.
func fails(t *testing.T, s *sqlite.Store, words string) {
	t.Helper()
	err := s.Append(t.Context(), ledgertest.Receipt("during"))
	if !errors.Is(err, ledger.ErrUnavailable) || !strings.Contains(err.Error(), words) {
		t.Errorf("a grant gave %v, want %q", err, words)
	}
	if err := s.Refuse(t.Context(), refusal()); err != nil {
		t.Errorf("a refusal gave %v", err)
	}
	if err := s.Health(t.Context()); !errors.Is(err, ledger.ErrUnavailable) {
		t.Errorf("health %v, want unavailable", err)
	}
}

// recovers tests that the same store works again, that nothing acknowledged is
// lost, and that the refusal of fails was counted.
func recovers(t *testing.T, s *sqlite.Store, records ...string) {
	t.Helper()
	if err := s.Health(t.Context()); err != nil {
		t.Fatalf("still ill: %v", err)
	}
	if err := s.Append(t.Context(), ledgertest.Receipt("after")); err != nil {
		t.Fatal(err)
	}
	for _, record := range append(records, "after") {
		if _, err := s.Find(t.Context(), record); err != nil {
			t.Error(err)
		}
	}
	if _, err := s.Find(t.Context(), "during"); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("what was refused: %v", err)
	}
	verifyAll(t, s)
	if n := refused(t, s); n != 1 {
		t.Errorf("%d refusals counted, want 1", n)
	}
}

func refusal() ledger.Refusal {
	return ledger.Refusal{Time: ledgertest.Time, Site: "numfocus.org", Language: "en", Method: ledger.ByBanner}
}

func refused(t *testing.T, s *sqlite.Store) (n int64) {
	t.Helper()
	err := s.Counts(t.Context(), func(c ledger.Count) error {
		if c.Event == ledger.Refused {
			n += c.N
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// with opens a store that does not wait long and holds the receipt "before".
func with(t *testing.T, path string) *sqlite.Store {
	t.Helper()
	s := sqlite.New(path, sqlite.Options{Busy: 50 * time.Millisecond})
	t.Cleanup(func() { s.Close() })
	if err := s.Append(t.Context(), ledgertest.Receipt("before")); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestLockedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	s := with(t, path)
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	fails(t, s, "locked by another process")
	if _, err := db.Exec("ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	recovers(t, s, "before")
}

func TestFileGone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	s := with(t, path)
	rename(t, path, path+".away")
	fails(t, s, "cannot be opened")
	if _, err := s.Find(t.Context(), "before"); !errors.Is(err, ledger.ErrUnavailable) {
		t.Errorf("found in a file that is gone: %v", err)
	}
	rename(t, path+".away", path)
	recovers(t, s, "before")
}

func TestDamagedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	s := with(t, path)
	if err := s.Backup(t.Context(), path+".backup"); err != nil {
		t.Fatal(err)
	}
	rename(t, path, path+".old")
	garbage(t, path)
	fails(t, s, "damaged")
	rename(t, path+".backup", path)
	recovers(t, s, "before")
}

func TestDamagedAtStart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	garbage(t, path)
	if _, err := sqlite.Open(path, sqlite.Options{}); !errors.Is(err, ledger.ErrUnavailable) {
		t.Errorf("opened garbage: %v", err)
	}
	s := sqlite.New(path, sqlite.Options{})
	defer s.Close()
	fails(t, s, "damaged")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	recovers(t, s)
}

// TestDamagedPages overwrites pages in the middle: reading them fails, and
// neither panics nor gives something that was not written.
func TestDamagedPages(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	s := open(t, path)
	for i := range 200 {
		if err := s.Append(t.Context(), ledgertest.Receipt(ledgertest.Record(i))); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for at := 4096; at+4096 <= len(whole); at += 4096 {
		hurt := bytes.Clone(whole)
		copy(hurt[at:], bytes.Repeat([]byte{0xa5}, 4096))
		damaged := filepath.Join(t.TempDir(), "ledger.db")
		if err := os.WriteFile(damaged, hurt, 0o600); err != nil {
			t.Fatal(err)
		}
		s := sqlite.New(damaged, sqlite.Options{ReadOnly: true})
		if r, err := ledger.Verify(t.Context(), s, ledger.Check{}); err == nil && r.Entries != 200 {
			t.Errorf("page %d: verified %d of 200 entries", at/4096, r.Entries)
		}
		s.Close()
	}
}

func TestForeignFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "other.db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("CREATE TABLE wp_posts (id INTEGER)"); err != nil {
		t.Fatal(err)
	}
	db.Close()
	if s, err := sqlite.Open(path, sqlite.Options{}); err == nil {
		s.Close()
		t.Error("opened a database that is no ledger")
	}
}

func TestReadOnlyStore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	if _, err := sqlite.Open(path, sqlite.Options{ReadOnly: true}); !errors.Is(err, ledger.ErrUnavailable) {
		t.Errorf("opened what is not there: %v", err)
	}
	with(t, path)
	s, err := sqlite.Open(path, sqlite.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Find(t.Context(), "before"); err != nil {
		t.Error(err)
	}
	if err := s.Append(t.Context(), ledgertest.Receipt("x")); err == nil {
		t.Error("appended to a ledger opened for reading")
	}
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

func garbage(t *testing.T, path string) {
	t.Helper()
	if err := os.WriteFile(path, bytes.Repeat([]byte("not a ledger "), 1000), 0o600); err != nil {
		t.Fatal(err)
	}
}
