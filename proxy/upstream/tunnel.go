package upstream

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Tunnels are the WebSockets that are open, which http.Server knows nothing of
// once they are hijacked. The zero value is ready; it is safe for concurrent
// use.
type Tunnels struct {
	mu      sync.Mutex
	open    map[*tunnel]struct{}
	closing bool
	ended   chan struct{} // closed when closing and nothing is open
}

var errClosing = errors.New("the gateway is shutting down")

// Serve answers the visitor with the 101 of res and the header in w, and carries
// bytes both ways until one side ends, nobody has spoken for the tunnel timeout,
// or Close is called. If it returns an error nothing has been written to w. It
// closes res.Body in any case.
func (ts *Tunnels) Serve(w http.ResponseWriter, res *http.Response) error {
	origin, ok := res.Body.(*switched)
	if !ok {
		_ = res.Body.Close()
		return errors.New("open a tunnel: the response is not a 101 of RoundTrip")
	}
	t := &tunnel{origin: origin}
	if !ts.add(t) {
		_ = origin.Close()
		return &Error{Kind: Busy, Err: errClosing}
	}
	defer ts.remove(t)
	defer t.close()
	client, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return fmt.Errorf("open a tunnel: %w", err)
	}
	t.setClient(client)
	if writeSwitch(buffered.Writer, w.Header()) == nil {
		t.run(buffered.Reader)
	}
	return nil
}

// switched is the body of a 101: the connection to the origin.
type switched struct {
	io.ReadWriteCloser
	idle  time.Duration
	leave func() // gives up the place at the origin
}

func (s *switched) Close() error {
	err := s.ReadWriteCloser.Close()
	s.leave()
	return err
}

func writeSwitch(b *bufio.Writer, h http.Header) error {
	h["Connection"] = []string{"Upgrade"}
	h["Upgrade"] = []string{"websocket"}
	_, _ = b.WriteString("HTTP/1.1 101 Switching Protocols\r\n") // the error comes with Flush
	_ = h.Write(b)
	_, _ = b.WriteString("\r\n")
	return b.Flush()
}

func (ts *Tunnels) add(t *tunnel) bool {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if ts.closing {
		return false
	}
	if ts.open == nil {
		ts.open = map[*tunnel]struct{}{}
	}
	ts.open[t] = struct{}{}
	return true
}

func (ts *Tunnels) remove(t *tunnel) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	delete(ts.open, t)
	if ts.closing && len(ts.open) == 0 {
		close(ts.ended)
	}
}

// Len is the number of open tunnels, for metrics.
func (ts *Tunnels) Len() int {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	return len(ts.open)
}

// Close tells every visitor that the gateway goes away (a WebSocket close frame
// with status 1001), waits for them to end until ctx is done, and then cuts what
// is left. No tunnel is opened after it was called. Only the first call counts.
func (ts *Tunnels) Close(ctx context.Context) {
	open, first := ts.startClosing()
	if !first {
		return
	}
	for _, t := range open {
		go t.tell()
	}
	select {
	case <-ts.ended:
	case <-ctx.Done():
		for _, t := range open {
			t.close()
		}
	}
}

func (ts *Tunnels) startClosing() (open []*tunnel, first bool) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if ts.closing {
		return nil, false
	}
	ts.closing, ts.ended = true, make(chan struct{})
	for t := range ts.open {
		open = append(open, t)
	}
	if len(open) == 0 {
		close(ts.ended)
	}
	return open, true
}

// A tunnel is one WebSocket.
type tunnel struct {
	origin *switched
	last   atomic.Int64 // when a byte went either way, Unix nanoseconds

	conns    sync.Mutex // not held while anything is written
	client   net.Conn
	watchdog *time.Timer
	closed   bool

	mu     sync.Mutex // held while something is written to the visitor
	frames frames
	open   bool // the visitor has the 101
	going  bool // the visitor is to be told
	told   bool
}

func (t *tunnel) setClient(c net.Conn) {
	t.conns.Lock()
	defer t.conns.Unlock()
	t.client = c
	if t.closed {
		_ = c.Close()
	}
}

func (t *tunnel) close() {
	t.conns.Lock()
	defer t.conns.Unlock()
	if t.closed {
		return
	}
	t.closed = true
	if t.watchdog != nil {
		t.watchdog.Stop()
	}
	_ = t.origin.Close()
	if t.client != nil {
		_ = t.client.Close()
	}
}

// run ends when either direction ends; nothing of a WebSocket is left to say
// then.
func (t *tunnel) run(fromClient io.Reader) {
	t.touch()
	t.watch()
	t.begin()
	done := make(chan struct{})
	go func() {
		defer close(done)
		t.pump(fromClient, t.origin.Write)
		t.close()
	}()
	t.pump(t.origin, t.writeClient)
	t.close()
	<-done
}

// watch closes the tunnel once nobody has spoken for long enough.
func (t *tunnel) watch() {
	left := t.origin.idle - time.Since(time.Unix(0, t.last.Load()))
	if left <= 0 {
		t.close()
		return
	}
	t.conns.Lock()
	defer t.conns.Unlock()
	if !t.closed {
		t.watchdog = time.AfterFunc(left, t.watch)
	}
}

// tunnelBuffer is small because most WebSockets are silent most of the time.
const tunnelBuffer = 8 << 10

func (t *tunnel) pump(from io.Reader, to func([]byte) (int, error)) {
	buf := make([]byte, tunnelBuffer)
	for {
		n, err := from.Read(buf)
		t.touch()
		if n > 0 {
			if _, err := to(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (t *tunnel) touch() { t.last.Store(time.Now().UnixNano()) }

// writeClient passes on what the origin says; once the visitor has been told
// that this is the end, nothing more.
func (t *tunnel) writeClient(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.told {
		return len(p), nil
	}
	boundary := t.frames.advance(p)
	if !t.going || boundary < 0 {
		return t.client.Write(p)
	}
	if _, err := t.client.Write(p[:boundary]); err != nil {
		return 0, err
	}
	return len(p), t.sayGoodbye()
}

// begin marks the point from which frames may be sent.
func (t *tunnel) begin() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.open = true
	if t.going {
		_ = t.sayGoodbye()
	}
}

// tell says goodbye now, or after the frame that is on its way.
func (t *tunnel) tell() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.going = true
	if t.open && t.frames.between() && !t.told {
		_ = t.sayGoodbye()
	}
}

// sayGoodbye sends a close frame with status 1001, "going away" (RFC 6455
// sections 5.5.1 and 7.4.1). The visitor's answer goes to the origin.
func (t *tunnel) sayGoodbye() error {
	t.told = true
	_, err := t.client.Write([]byte{0x88, 2, 1001 >> 8, 1001 & 0xff})
	return err
}
