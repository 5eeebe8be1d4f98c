package serve

import (
	"io"
	"net"
	"net/http"
	"strconv"
)

// plainHandler answers visitors without TLS where there is TLS: challenges of
// an authority first, then what the Config says.
func (s *Server) plainHandler(secure []socket, certs *certificates, h Handlers) http.Handler {
	next := redirectTo(secure, certs.knows)
	if s.config.TLS.Plain == Serve {
		next = h.Site
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !certs.challenged(w, r) {
			next.ServeHTTP(w, r)
		}
	})
}

// redirectTo sends visitors of hosts that have TLS there, and nobody anywhere
// else: a Host is what the visitor says. It goes to the usual port, or, where
// the visitor has come to an unusual one, to the port of the socket.
func redirectTo(secure []socket, knows func(host string) bool) http.Handler {
	_, unusual, _ := port(secure)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, visited, err := net.SplitHostPort(r.Host)
		if err != nil {
			host, visited = r.Host, ""
		}
		host = canonical(host)
		if !knows(host) {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			w.WriteHeader(http.StatusMisdirectedRequest)
			_, _ = io.WriteString(w, "This host is not served here.\n")
			return
		}
		if visited != "" && visited != "80" && unusual != 0 {
			host = net.JoinHostPort(host, strconv.Itoa(unusual))
		}
		target := "https://" + host + r.URL.EscapedPath()
		if r.URL.RawQuery != "" || r.URL.ForceQuery {
			target += "?" + r.URL.RawQuery
		}
		w.Header().Set("Location", target)
		w.Header().Set("Cache-Control", "no-store") // the admin may change his mind
		w.WriteHeader(http.StatusPermanentRedirect)
	})
}
