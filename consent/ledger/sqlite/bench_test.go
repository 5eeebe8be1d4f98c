package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/numfocus/consentgate/consent/ledger"
	"github.com/numfocus/consentgate/consent/ledger/ledgertest"
	"github.com/numfocus/consentgate/consent/ledger/sqlite"
)

// BenchmarkGrants compares the group commit with one commit for each receipt.
func BenchmarkGrants(b *testing.B) {
	for _, c := range []struct {
		name  string
		batch int
	}{{"group", 0}, {"single", 1}} {
		b.Run(c.name, func(b *testing.B) {
			ledgertest.Grants(b, func(t testing.TB) ledger.Store {
				s, err := sqlite.Open(filepath.Join(t.TempDir(), "ledger.db"), sqlite.Options{MaxBatch: c.batch})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { s.Close() })
				return s
			})
		})
	}
}
