package serve

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"sync"
)

// A Server listens for visitors and operators.
type Server struct {
	config   Config
	parts    Parts
	balancer []netip.Prefix // who sends PROXY headers
	log      *log.Logger
	notify   notifier

	upgrading sync.Mutex // held while a new process is started

	mu       sync.Mutex
	open     []socket // what Run listens on
	certs    *certificates
	hijacked map[*conn]struct{}
	replaced bool // another process serves from now on
}

// Parts are what a Server is given beside its Config.
type Parts struct {
	// Log takes what net/http has to say about connections, a line each, with
	// visitors' addresses taken out.
	Log io.Writer
	// Tell takes what happens with certificates. Nil: nobody listens.
	Tell func(Event)
	// Folder is where certificates are kept if Shared is nil.
	Folder string
	// Shared is where several gateways keep their certificates.
	Shared Shared
	// Sockets came with the process; nil: none.
	Sockets *Sockets
	// Getenv is asked for systemd's variables; nil: there is no systemd.
	Getenv func(string) string
}

// An Event is a line for the log.
type Event struct {
	Level  Level
	Text   string
	Fields map[string]any
}

// Level is how much an Event matters.
type Level string

const (
	Debug Level = "debug"
	Info  Level = "info"
	Warn  Level = "warn"
	Error Level = "error"
)

// New checks c; it does not listen yet.
func New(c Config, p Parts) (*Server, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	if p.Tell == nil {
		p.Tell = func(Event) {}
	}
	if p.Getenv == nil {
		p.Getenv = func(string) string { return "" }
	}
	balancer, err := parseNetworks(c.ProxyProtocol)
	if err != nil {
		return nil, err
	}
	return &Server{
		config: c.withDefaults(), parts: p, balancer: balancer,
		log: log.New(discreet{p.Log}, "", 0), notify: newNotifier(p.Getenv),
		hijacked: map[*conn]struct{}{},
	}, nil
}

// Handlers are who answers.
type Handlers struct {
	Site http.Handler
	// Hosts are the names that the configured sites are visited under, as of
	// now: no other gets a certificate by ACME or is redirected to. Nil: none.
	Hosts func() []string
	// Ops answers on the listener for operators, and goes on while the site's
	// requests end. Nil: 404.
	Ops http.Handler
	// Drain is called when the shutdown begins, to end what net/http knows
	// nothing of: connections that were hijacked. After an upgrade it is called
	// late, since they may live on in the meantime. Its context is done when the
	// drain timeout is over. Nil: they are cut then.
	Drain func(context.Context)
}

// Addrs are the addresses that were opened, in the order of the Config.
type Addrs struct {
	Site []net.Addr
	TLS  []net.Addr
	Ops  net.Addr // nil: none
}

// Run serves until ctx is done, then refuses new connections, lets running
// requests end for the drain timeout, cuts the rest, and returns nil. It returns
// an error if it could not listen, or if a listener failed. ready is called once
// every address accepts connections. Run can be called once.
func (s *Server) Run(ctx context.Context, h Handlers, ready func(Addrs)) error {
	r, err := s.prepare(h)
	if err != nil {
		return err
	}
	defer r.certs.stop()
	living, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	failed := r.start(living)
	if err := s.parts.Sockets.tellReady(); err != nil {
		s.log.Printf("tell the process before that it can go: %v", err)
	}
	if ready != nil {
		ready(r.doors.addrs())
	}
	s.notify.ready()
	go s.notify.feed(living)
	select {
	case err = <-failed:
		err = fmt.Errorf("accept connections: %w", err)
	case <-ctx.Done():
	}
	s.drain(r)
	return err
}

// Reloading tells systemd that the configuration is read again; what it returns
// is to be called when that is done.
func (s *Server) Reloading() (done func()) {
	s.notify.reloading()
	return s.notify.ready
}

// prepare makes everything that can fail.
func (s *Server) prepare(h Handlers) (*serving, error) {
	if h.Hosts == nil {
		h.Hosts = func() []string { return nil }
	}
	files, err := s.ownFiles()
	if err != nil {
		return nil, err
	}
	d, err := s.openDoors()
	if err != nil {
		return nil, err
	}
	certs, err := s.newCertificates(files, h.Hosts, d)
	if err != nil {
		d.close()
		return nil, err
	}
	s.mu.Lock()
	s.open, s.certs = d.all(), certs
	s.mu.Unlock()
	return s.newServing(d, certs, h), nil
}

// server has no WriteTimeout and no ReadTimeout on purpose: see conn and guard.
// The header's timeout is also that of a TLS handshake.
func (s *Server) server(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: s.config.HeaderTimeout,
		IdleTimeout:       s.config.IdleTimeout,
		MaxHeaderBytes:    s.config.MaxHeaderBytes,
		ErrorLog:          s.log,
		ConnState:         s.track,
	}
}

// track remembers hijacked connections, which http.Server forgets.
func (s *Server) track(c net.Conn, state http.ConnState) {
	if state != http.StateHijacked {
		return
	}
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	hijacked, ok := c.(*conn)
	if !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hijacked[hijacked] = struct{}{}
	hijacked.gone = func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.hijacked, hijacked)
	}
}

func orNotFound(h http.Handler) http.Handler {
	if h == nil {
		return http.NotFoundHandler()
	}
	return h
}

// closedOnPurpose is what a listener says after it was closed.
func closedOnPurpose(err error) bool {
	return errors.Is(err, net.ErrClosed) || errors.Is(err, http.ErrServerClosed)
}
