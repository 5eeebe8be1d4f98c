package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/numfocus/consentgate/consent/ledger/sqlite"
	"github.com/numfocus/consentgate/consent/token"
	"github.com/numfocus/consentgate/proxy"
)

// BenchmarkChoice is what a visitor waits for after pressing Accept all: the
// whole request through a gateway, whose answer comes once the receipt would
// survive a power failure.
func BenchmarkChoice(b *testing.B) {
	for _, visitors := range []int{1, 16, 256} {
		b.Run(fmt.Sprintf("visitors=%d", visitors), func(b *testing.B) { benchmarkChoice(b, visitors) })
	}
}

func benchmarkChoice(b *testing.B, visitors int) {
	address := choiceServer(b)
	client := &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: visitors},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	took := make([]time.Duration, b.N)
	next := make(chan int)
	var all sync.WaitGroup
	for range visitors {
		all.Go(func() {
			for i := range next {
				start := time.Now()
				if err := accept(client, address); err != nil {
					b.Error(err)
				}
				took[i] = time.Since(start)
			}
		})
	}
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

func choiceServer(b *testing.B) (address string) {
	b.Helper()
	store, err := sqlite.Open(filepath.Join(b.TempDir(), "ledger.db"), sqlite.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { store.Close() })
	tokens, err := token.New([]token.Key{token.NewKey()})
	if err != nil {
		b.Fatal(err)
	}
	c := proxy.Config{Sites: []proxy.SiteConfig{{}}}
	c.Sites[0].Upstream.URL = "http://127.0.0.1:1" // nobody asks for the site
	g, err := proxy.New(c, proxy.Parts{Ledger: store, Tokens: tokens, Log: zerolog.Nop()})
	if err != nil {
		b.Fatal(err)
	}
	server := httptest.NewServer(g)
	b.Cleanup(server.Close)
	return server.URL
}

func accept(client *http.Client, address string) error {
	r, err := http.NewRequest(http.MethodPost, address+"/_consent/choice", strings.NewReader("choice=accept&revision=1"))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", address)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	res, err := client.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return err
	}
	if res.StatusCode != http.StatusSeeOther {
		return fmt.Errorf("choice: %s", res.Status)
	}
	return nil
}
