package postgres

import (
	"bytes"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"github.com/numfocus/consentgate/consent/ledger"
	"github.com/numfocus/consentgate/consent/ledger/ledgertest"
	"github.com/numfocus/consentgate/consent/ledger/sqlite"
)

func TestContract(t *testing.T) {
	c := running(t)
	ledgertest.Run(t, func(t testing.TB) ledger.Store { return open(t, c.Database(t)) })
}

// open opens the ledger of a new gateway.
func open(t testing.TB, url string) *Ledger {
	t.Helper()
	return openAt(t, url, filepath.Join(t.TempDir(), "ledger.db"))
}

func openAt(t testing.TB, url, path string) *Ledger {
	t.Helper()
	outbox, err := sqlite.Open(path, sqlite.Options{})
	must(t, err)
	l, err := Open(Config{URL: url}, outbox)
	must(t, err)
	t.Cleanup(func() { l.Close() })
	return l
}

// TestTwoGateways has two gateways put 10,000 receipts into one database.
func TestTwoGateways(t *testing.T) {
	const each, clients = 5000, 64
	url := running(t).Database(t)
	gateways := []*Ledger{open(t, url), open(t, url)}
	var all sync.WaitGroup
	for g, l := range gateways {
		must(t, l.PutNotice(t.Context(), ledgertest.Notice()))
		for c := range clients {
			all.Go(func() {
				for n := c; n < each; n += clients {
					if err := l.Append(t.Context(), ledgertest.Receipt(ledgertest.Record(g*each+n))); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	all.Wait()
	for _, l := range gateways {
		must(t, l.ship.flush(t.Context()))
	}
	// Either can erase what the other wrote.
	must(t, gateways[0].Erase(t.Context(), ledgertest.Record(each)))
	must(t, gateways[1].Erase(t.Context(), ledgertest.Record(0)))

	var exports [2]bytes.Buffer
	for g, l := range gateways {
		r, err := ledger.Verify(t.Context(), l, ledger.Check{})
		must(t, err)
		if r.Receipts != 2*each-2 || r.Erased != 2 || len(r.Chains) != 2 || r.Unkept != 0 {
			t.Errorf("gateway %d: %+v", g, r)
		}
		must(t, ledger.Export(t.Context(), l, &exports[g]))
	}
	if exports[0].Len() == 0 || !bytes.Equal(exports[0].Bytes(), exports[1].Bytes()) {
		t.Errorf("the gateways export %d and %d bytes that differ", exports[0].Len(), exports[1].Len())
	}
}

func TestMigrations(t *testing.T) {
	c := running(t)
	for v := range steps() {
		t.Run(fmt.Sprintf("from version %d", v), func(t *testing.T) {
			url := c.Database(t)
			db := connect(t, url)
			defer db.Close()
			must(t, migrate(t.Context(), db, v))
			l := open(t, url)
			must(t, l.Append(t.Context(), ledgertest.Receipt("a")))
			must(t, l.PutNotice(t.Context(), ledgertest.Notice()))
			must(t, l.ship.flush(t.Context()))
			r, err := ledger.Verify(t.Context(), l, ledger.Check{})
			must(t, err)
			if r.Receipts != 1 || r.Notices != 1 {
				t.Errorf("report %+v", r)
			}
		})
	}
	t.Run("from a newer one", func(t *testing.T) {
		url := c.Database(t)
		db := connect(t, url)
		defer db.Close()
		must(t, migrate(t.Context(), db, len(steps())))
		_, err := db.Exec("UPDATE consentgate_schema SET version = 99")
		must(t, err)
		l := open(t, url)
		must(t, l.Append(t.Context(), ledgertest.Receipt("a"))) // kept in the outbox
		if err := l.ship.flush(t.Context()); err == nil {
			t.Error("shipped into a newer schema")
		}
	})
}
