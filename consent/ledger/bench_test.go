package ledger_test

import (
	"testing"

	"github.com/numfocus/consentgate/consent/ledger"
	"github.com/numfocus/consentgate/consent/ledger/ledgertest"
)

// BenchmarkVerify is the work on one entry, the store aside.
func BenchmarkVerify(b *testing.B) {
	s := ledgertest.New()
	const entries = 1000
	for i := range entries {
		must(b, s.Append(b.Context(), ledgertest.Receipt(ledgertest.Record(i))))
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ledger.Verify(b.Context(), s, ledger.Check{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/entries, "ns/entry")
}
