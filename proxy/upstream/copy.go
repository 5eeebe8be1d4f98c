package upstream

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// A Flush says when bytes are pushed to the visitor that have been written to
// the server's buffers.
type Flush uint8

const (
	// OnStall pushes when the origin has been silent for a few milliseconds:
	// nothing is held for long, and a steady stream is not cut into small
	// packets.
	OnStall Flush = iota
	// Always pushes after each read.
	Always
)

// FlushFor chooses for a response: event streams are pushed always.
func FlushFor(res *http.Response) Flush {
	for _, line := range res.Header["Content-Type"] {
		essence, _, _ := strings.Cut(line, ";")
		if strings.EqualFold(strings.TrimSpace(essence), "text/event-stream") {
			return Always
		}
	}
	return OnStall
}

const (
	copyBuffer = 32 << 10
	stall      = 3 * time.Millisecond
)

// CopyBody writes the body of res to w, after the caller wrote the header. It
// returns how many bytes went out and an [*Error] if that was not all: Truncated
// or Timeout where the origin broke off (then the caller must panic with
// http.ErrAbortHandler, or the visitor would take the part for the whole), and
// Canceled where the visitor is gone. It does not close the body.
//
// It sets no deadlines for writes: those belong to whoever owns the visitor's
// connection.
func CopyBody(w http.ResponseWriter, res *http.Response, f Flush) (int64, error) {
	if res.Body == nil || res.Body == http.NoBody {
		return 0, nil
	}
	c := copiers.Get().(*copier)
	defer copiers.Put(c)
	c.begin(w, f)
	n, err := c.copy(res.Body, res.ContentLength)
	c.end()
	return n, err
}

// copiers are pooled with their buffer and their timer.
var copiers = sync.Pool{New: func() any { return newCopier() }}

// A copier copies one body at a time. Its timer flushes from another goroutine,
// but only while the copying one waits for the origin.
type copier struct {
	buf   []byte
	timer *time.Timer

	mu      sync.Mutex
	w       http.ResponseWriter
	flush   Flush
	waiting bool // for the origin, with something to push
}

func newCopier() *copier {
	c := &copier{buf: make([]byte, copyBuffer)}
	c.timer = time.AfterFunc(time.Hour, c.stalled)
	c.timer.Stop()
	return c
}

func (c *copier) begin(w http.ResponseWriter, f Flush) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.w, c.flush = w, f
	if f == Always {
		flush(w) // the header, before the first event
		return
	}
	c.await()
}

func (c *copier) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.timer.Stop()
	c.waiting, c.w = false, nil
}

// await starts the clock for a flush; the lock is held.
func (c *copier) await() {
	c.waiting = true
	c.timer.Reset(stall)
}

func (c *copier) stalled() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.waiting {
		c.waiting = false
		flush(c.w)
	}
}

// flush pushes; an error shows at the next write.
func flush(w http.ResponseWriter) { _ = http.NewResponseController(w).Flush() }

func (c *copier) copy(body io.Reader, length int64) (written int64, err error) {
	for {
		n, readErr := body.Read(c.buf)
		if n > 0 {
			last := readErr == io.EOF || written+int64(n) == length
			if err := c.write(c.buf[:n], last); err != nil {
				return written, &Error{Kind: Canceled, Err: err}
			}
			written += int64(n)
		}
		switch {
		case readErr == io.EOF:
			return written, nil
		case readErr != nil:
			return written, bodyError(readErr)
		}
	}
}

// write passes a piece on, and starts the clock unless it is the last one.
func (c *copier) write(p []byte, last bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.timer.Stop()
	c.waiting = false
	if _, err := c.w.Write(p); err != nil {
		return err
	}
	switch {
	case last:
	case c.flush == Always:
		flush(c.w)
	default:
		c.await()
	}
	return nil
}

func bodyError(err error) error {
	var known *Error
	if errors.As(err, &known) {
		return known
	}
	return &Error{Kind: Truncated, Err: err}
}

// AnnounceTrailers adds the Trailer header for what res announced; call it
// before the header is written.
func AnnounceTrailers(h http.Header, res *http.Response) {
	var names []string
	for name := range res.Trailer {
		if trailing(name) {
			names = append(names, name)
		}
	}
	if len(names) > 0 {
		h["Trailer"] = []string{strings.Join(names, ", ")}
	}
}

// SendTrailers passes on the trailers of a body that was read to its end,
// announced or not; call it after CopyBody.
func SendTrailers(w http.ResponseWriter, res *http.Response) {
	if len(res.Trailer) == 0 {
		return
	}
	flush(w) // a short body would otherwise get a length, and no trailers
	h := w.Header()
	for name, lines := range res.Trailer {
		if trailing(name) && len(lines) > 0 {
			h[http.TrailerPrefix+name] = lines
		}
	}
}

// trailing reports whether a field may come after a body. What a browser acts on
// stays in the header, where it is filtered; digests are the exception.
func trailing(name string) bool {
	return !endToEnd(name) && name != "Trailer" && name != "Transfer-Encoding" || strings.HasSuffix(name, "-Digest")
}
