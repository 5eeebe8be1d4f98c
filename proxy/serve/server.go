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
	"sync"
)

// A Server listens for visitors and operators.
type Server struct {
	config Config
	log    *log.Logger

	mu       sync.Mutex
	hijacked map[*conn]struct{}
}

// New checks c; it does not listen yet. What net/http has to say about
// connections goes to w, a line each.
func New(c Config, w io.Writer) (*Server, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	return &Server{config: c.withDefaults(), log: log.New(w, "", 0), hijacked: map[*conn]struct{}{}}, nil
}

// Handlers are who answers.
type Handlers struct {
	Site http.Handler
	// Ops answers on the listener for operators, and goes on while the site's
	// requests end. Nil: 404.
	Ops http.Handler
	// Drain is called when the shutdown begins, to end what net/http knows
	// nothing of: connections that were hijacked. Its context is done when the
	// drain timeout is over. Nil: they are cut then.
	Drain func(context.Context)
}

// Addrs are the addresses that were opened, in the order of the Config.
type Addrs struct {
	Site []net.Addr
	Ops  net.Addr // nil: none
}

// Run serves until ctx is done, then refuses new connections, lets running
// requests end for the drain timeout, cuts the rest, and returns nil. It returns
// an error if it could not listen, or if a listener failed. ready is called once
// every address accepts connections. Run can be called once.
func (s *Server) Run(ctx context.Context, h Handlers, ready func(Addrs)) error {
	site, ops, err := s.listen()
	if err != nil {
		return err
	}
	siteServer := s.server(guard(h.Site, s.config))
	opsServer := s.server(orNotFound(h.Ops))
	failed := make(chan error, len(site)+1)
	var addrs Addrs
	for _, l := range site {
		addrs.Site = append(addrs.Site, l.Addr())
		go func() { failed <- siteServer.Serve(l) }()
	}
	if ops != nil {
		addrs.Ops = ops.Addr()
		go func() { failed <- opsServer.Serve(ops) }()
	}
	if ready != nil {
		ready(addrs)
	}
	select {
	case err = <-failed:
		err = fmt.Errorf("accept connections: %w", err)
	case <-ctx.Done():
	}
	s.drain(siteServer, h.Drain)
	_ = opsServer.Close()
	return err
}

func (s *Server) listen() (site []net.Listener, ops net.Listener, err error) {
	site, err = listenAll(s.config.Listen)
	if err != nil {
		return nil, nil, err
	}
	slots := make(chan struct{}, s.config.Connections)
	for i := range site {
		site[i] = &listener{Listener: site[i], slots: slots, patient: s.config.WriteTimeout, stop: make(chan struct{})}
	}
	if s.config.Ops == "" {
		return site, nil, nil
	}
	ops, err = net.Listen("tcp", s.config.Ops)
	if err != nil {
		closeAll(site)
		return nil, nil, fmt.Errorf("listen for operators: %w", err)
	}
	return site, ops, nil
}

// server has no WriteTimeout and no ReadTimeout on purpose: see conn and guard.
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

func (s *Server) drain(site *http.Server, tell func(context.Context)) {
	ctx, cancel := context.WithTimeout(context.Background(), s.config.DrainTimeout)
	defer cancel()
	var told sync.WaitGroup
	if tell != nil {
		told.Go(func() { tell(ctx) })
	}
	if err := site.Shutdown(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		s.log.Printf("shut down: %v", err)
	}
	_ = site.Close()
	told.Wait()
	s.cutHijacked()
}

// cutHijacked ends what Drain left, and what nobody told it of.
func (s *Server) cutHijacked() {
	s.mu.Lock()
	var left []*conn
	for c := range s.hijacked {
		left = append(left, c)
	}
	s.mu.Unlock()
	for _, c := range left {
		_ = c.Close()
	}
}

func orNotFound(h http.Handler) http.Handler {
	if h == nil {
		return http.NotFoundHandler()
	}
	return h
}
