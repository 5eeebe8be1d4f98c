package serve

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

// A quicDoor serves HTTP/3 at the UDP ports beside sockets of TCP.
type quicDoor struct {
	server    *http3.Server
	sockets   []socket
	tell      func(Event)
	listening atomic.Bool
	limit     int64
	visitors  atomic.Int64
}

func (s *Server) newQUICDoor(secure []socket, certs *certificates, site http.Handler) *quicDoor {
	d := &quicDoor{sockets: secure, tell: s.parts.Tell, limit: int64(s.config.Connections)}
	_, tcp, _ := port(secure)
	d.server = &http3.Server{
		Handler:        s.secureHandler(site, nil),
		Port:           tcp,
		TLSConfig:      http3.ConfigureTLSConfig(certs.tlsConfig()),
		MaxHeaderBytes: s.config.MaxHeaderBytes,
		IdleTimeout:    s.config.IdleTimeout,
		ConnContext:    d.count,
		QUICConfig: &quic.Config{
			HandshakeIdleTimeout: s.config.HeaderTimeout,
			MaxIdleTimeout:       s.config.IdleTimeout,
			GetConfigForClient:   nil,
		},
	}
	d.server.QUICConfig.GetConfigForClient = d.admit
	return d
}

var errTooMany = errors.New("too many connections")

// admit refuses connections beyond the limit.
func (d *quicDoor) admit(*quic.ClientInfo) (*quic.Config, error) {
	if d.visitors.Load() >= d.limit {
		return nil, errTooMany
	}
	c := d.server.QUICConfig.Clone()
	c.GetConfigForClient = nil
	return c, nil
}

func (d *quicDoor) count(ctx context.Context, c *quic.Conn) context.Context {
	d.visitors.Add(1)
	context.AfterFunc(c.Context(), func() { d.visitors.Add(-1) })
	return ctx
}

// announce says that there is HTTP/3, while there is.
func (d *quicDoor) announce(h http.Header) {
	delete(h, "Alt-Svc") // the origin's is about the origin
	if d.listening.Load() {
		_ = d.server.SetQUICHeaders(h) // fails while nothing listens
	}
}

// retryEvery is how often a port that is taken is tried again: after an upgrade
// the old process has it until its visitors have gone.
const retryEvery = 250 * time.Millisecond

// run opens the ports, as soon as it can, and serves until ctx is done or end
// is called.
func (d *quicDoor) run(ctx context.Context) {
	for _, s := range d.sockets {
		go d.serve(ctx, s.listener.Addr().String())
	}
}

func (d *quicDoor) serve(ctx context.Context, address string) {
	c, err := d.listen(ctx, address)
	if err != nil {
		return // only the end of the process does that
	}
	defer c.Close()
	d.listening.Store(true)
	if err := d.server.Serve(c); err != nil && !closedOnPurpose(err) && ctx.Err() == nil {
		d.tell(Event{Level: Error, Text: "HTTP/3 has ended", Fields: map[string]any{"address": address, "error": err.Error()}})
	}
	d.listening.Store(false)
}

func (d *quicDoor) listen(ctx context.Context, address string) (net.PacketConn, error) {
	for told := false; ; {
		c, err := new(net.ListenConfig).ListenPacket(ctx, "udp", address)
		if err == nil {
			return c, nil
		}
		if !told {
			d.tell(Event{Level: Info, Text: "HTTP/3 has to wait for its port", Fields: map[string]any{"address": address, "error": err.Error()}})
			told = true
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(retryEvery):
		}
	}
}

// end lets requests end until ctx is done.
func (d *quicDoor) end(ctx context.Context) {
	d.listening.Store(false)
	_ = d.server.Shutdown(ctx) // what has not ended by then is cut
	_ = d.server.Close()
}
