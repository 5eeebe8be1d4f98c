package serve

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"
)

// serving is a Server at work.
type serving struct {
	doors  *doors
	certs  *certificates // nil: no TLS
	h      Handlers
	plain  *http.Server
	secure *http.Server
	ops    *http.Server
	quic   *quicDoor // nil: none

	listeners []net.Listener // for visitors, as they are served
	leaving   *leaving
}

func (s *Server) newServing(d *doors, certs *certificates, h Handlers) *serving {
	leaving := &leaving{}
	site := guard(leaving.wrap(h.Site), s.config)
	r := &serving{doors: d, certs: certs, h: h, leaving: leaving, plain: s.server(site), secure: s.server(site), ops: s.server(orNotFound(h.Ops))}
	if certs == nil {
		r.listeners = s.wrapAll(d.plain, make(chan struct{}, s.config.Connections))
		return r
	}
	if s.config.TLS.HTTP3 {
		r.quic = s.newQUICDoor(d.secure, certs, site)
	}
	r.plain.Handler = guard(leaving.wrap(s.plainHandler(d.secure, certs, h)), s.config)
	r.secure.Handler = s.secureHandler(site, r.quic)
	slots := make(chan struct{}, s.config.Connections)
	r.listeners = s.wrapAll(d.plain, slots)
	for _, l := range s.wrapAll(d.secure, slots) {
		r.listeners = append(r.listeners, tls.NewListener(l, certs.tlsConfig()))
	}
	return r
}

func (s *Server) wrapAll(sockets []socket, slots chan struct{}) []net.Listener {
	var all []net.Listener
	for _, socket := range sockets {
		l := unwrapProxy(socket.listener, s.balancer, s.config.HeaderTimeout)
		all = append(all, &listener{Listener: l, slots: slots, patient: s.config.WriteTimeout, stop: make(chan struct{})})
	}
	return all
}

// start serves on everything. What it returns tells of the first listener that
// fails.
func (r *serving) start(ctx context.Context) (failed <-chan error) {
	errs := make(chan error, len(r.listeners)+len(r.doors.ops))
	serve := func(server *http.Server, l net.Listener) {
		go func() { errs <- server.Serve(l) }()
	}
	for i, l := range r.listeners {
		if i < len(r.doors.plain) {
			serve(r.plain, l)
		} else {
			serve(r.secure, l)
		}
	}
	for _, s := range r.doors.ops {
		serve(r.ops, s.listener)
	}
	if r.quic != nil {
		go r.quic.run(ctx)
	}
	if r.certs != nil {
		go r.certs.tend(ctx)
	}
	return errs
}

// drain ends what runs. Whoever is under way has the drain timeout for it or,
// when another process serves already, the upgrade timeout.
func (s *Server) drain(r *serving) {
	patience, telling := s.config.DrainTimeout, time.Duration(0)
	if s.isReplaced() {
		patience = s.config.UpgradeTimeout
		telling = patience * 5 / 6
		_ = r.ops.Close() // operators want to hear of the new one
		s.leave(r)
	} else {
		s.notify.send("STOPPING=1")
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var all sync.WaitGroup
	all.Go(func() { s.tellHijacked(ctx, r.h.Drain, telling) })
	for _, server := range []*http.Server{r.plain, r.secure} {
		all.Go(func() { s.end(ctx, server) })
	}
	if r.quic != nil {
		all.Go(func() { r.quic.end(ctx) })
	}
	all.Wait()
	s.cutHijacked()
	_ = r.ops.Close()
}

func (s *Server) end(ctx context.Context, server *http.Server) {
	if err := server.Shutdown(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) && !closedOnPurpose(err) {
		s.log.Printf("shut down: %v", err)
	}
	_ = server.Close()
}

// leavingTime is how long the old process asks visitors who keep a connection
// to open a new one, before it closes those on which nothing is asked. Without
// it, more of them would be closed in the very moment of the next request.
const leavingTime = 2 * time.Second

// leave stops accepting, which the new process does, and has every answer say
// that its connection is the last one's.
func (s *Server) leave(r *serving) {
	r.leaving.begin()
	for _, l := range r.listeners {
		_ = l.Close()
	}
	time.Sleep(min(leavingTime, s.config.UpgradeTimeout/2))
}

// tellHijacked calls tell after a while, or once there is nobody left to tell.
func (s *Server) tellHijacked(ctx context.Context, tell func(context.Context), after time.Duration) {
	timer := time.NewTimer(after)
	defer timer.Stop()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for waiting := after > 0; waiting && s.hijackedNow() > 0; {
		select {
		case <-timer.C:
			waiting = false
		case <-tick.C:
		}
	}
	if tell != nil {
		tell(ctx)
	}
}

func (s *Server) hijackedNow() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.hijacked)
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

func (s *Server) isReplaced() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.replaced
}
