package ledgertest

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/numfocus/consentgate/consent/ledger"
)

// Grants benchmarks durable grants from 1, 16 and 256 clients at a time and
// reports how many there are in a second and how long the slowest hundredth
// took.
func Grants(b *testing.B, open func(testing.TB) ledger.Store) {
	for _, clients := range []int{1, 16, 256} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) { grants(b, open(b), clients) })
	}
}

func grants(b *testing.B, s ledger.Store, clients int) {
	took := make([]time.Duration, b.N)
	next := make(chan int)
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			for i := range next {
				start := time.Now()
				if err := s.Append(b.Context(), Receipt(Record(i))); err != nil {
					b.Error(err)
				}
				took[i] = time.Since(start)
			}
		})
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		next <- i
	}
	close(next)
	all.Wait()
	b.StopTimer()
	slices.Sort(took)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "grants/s")
	b.ReportMetric(float64(took[b.N*99/100].Microseconds())/1000, "p99-ms")
	b.ReportMetric(0, "ns/op")
}
