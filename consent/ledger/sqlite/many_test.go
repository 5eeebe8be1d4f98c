package sqlite_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/numfocus/consentgate/consent/ledger"
	"github.com/numfocus/consentgate/consent/ledger/ledgertest"
	"github.com/numfocus/consentgate/consent/ledger/sqlite"
)

// BenchmarkMany does what an operator does to a ledger of many receipts, and
// says how much memory the process had at most meanwhile: it must not grow with
// the ledger. Run it with -benchtime 1x; CONSENTGATE_RECEIPTS=1000000 makes it
// a million.
func BenchmarkMany(b *testing.B) {
	receipts := 10_000
	if s := os.Getenv("CONSENTGATE_RECEIPTS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			b.Fatal(err)
		}
		receipts = n
	}
	path := filepath.Join(b.TempDir(), "ledger.db")
	s := open(b, path)
	many(b, s, receipts)
	for _, c := range []struct {
		name string
		do   func(*testing.B, *sqlite.Store) error
	}{
		{"verify", func(b *testing.B, s *sqlite.Store) error {
			_, err := ledger.Verify(b.Context(), s, ledger.Check{})
			return err
		}},
		{"stats", func(b *testing.B, s *sqlite.Store) error {
			_, err := ledger.Summarize(b.Context(), s, ledger.ByMonth)
			return err
		}},
		{"show", func(b *testing.B, s *sqlite.Store) error {
			_, err := s.Find(b.Context(), ledgertest.Record(receipts/2))
			return err
		}},
		{"export", func(b *testing.B, s *sqlite.Store) error { return ledger.Export(b.Context(), s, nowhere{}) }},
		{"backup", func(b *testing.B, s *sqlite.Store) error {
			return s.Backup(b.Context(), filepath.Join(b.TempDir(), "backup.db"))
		}},
		{"purge-half", func(b *testing.B, s *sqlite.Store) error {
			_, err := s.Purge(b.Context(), ledgertest.Time.Add(time.Duration(receipts/2)*time.Minute))
			return err
		}},
		{"verify-purged", func(b *testing.B, s *sqlite.Store) error {
			_, err := ledger.Verify(b.Context(), s, ledger.Check{})
			return err
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			resetPeak(b)
			for b.Loop() {
				if err := c.do(b, s); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(peak(b), "peak-MiB")
		})
	}
}

// many stores n receipts whose validity ends a minute after each other's.
func many(b *testing.B, s *sqlite.Store, n int) {
	b.Helper()
	c := ledger.Chain{Gateway: "g-many"}
	var links []ledger.Link
	tally := ledger.Tally{}
	for i := range n {
		r := ledgertest.Receipt(ledgertest.Record(i))
		r.ValidUntil = r.Time.Add(time.Duration(i) * time.Minute)
		l, err := c.AppendReceipt(r)
		if err != nil {
			b.Fatal(err)
		}
		tally.Add(r.Keys(c.Gateway)...)
		if links = append(links, l); len(links) == 5000 || i == n-1 {
			if err := s.Extend(b.Context(), links); err != nil {
				b.Fatal(err)
			}
			links = links[:0]
		}
	}
	for k, n := range tally {
		if err := s.PutCounts(b.Context(), []ledger.Count{{CountKey: k, N: n}}); err != nil {
			b.Fatal(err)
		}
	}
}

type nowhere struct{}

func (nowhere) Write(p []byte) (int, error) { return len(p), nil }

// resetPeak has Linux forget how much memory the process has had.
func resetPeak(b *testing.B) {
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		b.Skip("needs Linux's /proc to measure memory: ", err)
	}
}

// peak is the most memory that the process has had since, in MiB.
func peak(b *testing.B) float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		var kib float64
		if n, _ := fmt.Sscanf(line, "VmHWM: %f kB", &kib); n == 1 {
			return kib / 1024
		}
	}
	b.Fatal("no VmHWM in /proc/self/status")
	return 0
}
