package postgres

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/numfocus/consentgate/consent/ledger"
	"github.com/numfocus/consentgate/consent/ledger/ledgertest"
)

// TestOutboxPutBack puts the outbox back from an older copy, as a restored
// virtual machine does, and goes on.
func TestOutboxPutBack(t *testing.T) {
	url := running(t).Database(t)
	dir := t.TempDir()
	older, path := filepath.Join(dir, "older.db"), filepath.Join(dir, "ledger.db")
	grant(t, url, older, 0, 5)
	copyFile(t, older, path)
	grant(t, url, path, 5, 10)
	grant(t, url, older, 10, 13) // diverges from what the other has shipped
	copyFile(t, path, filepath.Join(dir, "again.db"))
	grant(t, url, path, 13, 15)
	grant(t, url, filepath.Join(dir, "again.db"), 15, 15) // nothing new, only behind
	grant(t, url, filepath.Join(dir, "again.db"), 15, 16)

	l := open(t, url)
	onceEach(t, l, 16)
}

// TestFreshDatabase loses the whole database.
func TestFreshDatabase(t *testing.T) {
	url := running(t).Database(t)
	path := filepath.Join(t.TempDir(), "ledger.db")
	l := openAt(t, url, path)
	must(t, l.PutNotice(t.Context(), ledgertest.Notice()))
	for n := range 10 {
		must(t, l.Append(t.Context(), ledgertest.Receipt(ledgertest.Record(n))))
	}
	must(t, l.ship.flush(t.Context()))
	own, err := l.outbox.Own(t.Context())
	must(t, err)
	must(t, l.outbox.Trim(t.Context(), own.Gateway, 4))
	must(t, l.Close())
	db := connect(t, url)
	defer db.Close()
	_, err = db.Exec("TRUNCATE consentgate_chain, consentgate_entry, consentgate_payload, consentgate_notice, consentgate_count")
	must(t, err)

	l = openAt(t, url, path)
	must(t, l.Append(t.Context(), ledgertest.Receipt(ledgertest.Record(10))))
	must(t, l.ship.flush(t.Context()))
	r, err := ledger.Verify(t.Context(), l, ledger.Check{})
	must(t, err)
	if r.Receipts != 7 || r.Notices != 1 || r.Chains[0].Base.Seq != 0 {
		t.Errorf("report %+v, want the 7 receipts of the outbox in a whole chain", r)
	}
	if l.Shipping().Renewed == "" {
		t.Error("a new chain was begun, and nobody is told")
	}
}

// grant appends records from to to, through the outbox at path, and ships them.
func grant(t *testing.T, url, path string, from, to int) {
	t.Helper()
	l := openAt(t, url, path)
	for n := from; n < to; n++ {
		must(t, l.Append(t.Context(), ledgertest.Receipt(ledgertest.Record(n))))
	}
	must(t, l.ship.flush(t.Context()))
	must(t, l.Close())
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	must(t, err)
	must(t, os.WriteFile(to, data, 0o600))
}
