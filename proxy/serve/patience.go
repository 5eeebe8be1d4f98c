package serve

import (
	"io"
	"net/http"
	"time"
)

// guard is what stands around the handler for visitors. It closes connections
// on which the next request might not begin where the visitor thinks it does,
// and gives slow bodies and, in HTTP/2, slow readers their time.
func guard(next http.Handler, c Config) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if ambiguous(r) {
			w.Header()["Connection"] = []string{"close"}
		}
		if r.Body != nil && r.Body != http.NoBody {
			r.Body = &patientBody{ReadCloser: r.Body, rc: http.NewResponseController(w), patient: c.ReadTimeout}
		}
		if r.ProtoMajor > 1 {
			w = &patientWriter{ResponseWriter: w, rc: http.NewResponseController(w), patient: c.WriteTimeout}
		}
		next.ServeHTTP(w, r)
	})
}

// ambiguous reports whether a request's length could have been read in another
// way by a proxy in front: net/http drops a Content-Length beside a
// Transfer-Encoding, and a Transfer-Encoding in HTTP/1.0, without a trace, and
// RFC 9112 section 6.1 wants such a connection closed. Browsers send neither.
func ambiguous(r *http.Request) bool {
	return r.ProtoMajor == 1 && (r.ProtoMinor == 0 || len(r.TransferEncoding) > 0)
}

// A deadline moves on as long as something happens, at most once in a quarter
// of its time.
type deadline struct{ until time.Time }

func (d *deadline) extend(patient time.Duration, set func(time.Time) error) {
	now := time.Now()
	if d.until.Sub(now) > patient-patient/4 {
		return
	}
	d.until = now.Add(patient)
	_ = set(d.until) // fails on a closed connection, which the read or write tells
}

// A patientBody fails once the visitor has been silent for too long. At its end
// the server lifts the deadline to wait for the visitor to go away, so a reader
// who asks again must not set another.
type patientBody struct {
	io.ReadCloser
	rc       *http.ResponseController
	patient  time.Duration
	deadline deadline
	ended    bool
}

func (b *patientBody) Read(p []byte) (int, error) {
	if !b.ended {
		b.deadline.extend(b.patient, b.rc.SetReadDeadline)
	}
	n, err := b.ReadCloser.Read(p)
	b.ended = b.ended || err != nil
	return n, err
}

// A patientWriter does for one stream of HTTP/2 what conn does for a connection:
// a visitor who opens no window blocks the stream and not the connection.
type patientWriter struct {
	http.ResponseWriter
	rc       *http.ResponseController
	patient  time.Duration
	deadline deadline
}

func (w *patientWriter) Write(p []byte) (int, error) {
	w.deadline.extend(w.patient, w.rc.SetWriteDeadline)
	return w.ResponseWriter.Write(p)
}

// FlushError is what http.ResponseController calls.
func (w *patientWriter) FlushError() error {
	w.deadline.extend(w.patient, w.rc.SetWriteDeadline)
	return w.rc.Flush()
}

// Flush serves callers that look for an http.Flusher; an error shows at the
// next write.
func (w *patientWriter) Flush() { _ = w.FlushError() }

func (w *patientWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
