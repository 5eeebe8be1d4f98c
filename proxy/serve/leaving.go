package serve

import (
	"net/http"
	"sync/atomic"
)

// leaving has answers say "Connection: close" once the process is about to go.
// HTTP/2 has its own way, which http.Server.Shutdown takes.
type leaving struct{ begun atomic.Bool }

func (l *leaving) begin() { l.begun.Store(true) }

func (l *leaving) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if l.begun.Load() && r.ProtoMajor == 1 {
			w.Header()["Connection"] = []string{"close"}
		}
		next.ServeHTTP(w, r)
	})
}
