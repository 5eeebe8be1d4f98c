package admin

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/pprof"

	"github.com/numfocus/consentgate/proxy/inventory"
)

// Parts are who knows the answers. All are called by many goroutines at once.
type Parts struct {
	// Problems are what is wrong at the moment, worst first.
	Problems func(context.Context) []Problem
	// Reload takes the configuration anew, and says what has changed; or why
	// nothing has.
	Reload func(context.Context) (said string, err error)
	// Inventory is what was seen on the sites.
	Inventory func() inventory.File
	Metrics   *Metrics
}

// New gives the handler of the operators' listener.
func New(c Config, p Parts) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		_, _ = io.WriteString(w, "ok\n")
	})
	mux.HandleFunc("GET /readyz", p.readyz)
	mux.Handle("GET /metrics", p.Metrics.handler())
	mux.HandleFunc("GET /inventory", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, p.Inventory()) })
	mux.HandleFunc("POST /reload", p.reload)
	if c.Profiling {
		mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
		mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	}
	// A page that somebody who runs the gateway looks at must not reload it.
	return http.NewCrossOriginProtection().Handler(mux)
}

func (p Parts) reload(w http.ResponseWriter, r *http.Request) {
	said, err := p.Reload(r.Context())
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	if err != nil {
		w.WriteHeader(http.StatusUnprocessableEntity)
		said = err.Error()
	}
	_, _ = io.WriteString(w, said+"\n") // whoever asked has gone
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	_ = enc.Encode(v) // whoever asked has gone
}
