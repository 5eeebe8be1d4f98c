package proxy_test

import (
	"context"
	"io"
	"net/http"
	"sort"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/numfocus/consentgate/consent/ledger/ledgertest"
	"github.com/numfocus/consentgate/consent/token"
	"github.com/numfocus/consentgate/proxy"
	"github.com/numfocus/consentgate/proxy/admin"
	"github.com/numfocus/consentgate/proxy/upstream"
)

// BenchmarkMetered asks two gateways in turn, one of which has its metrics
// counted, and says how much longer half of its answers take.
func BenchmarkMetered(b *testing.B) {
	tokens, err := token.New([]token.Key{token.NewKey()})
	if err != nil {
		b.Fatal(err)
	}
	origin := newCheapOrigin(b)
	gateway := func(m proxy.Meter) *proxy.Gateway {
		g, err := proxy.New(proxy.Config{Sites: []proxy.SiteConfig{{Upstream: upstream.Config{URL: origin}}}},
			proxy.Parts{Ledger: ledgertest.New(), Tokens: tokens, Log: zerolog.New(io.Discard).Level(zerolog.WarnLevel), Meter: m})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { g.Close(context.Background()) })
		return g
	}
	pair := [2]*proxy.Gateway{gateway(nil), gateway(admin.NewMetrics(admin.Sources{}))}
	for name, path := range map[string]string{"seen": "/same", "asset": "/asset.js"} {
		b.Run(name, func(b *testing.B) {
			r, err := http.NewRequest("GET", "http://example.org"+path, nil)
			if err != nil {
				b.Fatal(err)
			}
			r.RemoteAddr, r.RequestURI = "192.0.2.1:1234", path
			r.Header = http.Header{"Accept": {"text/html"}, "Accept-Encoding": {"br"}, "Sec-Fetch-Dest": {"document"}}
			if name == "asset" {
				r.Header["Sec-Fetch-Dest"] = []string{"script"}
			}
			var took [2][]time.Duration
			for b.Loop() {
				for i, g := range pair {
					w := sink{header: http.Header{}}
					begun := time.Now()
					g.ServeHTTP(&w, r)
					took[i] = append(took[i], time.Since(begun))
				}
			}
			for _, list := range took {
				sort.Slice(list, func(i, j int) bool { return list[i] < list[j] })
			}
			half := len(took[0]) / 2
			b.ReportMetric(float64(took[0][half].Nanoseconds()), "plain-ns")
			b.ReportMetric(float64(took[1][half].Nanoseconds()), "metered-ns")
		})
	}
}
