package proxy_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// An origin that does not say what it sends, and sends little of it, is not
// waited for: what has arrived tells, and is sent on (as far as the charset is
// known).
func TestUntypedIsSentOnAsSoonAsItTells(t *testing.T) {
	for _, tt := range []struct{ name, first, rest, want string }{
		{"text", "working", " done", "working done"},
		{"html", "<!doctype html><html><head><meta charset=utf-8></head><body><p>First.</p>", `<script src="https://www.googletagmanager.com/gtag/js"></script>Last.</body></html>`, "First."},
		{"html after a pause in its first tag", "", "<ht|ml><meta charset=utf-8><body>First.</p>|<script src=https://www.googletagmanager.com/gtag/js></script>Last.", "First."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := newOrigin(t)
			more := make(chan struct{})
			o.handle = func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["Content-Type"] = nil
				_, _ = io.WriteString(w, tt.first)
				w.(http.Flusher).Flush()
				if tt.first != "" {
					<-more
				}
				for part := range strings.SplitSeq(tt.rest, "|") {
					_, _ = io.WriteString(w, part)
					w.(http.Flusher).Flush()
				}
			}
			g := o.gateway(t)
			res := g.do(t, g.request(t, http.MethodGet, "/", http.Header{"Sec-Fetch-Dest": {"document"}}))
			got := ""
			if tt.first != "" {
				got = readUntil(t, res.Body, strings.TrimSuffix(tt.want, " done"))
				close(more)
			}
			rest, err := io.ReadAll(res.Body)
			if err != nil {
				t.Fatal(err)
			}
			if got += string(rest); hasTracker(got) || !strings.Contains(got, tt.want) {
				t.Errorf("got %q", got)
			}
		})
	}
}
