package admin

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
)

// A Problem is something that keeps a gateway from being all it should be.
type Problem struct {
	What string `json:"what"` // "start", "stop", "ledger", "outbox", "origin", "configuration"
	Why  string `json:"why"`
	// Out says that visitors should be sent elsewhere. Most problems are no
	// reason to: a gateway that cannot store a grant, or whose origin is down,
	// still does more for a visitor than the load balancer's own error page.
	Out bool `json:"out"`
}

// readyz answers 200 where visitors may be sent here, and 503 where not. With
// ?strict any problem is a 503: that is for those who have several gateways that
// cannot all have the same problem. The body names the problems in either case.
func (p Parts) readyz(w http.ResponseWriter, r *http.Request) {
	problems := p.Problems(r.Context())
	ready := !slices.ContainsFunc(problems, func(p Problem) bool { return p.Out })
	if r.URL.Query().Has("strict") && len(problems) > 0 {
		ready = false
	}
	status := http.StatusOK
	if !ready {
		status = http.StatusServiceUnavailable
	}
	if strings.Contains(r.Header.Get("Accept"), "application/json") {
		writeJSON(w, status, struct {
			Ready    bool      `json:"ready"`
			Problems []Problem `json:"problems"`
		}{ready, append([]Problem{}, problems...)})
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	word := "ready"
	if !ready {
		word = "not ready"
	}
	_, _ = io.WriteString(w, word+"\n")
	for _, problem := range problems {
		fmt.Fprintf(w, "%s: %s\n", problem.What, problem.Why)
	}
}
