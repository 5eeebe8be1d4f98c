package proxy

import (
	"bytes"
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
	reuse     *reuse
	held      *bytes.Buffer // nil: nothing
	committed bool
}

func (l *lateWriter) Write(p []byte) (int, error) {
	if !l.committed && l.waiting()+len(p) <= lateMax {
		if l.held == nil {
			l.held = l.reuse.buffer()
		}
		return l.held.Write(p)
	}
	if err := l.commit(); err != nil {
		return 0, err
	}
	return l.w.Write(p)
}

// waiting is how many bytes are held.
func (l *lateWriter) waiting() int {
	if l.held == nil {
		return 0
	}
	return l.held.Len()
}

func (l *lateWriter) commit() error {
	if l.committed {
		return nil
	}
	l.committed = true
	l.w.WriteHeader(l.status)
	if l.held == nil {
		return nil
	}
	defer l.release()
	_, err := l.w.Write(l.held.Bytes())
	return err
}

func (l *lateWriter) release() {
	if l.held != nil {
		l.reuse.giveBack(l.held)
		l.held = nil
	}
}

func (l *lateWriter) flush() error {
	if err := l.commit(); err != nil {
		return err
	}
	return http.NewResponseController(l.w).Flush()
}

func (l *lateWriter) end() error {
	if !l.committed {
		l.w.Header().Set("Content-Length", strconv.Itoa(l.waiting()))
	}
	return l.commit()
}
