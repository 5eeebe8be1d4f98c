package serve

import (
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// A listener accepts no more connections at a time than it has slots, and
// makes each of them one that no visitor can block for ever.
type listener struct {
	net.Listener
	slots   chan struct{} // shared by all listeners for visitors
	patient time.Duration
	stop    chan struct{}
	once    sync.Once
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case l.slots <- struct{}{}:
	case <-l.stop:
		return nil, net.ErrClosed
	}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.slots
		return nil, err
	}
	return &conn{Conn: c, slots: l.slots, patient: l.patient}, nil
}

func (l *listener) Close() error {
	l.once.Do(func() { close(l.stop) })
	return l.Listener.Close()
}

// A conn is a visitor's connection. A write on it fails once the visitor has
// taken no byte for the write timeout, however long the whole takes: a timeout
// for whole responses would end every download and event stream.
type conn struct {
	net.Conn
	slots   chan struct{}
	patient time.Duration
	until   atomic.Int64 // when the deadline that is set expires, Unix nanoseconds
	closed  sync.Once
	gone    func() // told when a hijacked connection is closed; set before it is used
}

func (c *conn) Write(p []byte) (written int, err error) {
	for {
		c.extend()
		n, err := c.Conn.Write(p[written:])
		written += n
		if n == 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			return written, err
		}
		c.until.Store(0) // slow, but it moves
	}
}

// extend moves the deadline, at most once in a quarter of the timeout: that is
// a system call less for each write.
func (c *conn) extend() {
	now := time.Now()
	if c.until.Load()-now.UnixNano() > int64(c.patient-c.patient/4) {
		return
	}
	deadline := now.Add(c.patient)
	c.until.Store(deadline.UnixNano())
	_ = c.Conn.SetWriteDeadline(deadline) // fails on a closed connection only
}

// SetWriteDeadline is the server's way to lift a deadline between requests.
func (c *conn) SetWriteDeadline(t time.Time) error {
	c.until.Store(0)
	return c.Conn.SetWriteDeadline(t)
}

func (c *conn) SetDeadline(t time.Time) error {
	c.until.Store(0)
	return c.Conn.SetDeadline(t)
}

func (c *conn) Close() error {
	err := c.Conn.Close()
	c.closed.Do(func() {
		<-c.slots
		if c.gone != nil {
			c.gone()
		}
	})
	return err
}
