package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/numfocus/consentgate/consent/ledger"
	"github.com/numfocus/consentgate/consent/ledger/ledgertest"
)

// TestMigrations opens a file of every earlier version and finds in it what was
// there, in the schema of today.
func TestMigrations(t *testing.T) {
	want := schema(t, filepath.Join(fileOf(t, len(steps()))))
	for v := range steps() {
		t.Run(fmt.Sprintf("from version %d", v), func(t *testing.T) {
			path := fileOf(t, v)
			s, err := Open(path, Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if diff := cmp.Diff(want, schema(t, path)); diff != "" {
				t.Errorf("schema, new - migrated +:\n%s", diff)
			}
			if v > 0 {
				holds(t, s)
			}
			if err := s.Append(t.Context(), ledgertest.Receipt("next")); err != nil {
				t.Error(err)
			}
		})
	}
}

// holds tests for what fileOf stored.
func holds(t *testing.T, s *Store) {
	t.Helper()
	r, err := ledger.Verify(t.Context(), s, ledger.Check{})
	if err != nil || r.Receipts != 3 {
		t.Errorf("verify: %v, %+v; want 3 receipts", err, r)
	}
	found, err := s.Find(t.Context(), "signalled")
	if err != nil || len(found) != 1 || !found[0].Signals.GPC {
		t.Errorf("found %+v, %v", found, err)
	}
	got := map[string]int64{}
	err = s.Counts(t.Context(), func(c ledger.Count) error {
		got[fmt.Sprint(c.Day, " ", c.Site, " ", c.Event, " ", c.Signal, " ", c.Purpose)] += c.N
		return nil
	})
	want := map[string]int64{
		"2024-05-06 numfocus.org given none ":              2,
		"2024-05-06 numfocus.org given none statistics":    2,
		"2024-05-06 numfocus.org given dnt+gpc ":           1,
		"2024-05-06 numfocus.org given dnt+gpc statistics": 1,
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("counts: %v, want - got +:\n%s", err, diff)
	}
}

// fileOf makes a file of an earlier version with three receipts in it.
func fileOf(t *testing.T, version int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ledger.db")
	db, err := sql.Open("sqlite", path)
	must(t, err)
	defer db.Close()
	conn, err := db.Conn(context.Background())
	must(t, err)
	c := &connection{db: db, conn: conn, statements: map[string]*sql.Stmt{}}
	defer c.close()
	for range version {
		_, err := step(c, steps()[:version])
		must(t, err)
	}
	if version > 0 {
		must(t, begetOwn(c))
		fill(t, c, version)
	}
	return path
}

func fill(t *testing.T, c *connection, version int) {
	t.Helper()
	own, err := begin(c, time.Now)
	must(t, err)
	signalled := ledgertest.Receipt("signalled")
	signalled.Signals.GPC, signalled.Signals.DNT = true, '1'
	for _, r := range []ledger.Receipt{ledgertest.Receipt("a"), ledgertest.Receipt("b"), signalled} {
		must(t, own.appendReceipt(r))
	}
	if version < 3 {
		own.counts = nil // nobody counted yet
	}
	must(t, own.finish())
}

func schema(t *testing.T, path string) []string {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	must(t, err)
	defer db.Close()
	rows, err := db.Query("SELECT coalesce(sql, name) FROM sqlite_schema ORDER BY name")
	must(t, err)
	defer rows.Close()
	var all []string
	for rows.Next() {
		var s string
		must(t, rows.Scan(&s))
		all = append(all, s)
	}
	must(t, rows.Err())
	return all
}

func TestNewerFile(t *testing.T) {
	path := fileOf(t, len(steps()))
	db, err := sql.Open("sqlite", path)
	must(t, err)
	_, err = db.Exec("PRAGMA user_version = 99")
	must(t, err)
	must(t, db.Close())
	for _, readOnly := range []bool{false, true} {
		if _, err := Open(path, Options{ReadOnly: readOnly}); !errors.Is(err, errNewer) {
			t.Errorf("read-only %v: %v, want %v", readOnly, err, errNewer)
		}
	}
	if _, err := Open(fileOf(t, 1), Options{ReadOnly: true}); !errors.Is(err, errOlder) {
		t.Errorf("an older one: %v, want %v", err, errOlder)
	}
}

// TestDurability pins what a power failure would otherwise teach.
func TestDurability(t *testing.T) {
	c, err := connect(filepath.Join(t.TempDir(), "ledger.db"), Options{Busy: time.Second}, true)
	must(t, err)
	defer c.close()
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "secure_delete": "1"} {
		var got string
		must(t, c.conn.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got))
		if got != want {
			t.Errorf("%s is %s, want %s", pragma, got, want)
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
