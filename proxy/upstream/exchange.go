package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"sync"
	"sync/atomic"
	"time"
)

// An exchange is one request at one origin, and then the body of its response.
type exchange struct {
	upstream *Upstream
	origin   *origin
	hints    Informational
	visitor  context.Context
	upgrade  bool
	watch    *watchdog

	held   chan struct{} // where it takes a place, or nil
	traced bool
	sent   atomic.Bool // there was a connection: something may have been sent, where it is traced
	conn   *originConn // of an upgrade

	mu    sync.Mutex
	count int  // of 1xx responses
	done  bool // the response is there

	res  *http.Response
	body io.ReadCloser
}

// perform sends the request and reads the response's header.
func (e *exchange) perform(out *http.Request) (*http.Response, error) {
	if err := e.enter(); err != nil {
		return nil, err
	}
	u, ctx := e.upstream, out.Context()
	if u.shared && !e.upgrade {
		e.watch, ctx = newWatchdog(ctx, u.stall)
	}
	if e.traced = e.hints != nil || e.upgrade || len(u.origins) > 1; e.traced {
		ctx = httptrace.WithClientTrace(ctx, e.trace())
	}
	if ctx != out.Context() {
		out = out.WithContext(ctx)
	}
	if e.watch != nil && out.Body != nil {
		out.Body = &watched{out.Body, e.watch}
	}
	transport := u.transport
	if e.upgrade {
		transport = u.switching
	}
	res, err := transport.RoundTrip(out)
	e.answered()
	if err == nil {
		err = checkSwitch(res, e.upgrade)
	}
	if err != nil {
		return nil, e.failed(err)
	}
	u.tell(e.origin, e.origin.pulse.answered())
	return e.passOn(res), nil
}

// enter takes a place at the origin.
func (e *exchange) enter() error {
	if e.upgrade {
		if err := e.origin.open(); err != nil {
			return err
		}
		e.held = e.origin.sockets
		return nil
	}
	if err := e.origin.enter(e.visitor, e.upstream.queue); err != nil {
		return err
	}
	e.held = e.origin.slots
	return nil
}

// failed ends an exchange that got no response.
func (e *exchange) failed(err error) error {
	stalled := e.watch.barked()
	e.leave()
	classified := classify(e.visitor, err)
	if stalled {
		classified = &Error{Kind: Timeout, Err: errStalled}
	}
	switch {
	case classified.Kind == Canceled:
	case classified.Kind == Unreachable, classified.Kind == Timeout, e.neverSent():
		e.upstream.tell(e.origin, e.origin.pulse.failed(time.Now()))
	}
	return classified
}

// neverSent reports whether it is known that not a byte of the request went out.
func (e *exchange) neverSent() bool { return e.traced && !e.sent.Load() }

// mayRepeat reports whether a request that failed may go to another origin.
func (e *exchange) mayRepeat(out *http.Request, err error) bool {
	var known *Error
	if !errors.As(err, &known) || known.Kind == Canceled || known.Kind == Busy || e.heard() {
		return false
	}
	if body, ok := out.Body.(*keptBody); ok && body.touched.Load() {
		return false
	}
	safe := out.Method == http.MethodGet || out.Method == http.MethodHead || out.Method == http.MethodOptions
	return e.neverSent() || known.Kind == Unreachable && safe && out.Body == nil
}

// heard reports whether the origin said something.
func (e *exchange) heard() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.count > 0
}

// passOn makes of the transport's response the gateway's.
func (e *exchange) passOn(res *http.Response) *http.Response {
	stripResponse(res.Header)
	delete(res.Header, e.upstream.secretName) // an origin may echo it
	if res.StatusCode == http.StatusSwitchingProtocols {
		return e.tunnel(res)
	}
	if res.Body == http.NoBody {
		e.leave()
		return res
	}
	e.res, e.body = res, res.Body
	res.Body = e
	return res
}

// checkSwitch refuses a change of protocol nobody asked for, which would make
// of the connection a tunnel past the gateway. It closes the body if it refuses.
func checkSwitch(res *http.Response, asked bool) error {
	if res.StatusCode != http.StatusSwitchingProtocols {
		return nil
	}
	if asked && hasToken(res.Header["Upgrade"], "websocket") {
		return nil
	}
	_ = res.Body.Close()
	return &Error{Kind: BadResponse, Err: errors.New("it switched to a protocol nobody asked for")}
}

func (e *exchange) trace() *httptrace.ClientTrace {
	t := &httptrace.ClientTrace{GotConn: func(got httptrace.GotConnInfo) {
		e.sent.Store(true)
		if e.upgrade {
			e.conn = unwrap(got.Conn)
		}
	}}
	if e.hints != nil || len(e.upstream.origins) > 1 {
		t.Got1xxResponse = e.informational
	}
	return t
}

func (e *exchange) informational(code int, h textproto.MIMEHeader) error {
	if code == http.StatusContinue { // net/http says it itself when the body is read
		return nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.done {
		return nil
	}
	if e.count++; e.count > maxInformational {
		return fmt.Errorf("more than %d informational responses", maxInformational)
	}
	if e.hints == nil {
		return nil
	}
	stripResponse(http.Header(h))
	return e.hints(code, http.Header(h))
}

// answered waits for a hint that is being passed on, and lets no other through.
func (e *exchange) answered() {
	e.mu.Lock()
	e.done = true
	e.mu.Unlock()
}

// tunnel leaves the watch over an idle connection to [Tunnels], which knows both
// ends.
func (e *exchange) tunnel(res *http.Response) *http.Response {
	idle := e.upstream.tunnel
	if e.conn != nil {
		e.conn.setStall(2 * idle)
	}
	if rw, ok := res.Body.(io.ReadWriteCloser); ok {
		res.Body = &switched{ReadWriteCloser: rw, idle: idle, leave: sync.OnceFunc(e.leave)}
	}
	return res
}

// leave gives up the place at the origin.
func (e *exchange) leave() {
	e.watch.stop()
	if e.held != nil {
		<-e.held
		e.held = nil
	}
}

func (e *exchange) Read(p []byte) (int, error) {
	n, err := e.body.Read(p)
	switch err {
	case io.EOF:
		delete(e.res.Trailer, e.upstream.secretName)
		fallthrough
	case nil:
		e.watch.touch()
		return n, err
	}
	if e.watch.barked() {
		return n, &Error{Kind: Timeout, Err: errStalled}
	}
	if kind := kindOf(e.visitor, err); kind == Canceled || kind == Timeout {
		return n, &Error{Kind: kind, Err: err}
	}
	return n, &Error{Kind: Truncated, Err: err}
}

// Close gives the connection back if the body was read to its end, and breaks
// it otherwise.
func (e *exchange) Close() error {
	err := e.body.Close()
	e.leave()
	return err
}
