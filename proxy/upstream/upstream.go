package upstream

import (
	"context"
	"net/http"
	"net/textproto"
	"sync"
	"sync/atomic"
	"time"
)

// An Upstream is the origin of a site: one server, or several that serve the
// same. It is safe for concurrent use.
type Upstream struct {
	origins []*origin
	turn    atomic.Uint32
	host    string
	via     bool
	health  Health

	secretName  string // canonical; empty: none
	secretValue string

	transport *http.Transport
	switching *http.Transport // for WebSockets, which HTTP/2 does not carry
	shared    bool            // several requests may be on one connection
	tunnel    time.Duration
	queue     time.Duration
	stall     time.Duration

	ctx    context.Context // of the health checks
	cancel context.CancelFunc
	checks sync.Once
	notify func(State)
}

// New checks c and prepares the way to the origin; it connects to nothing.
func New(c Config) (*Upstream, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	c = c.withDefaults()
	u := &Upstream{
		host:       c.Host,
		via:        c.Via == nil || *c.Via,
		health:     c.Health,
		secretName: textproto.CanonicalMIMEHeaderKey(c.Secret.Header),
		tunnel:     c.TunnelTimeout,
		queue:      c.QueueTimeout,
		stall:      max(c.StallTimeout, c.HeaderTimeout/3*4+time.Second),
	}
	var err error
	if u.secretValue, err = c.Secret.read(); err != nil {
		return nil, err
	}
	for i, raw := range c.Origins() {
		o, err := prepareOrigin(i, raw, c)
		if err != nil {
			return nil, err
		}
		u.origins = append(u.origins, o)
		u.shared = u.shared || o.scheme == "https" && c.Protocol != protocolHTTP1 || c.Protocol == protocolHTTP2
	}
	if u.transport, err = newTransport(c); err != nil {
		return nil, err
	}
	u.switching = u.transport
	if c.Protocol == protocolHTTP2 {
		u.switching = u.transport.Clone()
		u.switching.Protocols = protocols(protocolHTTP1)
	}
	u.ctx, u.cancel = context.WithCancel(context.Background())
	return u, nil
}

// Notify sets what is told when an origin goes down or comes back. It is called
// on any goroutine, one call at a time for each origin being all that is
// promised. It must be set before the first request.
func (u *Upstream) Notify(f func(State)) { u.notify = f }

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
// A request goes to another origin, or over another connection, only where none
// of it was sent, or where nothing was answered and it is one that RFC 9110
// section 9.2.2 allows to repeat: it is safe and has no body. Every error is an
// [*Error]. 1xx responses are dropped if hints is nil.
func (u *Upstream) RoundTrip(out *http.Request, hints Informational) (*http.Response, error) {
	u.checks.Do(u.startChecks)
	if len(u.origins) > 1 && out.Body != nil {
		out.Body = &keptBody{ReadCloser: out.Body}
	}
	var tried set
	var last error
	for {
		o := u.pick(tried)
		if o == nil {
			return nil, last
		}
		tried.add(o)
		e := &exchange{upstream: u, origin: o, hints: hints, visitor: out.Context(), upgrade: len(out.Header["Upgrade"]) > 0}
		res, err := e.perform(u.directed(out, o))
		if err == nil {
			return res, nil
		}
		if last = err; !e.mayRepeat(out, err) {
			return nil, err
		}
	}
}

// directed is out for one of the origins.
func (u *Upstream) directed(out *http.Request, o *origin) *http.Request {
	if out.URL.Host == o.address && out.URL.Scheme == o.scheme {
		return out
	}
	to := *out.URL
	to.Scheme, to.Host = o.scheme, o.address
	out = out.WithContext(out.Context())
	out.URL = &to
	if u.host == hostUpstream {
		out.Host = o.address
	}
	return out
}

// InFlight is the number of requests at the origins, for metrics.
func (u *Upstream) InFlight() int {
	n := 0
	for _, o := range u.origins {
		n += len(o.slots)
	}
	return n
}

// Close ends the checks and closes the connections that are kept for the next
// request. Requests under way go on.
func (u *Upstream) Close() {
	u.cancel()
	u.transport.CloseIdleConnections()
	u.switching.CloseIdleConnections()
}
