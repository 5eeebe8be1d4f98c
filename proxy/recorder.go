package proxy

import (
	"io"
	"net/http"
)

// recorder remembers what was sent, for the log. It hides nothing of the
// ResponseWriter: http.ResponseController reaches through Unwrap, and ReadFrom
// keeps the kernel's own copying.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *recorder) WriteHeader(status int) {
	if status >= 200 && w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(p []byte) (int, error) {
	w.sent()
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	return n, err
}

func (w *recorder) ReadFrom(r io.Reader) (int64, error) {
	w.sent()
	n, err := io.Copy(w.ResponseWriter, r)
	w.bytes += n
	return n, err
}

func (w *recorder) sent() {
	if w.status == 0 {
		w.status = http.StatusOK
	}
}
