package serve

import "net/http"

// secureHandler adds what visitors with TLS are told about it, in place of what
// the origin may say: it does not know how visitors come.
func (s *Server) secureHandler(site http.Handler, quic *quicDoor) http.Handler {
	hsts := s.config.TLS.HSTS.header()
	if hsts == "" && quic == nil {
		return site
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		secured := &securedWriter{ResponseWriter: w, rc: http.NewResponseController(w), tell: func(h http.Header) {
			if hsts != "" {
				h["Strict-Transport-Security"] = []string{hsts}
			}
			if quic != nil {
				quic.announce(h)
			}
		}}
		site.ServeHTTP(secured, r)
		secured.last() // where nothing was written, the server will
	})
}

// A securedWriter changes the header in the last moment.
type securedWriter struct {
	http.ResponseWriter
	rc   *http.ResponseController
	tell func(http.Header)
	told bool
}

func (w *securedWriter) WriteHeader(status int) {
	if status >= http.StatusOK {
		w.last()
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *securedWriter) Write(p []byte) (int, error) {
	w.last()
	return w.ResponseWriter.Write(p)
}

// last is the last moment.
func (w *securedWriter) last() {
	if !w.told {
		w.told = true
		w.tell(w.Header())
	}
}

// FlushError is what http.ResponseController calls.
func (w *securedWriter) FlushError() error {
	w.last()
	return w.rc.Flush()
}

// Flush serves callers that look for an http.Flusher; an error shows at the
// next write.
func (w *securedWriter) Flush() { _ = w.FlushError() }

func (w *securedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
