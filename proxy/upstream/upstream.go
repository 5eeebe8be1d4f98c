package upstream

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"sync"
	"time"
)

// An Upstream is the origin of a site. It is safe for concurrent use.
type Upstream struct {
	scheme  string
	address string // host[:port]
	host    string
	via     bool

	transport *http.Transport
	tunnel    time.Duration
	queue     time.Duration
	slots     chan struct{} // one for each request at the origin
}

// New checks c and prepares the way to the origin; it connects to nothing.
func New(c Config) (*Upstream, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	c = c.withDefaults()
	origin, err := url.Parse(c.URL)
	if err != nil {
		return nil, fmt.Errorf("parse the origin's URL: %w", err)
	}
	transport, err := newTransport(c, origin)
	if err != nil {
		return nil, err
	}
	return &Upstream{
		scheme:    origin.Scheme,
		address:   origin.Host,
		host:      c.Host,
		via:       c.Via == nil || *c.Via,
		transport: transport,
		tunnel:    c.TunnelTimeout,
		queue:     c.QueueTimeout,
		slots:     make(chan struct{}, c.Requests),
	}, nil
}

// newTransport differs from http.DefaultTransport: it never decompresses, takes
// no proxy from the environment, and bounds every wait and every header.
func newTransport(c Config, origin *url.URL) (*http.Transport, error) {
	t := &http.Transport{
		DialContext:            dialer(c),
		DisableCompression:     true,
		MaxIdleConns:           c.IdleConnections,
		MaxIdleConnsPerHost:    c.IdleConnections,
		IdleConnTimeout:        c.IdleTimeout,
		TLSHandshakeTimeout:    c.ConnectTimeout,
		ResponseHeaderTimeout:  c.HeaderTimeout,
		ExpectContinueTimeout:  time.Second,
		MaxResponseHeaderBytes: c.MaxHeaderBytes,
		ReadBufferSize:         readBuffer,
		WriteBufferSize:        writeBuffer,
	}
	if origin.Scheme != "https" {
		return t, nil
	}
	t.ForceAttemptHTTP2 = true
	t.TLSClientConfig = &tls.Config{ServerName: c.ServerName, MinVersion: tls.VersionTLS12}
	if c.CA != "" {
		pool, err := readCA(c.CA)
		if err != nil {
			return nil, err
		}
		t.TLSClientConfig.RootCAs = pool
	}
	return t, nil
}

// A connection to the origin holds both of these for as long as it lives, a
// stalled one too.
const (
	readBuffer  = 32 << 10
	writeBuffer = 8 << 10
)

// An Informational is told the 1xx responses of the origin other than 100 and
// 101, on another goroutine but only while RoundTrip waits. An error ends the
// request.
type Informational func(code int, h http.Header) error

// maxInformational is how many 1xx responses an origin may send before the real
// one.
const maxInformational = 16

// RoundTrip performs a request that Outgoing made. The context of out ends it
// at any time, the body included. The caller must close the body, even one read
// to its end: until then it counts as a request at the origin. The header holds nothing hop-by-hop. A status of 101 is
// returned only where a WebSocket was asked for; see [Tunnels].
//
// A request is sent again only if it is idempotent, has no body, and the kept
// connection it was sent on turned out to be dead. Every error is an [*Error].
// 1xx responses are dropped if hints is nil.
func (u *Upstream) RoundTrip(out *http.Request, hints Informational) (*http.Response, error) {
	ctx := out.Context()
	upgrade := len(out.Header["Upgrade"]) > 0
	if !upgrade {
		if err := u.enter(ctx); err != nil {
			return nil, err
		}
	}
	exchange := &exchange{upstream: u, hints: hints, held: !upgrade}
	if hints != nil || upgrade {
		out = out.WithContext(httptrace.WithClientTrace(ctx, exchange.trace()))
	}
	res, err := u.transport.RoundTrip(out)
	exchange.answered()
	if err == nil {
		err = checkSwitch(res, upgrade)
	}
	if err != nil {
		exchange.leave()
		return nil, classify(ctx, err)
	}
	stripResponse(res.Header)
	if res.StatusCode == http.StatusSwitchingProtocols {
		return exchange.tunnel(res), nil
	}
	if res.Body == http.NoBody {
		exchange.leave()
		return res, nil
	}
	exchange.ctx, exchange.body = ctx, res.Body
	res.Body = exchange
	return res, nil
}

// enter waits for one of the origin's slots.
func (u *Upstream) enter(ctx context.Context) error {
	select {
	case u.slots <- struct{}{}:
		return nil
	default:
	}
	timer := time.NewTimer(u.queue)
	defer timer.Stop()
	select {
	case u.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return classify(ctx, ctx.Err())
	case <-timer.C:
		return &Error{Kind: Busy, Err: fmt.Errorf("%d requests at the origin, none ended within %v", cap(u.slots), u.queue)}
	}
}

// InFlight is the number of requests at the origin, for metrics.
func (u *Upstream) InFlight() int { return len(u.slots) }

// Close closes the connections that are kept for the next request. Requests
// under way go on.
func (u *Upstream) Close() { u.transport.CloseIdleConnections() }

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

// An exchange is one request at the origin, and then the body of its response.
type exchange struct {
	upstream *Upstream
	hints    Informational
	conn     *originConn // of an upgrade

	mu    sync.Mutex
	count int  // of 1xx responses
	done  bool // RoundTrip has returned

	ctx  context.Context
	body io.ReadCloser
	held bool // a slot
}

func (e *exchange) trace() *httptrace.ClientTrace {
	t := &httptrace.ClientTrace{GotConn: func(got httptrace.GotConnInfo) { e.conn = unwrap(got.Conn) }}
	if e.hints != nil {
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
		res.Body = switched{ReadWriteCloser: rw, idle: idle}
	}
	return res
}

func (e *exchange) leave() {
	if e.held {
		e.held = false
		<-e.upstream.slots
	}
}

func (e *exchange) Read(p []byte) (int, error) {
	n, err := e.body.Read(p)
	if err != nil && err != io.EOF {
		if kind := kindOf(e.ctx, err); kind == Canceled || kind == Timeout {
			return n, &Error{Kind: kind, Err: err}
		}
		err = &Error{Kind: Truncated, Err: err}
	}
	return n, err
}

// Close gives the connection back if the body was read to its end, and breaks
// it otherwise.
func (e *exchange) Close() error {
	err := e.body.Close()
	e.leave()
	return err
}
