package proxy_test

import (
	"io"
	"net/http"
	"testing"
)

// An origin that breaks off, after whichever byte, leaves a page that does not
// look whole and has nothing in it that is withheld.
func TestOriginBreaksOffAnywhere(t *testing.T) {
	for _, accepted := range []string{"", "gzip"} {
		o, n := newOrigin(t), 0
		o.handle = func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = io.WriteString(w, tracked[:n])
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}
		g := o.gateway(t)
		for ; n <= len(tracked); n++ {
			res, err := g.client.Do(g.request(t, http.MethodGet, "/", http.Header{"Accept-Encoding": {accepted}}))
			var page []byte
			if err == nil {
				page, err = io.ReadAll(res.Body)
				res.Body.Close()
			}
			if err == nil && res.StatusCode == http.StatusOK {
				t.Errorf("%d of %d bytes (%q) look whole", n, len(tracked), accepted)
			}
			if accepted == "" && hasTracker(string(page)) {
				t.Errorf("%d bytes: the tracker is there", n)
			}
		}
	}
}
