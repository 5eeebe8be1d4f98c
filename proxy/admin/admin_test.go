package admin_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/numfocus/consentgate/consent/ledger"
	"github.com/numfocus/consentgate/consent/ledger/ledgertest"
	"github.com/numfocus/consentgate/proxy/admin"
	"github.com/numfocus/consentgate/proxy/inventory"
)

func parts(m *admin.Metrics, problems ...admin.Problem) admin.Parts {
	return admin.Parts{
		Problems:  func(context.Context) []admin.Problem { return problems },
		Reload:    func(context.Context) (string, error) { return "done", nil },
		Inventory: func() inventory.File { return inventory.File{Version: 1} },
		Metrics:   m,
	}
}

func ask(t *testing.T, h http.Handler, method, target string, header ...string) (status int, body string) {
	t.Helper()
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func TestReadiness(t *testing.T) {
	full := admin.Problem{What: "ledger", Why: "grants cannot be stored: disk full"}
	going := admin.Problem{What: "stop", Why: "it ends what is under way", Out: true}
	for _, tt := range []struct {
		name     string
		problems []admin.Problem
		target   string
		status   int
		body     string
	}{
		{"all is well", nil, "/readyz", 200, "ready\n"},
		{"a ledger that stores nothing keeps nobody away", []admin.Problem{full}, "/readyz", 200, "ready\nledger: grants cannot be stored: disk full\n"},
		{"unless that is asked for", []admin.Problem{full}, "/readyz?strict", 503, "not ready\nledger: grants cannot be stored: disk full\n"},
		{"strict and well", nil, "/readyz?strict", 200, "ready\n"},
		{"one that stops wants nobody", []admin.Problem{going, full}, "/readyz", 503, "not ready\nstop: it ends what is under way\nledger: grants cannot be stored: disk full\n"},
		{"but lives", []admin.Problem{going, full}, "/healthz", 200, "ok\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := admin.New(admin.Config{}, parts(admin.NewMetrics(admin.Sources{}), tt.problems...))
			if status, body := ask(t, h, "GET", tt.target); status != tt.status || body != tt.body {
				t.Errorf("%d %q", status, body)
			}
		})
	}
	h := admin.New(admin.Config{}, parts(admin.NewMetrics(admin.Sources{}), full))
	_, body := ask(t, h, "GET", "/readyz", "Accept", "application/json")
	if want := `{
  "ready": true,
  "problems": [
    {
      "what": "ledger",
      "why": "grants cannot be stored: disk full",
      "out": false
    }
  ]
}
`; body != want {
		t.Errorf("as JSON:\n%s", body)
	}
}

func TestReload(t *testing.T) {
	p := parts(admin.NewMetrics(admin.Sources{}))
	h := admin.New(admin.Config{}, p)
	if status, body := ask(t, h, "POST", "/reload"); status != 200 || body != "done\n" {
		t.Errorf("%d %q", status, body)
	}
	if status, _ := ask(t, h, "GET", "/reload"); status != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", status)
	}
	// A page in the browser of somebody who runs the gateway.
	if status, _ := ask(t, h, "POST", "/reload", "Sec-Fetch-Site", "cross-site"); status != http.StatusForbidden {
		t.Errorf("from another site: %d", status)
	}
	p.Reload = func(context.Context) (string, error) { return "", errors.New("c.yaml:1:1: no\nc.yaml:2:1: no") }
	if status, body := ask(t, admin.New(admin.Config{}, p), "POST", "/reload"); status != http.StatusUnprocessableEntity || body != "c.yaml:1:1: no\nc.yaml:2:1: no\n" {
		t.Errorf("%d %q", status, body)
	}
}

func TestProfilingHasToBeAskedFor(t *testing.T) {
	m := admin.NewMetrics(admin.Sources{})
	for profiling, want := range map[bool]int{false: 404, true: 200} {
		h := admin.New(admin.Config{Profiling: profiling}, parts(m))
		for _, path := range []string{"/debug/pprof/", "/debug/pprof/goroutine?debug=1", "/debug/pprof/cmdline"} {
			if status, _ := ask(t, h, "GET", path); status != want {
				t.Errorf("%s: %d, want %d", path, status, want)
			}
		}
	}
}

// scrape reads the answer of /metrics: series with their values, as text.
func scrape(t *testing.T, m *admin.Metrics) map[string]string {
	t.Helper()
	_, body := ask(t, admin.New(admin.Config{}, parts(m)), "GET", "/metrics")
	series := map[string]string{}
	for scan := bufio.NewScanner(strings.NewReader(body)); scan.Scan(); {
		line := scan.Text()
		if cut := strings.LastIndexByte(line, ' '); cut > 0 && line[0] != '#' {
			series[line[:cut]] = line[cut+1:]
		}
	}
	return series
}

func TestMetrics(t *testing.T) {
	totals := map[string][]inventory.Total{"main": {{Kind: "script", Service: "ga", Withheld: 100, Passed: 7}}}
	m := admin.NewMetrics(admin.Sources{
		Version:   "v1",
		Open:      func() (int, int) { return 3, 2 },
		Memo:      func() admin.Memo { return admin.Memo{Hits: 5, Bytes: 1000} },
		Sightings: func() map[string][]inventory.Total { return totals },
		Ledger:    func(context.Context) error { return errors.New("disk full") },
		Outbox:    func() (admin.Outbox, bool) { return admin.Outbox{Pending: 12, Last: time.Unix(1000, 0)}, true },
		Origins:   func() []admin.Origin { return []admin.Origin{{Site: "main", URL: "http://o", Up: true, Requests: 4}} },
		Certificates: func() []admin.Certificate {
			return []admin.Certificate{{Name: "a.example", NotAfter: time.Unix(2000, 0)}}
		},
	})
	m.Request("main", "page", "undecided", 200, 100, 30*time.Millisecond)
	m.Request("main", "page", "undecided", 299, 100, 30*time.Millisecond)
	m.Request("", "refused", "none", 421, 10, 0)
	m.Request("main", "page", "undecided", 0, 0, 0) // cut before its header
	m.Origin("main", "2xx", time.Second)
	m.Edited(1000, time.Millisecond)
	m.Edited(500, 0)
	m.Withheld("main", "scripts", 3)
	m.Overloaded()
	m.Panicked("watch")
	m.Reloaded(false, time.Unix(5000, 0))
	totals["main"][0].Withheld = 104
	got := scrape(t, m)
	for series, want := range map[string]string{
		`consentgate_requests_total{decision="undecided",route="page",site="main",status="2xx"}`:  "2",
		`consentgate_requests_total{decision="undecided",route="page",site="main",status="none"}`: "1",
		`consentgate_requests_total{decision="none",route="refused",site="",status="4xx"}`:        "1",
		`consentgate_response_bytes_total{site="main"}`:                                           "200",
		`consentgate_request_duration_seconds_count{site="main"}`:                                 "3",
		`consentgate_origin_answers_total{outcome="2xx",site="main"}`:                             "1",
		`consentgate_edited_pages_total{way="whole"}`:                                             "1",
		`consentgate_edited_pages_total{way="stream"}`:                                            "1",
		`consentgate_edited_bytes_total`:                                                          "1500",
		`consentgate_edit_duration_seconds_count`:                                                 "1",
		`consentgate_withheld_total{kind="scripts",site="main"}`:                                  "3",
		`consentgate_overloaded_total`:                                                            "1",
		`consentgate_bugs_total{where="watch"}`:                                                   "1",
		`consentgate_reload_ok`:                                                                   "0",
		`consentgate_reloads_total{outcome="failed"}`:                                             "1",
		`consentgate_requests_open`:                                                               "3",
		`consentgate_websockets_open`:                                                             "2",
		`consentgate_memo_hits_total`:                                                             "5",
		`consentgate_memo_bytes`:                                                                  "1000",
		`consentgate_sightings_total{kind="script",outcome="withheld",service="ga",site="main"}`:  "4",
		`consentgate_sightings_total{kind="script",outcome="passed",service="ga",site="main"}`:    "0",
		`consentgate_ledger_writable`:                                                             "0",
		`consentgate_outbox_pending`:                                                              "12",
		`consentgate_outbox_working`:                                                              "0",
		`consentgate_outbox_shipped_timestamp_seconds`:                                            "1000",
		`consentgate_origin_up{origin="http://o",site="main"}`:                                    "1",
		`consentgate_origin_requests_open{origin="http://o",site="main"}`:                         "4",
		`consentgate_certificate_expiry_timestamp_seconds{name="a.example"}`:                      "2000",
	} {
		if got[series] != want {
			t.Errorf("%s is %q, want %s", series, got[series], want)
		}
	}
	if _, ok := got["go_goroutines"]; !ok {
		t.Error("nothing of the Go runtime")
	}
	// What the inventory forgets must not look like a restart.
	totals["main"][0].Withheld = 10
	scrape(t, m)
	totals["main"][0].Withheld = 11
	if got := scrape(t, m)[`consentgate_sightings_total{kind="script",outcome="withheld",service="ga",site="main"}`]; got != "5" {
		t.Errorf("after a fall: %s, want 5", got)
	}
}

func TestLedgerIsCounted(t *testing.T) {
	m := admin.NewMetrics(admin.Sources{})
	store := m.Counted(ledgertest.New())
	ctx := context.Background()
	if _, err := store.Find(ctx, "nobody"); !errors.Is(err, ledger.ErrNotFound) {
		t.Fatal(err)
	}
	if err := store.Append(ctx, ledger.Receipt{}); err == nil {
		t.Fatal("an empty receipt is stored")
	}
	got := scrape(t, m)
	for series, want := range map[string]string{
		`consentgate_ledger_errors_total{operation="append"}`: "1",
		`consentgate_ledger_errors_total{operation="find"}`:   "0",
		`consentgate_receipts_total{event="given"}`:           "0",
		`consentgate_ledger_append_duration_seconds_count`:    "1",
	} {
		if got[series] != want {
			t.Errorf("%s is %q, want %s", series, got[series], want)
		}
	}
}

// TestNoStatusMakesASeries expects the odd statuses of an origin to add nothing.
func TestNoStatusMakesASeries(t *testing.T) {
	m := admin.NewMetrics(admin.Sources{})
	for status := -10; status < 1200; status++ {
		m.Request("main", "page", "undecided", status, 0, 0)
	}
	n := 0
	for series := range scrape(t, m) {
		if strings.HasPrefix(series, "consentgate_requests_total") {
			n++
		}
	}
	if n > 6 {
		t.Errorf("%d series", n)
	}
}

// TestNamesSayTheirUnits expects names and units as Prometheus has them.
func TestNamesSayTheirUnits(t *testing.T) {
	m := admin.NewMetrics(admin.Sources{})
	_, body := ask(t, admin.New(admin.Config{}, parts(m)), "GET", "/metrics")
	for line := range strings.Lines(body) {
		var name, kind string
		if n, _ := fmt.Sscanf(line, "# TYPE %s %s", &name, &kind); n != 2 || !strings.HasPrefix(name, "consentgate_") {
			continue
		}
		if total := strings.HasSuffix(name, "_total"); total != (kind == "counter") {
			t.Errorf("%s is a %s", name, kind)
		}
		if kind == "histogram" && !strings.HasSuffix(name, "_seconds") {
			t.Errorf("%s has no unit", name)
		}
	}
}

func BenchmarkRequest(b *testing.B) {
	m := admin.NewMetrics(admin.Sources{})
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			m.Request("main", "page", "undecided", 200, 20_000, 3*time.Millisecond)
			m.Origin("main", "2xx", time.Millisecond)
			m.Withheld("main", "scripts", 3)
		}
	})
}
