package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/numfocus/consentgate/proxy/inventory"
)

// ops answers those who run the gateway: is it alive, is it ready for visitors,
// how is it doing. It is not for visitors, and listens on an address of its own.
type ops struct {
	started time.Time
	ledger  func(context.Context) error // why grants cannot be stored, or nil
	ready   atomic.Bool

	inventory func() inventory.File // what was seen on the sites
}

func (o *ops) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "ok\n")
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if !o.ready.Load() {
			http.Error(w, "not ready", http.StatusServiceUnavailable)
			return
		}
		// The site is served all the same; it is consent that cannot be given.
		if err := o.ledger(r.Context()); err != nil {
			http.Error(w, "grants cannot be stored: "+err.Error(), http.StatusServiceUnavailable)
			return
		}
		io.WriteString(w, "ready\n")
	})
	mux.HandleFunc("GET /metrics", o.metrics)
	mux.HandleFunc("GET /inventory", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		_ = writeJSON(w, o.inventory()) // whoever asked has gone
	})
	return mux
}

// metrics writes the Prometheus text format.
func (o *ops) metrics(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	fmt.Fprintf(w, `# HELP consentgate_build_info Version of the program; always 1.
# TYPE consentgate_build_info gauge
consentgate_build_info{version=%q,go=%q} 1
# HELP consentgate_start_time_seconds When the program started, in seconds since the epoch.
# TYPE consentgate_start_time_seconds gauge
consentgate_start_time_seconds %d
# HELP consentgate_goroutines Goroutines that exist.
# TYPE consentgate_goroutines gauge
consentgate_goroutines %d
# HELP consentgate_heap_bytes Bytes of live heap objects.
# TYPE consentgate_heap_bytes gauge
consentgate_heap_bytes %d
`, buildVersion(), runtime.Version(), o.started.Unix(), runtime.NumGoroutine(), mem.HeapAlloc)
}
