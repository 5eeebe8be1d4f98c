package proxy

import (
	"net/http"
	"strconv"
)

// lateMax is how much of a page waits for its end before the header is sent
// without a length.
const lateMax = 64 << 10

// A lateWriter sends the header with the first bytes that cannot wait: a body
// that ends before gets its length, and the header can still change.
type lateWriter struct {
	w         http.ResponseWriter
	status    int
	held      []byte
	committed bool
}

func (l *lateWriter) Write(p []byte) (int, error) {
	if !l.committed && len(l.held)+len(p) <= lateMax {
		l.held = append(l.held, p...)
		return len(p), nil
	}
	if err := l.commit(); err != nil {
		return 0, err
	}
	return l.w.Write(p)
}

func (l *lateWriter) commit() error {
	if l.committed {
		return nil
	}
	l.committed = true
	l.w.WriteHeader(l.status)
	_, err := l.w.Write(l.held)
	l.held = nil
	return err
}

func (l *lateWriter) flush() error {
	if err := l.commit(); err != nil {
		return err
	}
	return http.NewResponseController(l.w).Flush()
}

func (l *lateWriter) end() error {
	if !l.committed {
		l.w.Header().Set("Content-Length", strconv.Itoa(len(l.held)))
	}
	return l.commit()
}
