package upstream

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// An originConn is a connection to the origin that breaks when no byte went
// either way for the stall time, in whatever part of a message that happens.
type originConn struct {
	net.Conn
	stall atomic.Int64 // nanoseconds
	until atomic.Int64 // when the deadline that is set expires, Unix nanoseconds
}

func dialer(c Config) func(context.Context, string, string) (net.Conn, error) {
	d := &net.Dialer{Timeout: c.ConnectTimeout, KeepAlive: 30 * time.Second}
	// While a response header is awaited its own timeout holds; extend may leave
	// no more than three quarters of this one.
	stall := max(c.StallTimeout, c.HeaderTimeout/3*4+time.Second)
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := d.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		oc := &originConn{Conn: conn}
		oc.setStall(stall)
		return oc, nil
	}
}

func (c *originConn) setStall(d time.Duration) {
	c.stall.Store(int64(d))
	c.until.Store(0)
	c.extend()
}

// extend moves the deadline, at most once in a quarter of the stall time: that
// is a system call less for each read and write.
func (c *originConn) extend() {
	now := time.Now()
	stall := c.stall.Load()
	if c.until.Load()-now.UnixNano() > stall-stall/4 {
		return
	}
	deadline := now.Add(time.Duration(stall))
	c.until.Store(deadline.UnixNano())
	_ = c.SetDeadline(deadline) // fails on a closed connection only
}

func (c *originConn) Read(p []byte) (int, error) {
	c.extend()
	return c.Conn.Read(p)
}

func (c *originConn) Write(p []byte) (int, error) {
	c.extend()
	return c.Conn.Write(p)
}

// unwrap finds the originConn the transport got from the dialer; nil if there
// is none.
func unwrap(c net.Conn) *originConn {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	oc, _ := c.(*originConn)
	return oc
}

// isConnectionLoss reports whether an error is that of a connection that ended,
// rather than of what was said on it.
func isConnectionLoss(err error) bool {
	return hungUp(err) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNREFUSED)
}

// hungUp reports whether the origin closed a connection before anything was written on
// it. The transport has an error of its own for that, by no name one could compare with.
func hungUp(err error) bool { return strings.HasSuffix(err.Error(), "server closed idle connection") }
