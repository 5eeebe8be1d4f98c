package serve

import (
	"errors"
	"fmt"
	"net"
)

// doors are all that a Server listens on.
type doors struct {
	plain, secure []socket
	ops           []socket // one or none
}

// openDoors opens every address, or none. Those that name a socket of systemd
// come before the one that takes the rest.
func (s *Server) openDoors() (d *doors, err error) {
	d = &doors{}
	defer func() {
		if err != nil {
			d.close()
		}
	}()
	d.ops, err = s.openAll("ops", orNone(s.config.Ops))
	if err != nil {
		return d, fmt.Errorf("listen for operators: %w", err)
	}
	if s.config.TLS.enabled() {
		if d.secure, err = s.openAll("tls", s.config.TLS.Listen); err != nil {
			return d, fmt.Errorf("listen for visitors with TLS: %w", err)
		}
	}
	if d.plain, err = s.openAll("plain", s.config.Listen); err != nil {
		return d, fmt.Errorf("listen for visitors: %w", err)
	}
	return d, s.parts.Sockets.rest()
}

func (s *Server) openAll(use string, addresses []string) ([]socket, error) {
	var all []socket
	for _, address := range addresses {
		opened, err := s.parts.Sockets.open(use, address)
		if err != nil {
			closeAll(all)
			return nil, err
		}
		all = append(all, opened...)
	}
	return all, nil
}

func (d *doors) all() []socket {
	var all []socket
	for _, list := range [][]socket{d.plain, d.secure, d.ops} {
		all = append(all, list...)
	}
	return all
}

func (d *doors) close() { closeAll(d.all()) }

func closeAll(sockets []socket) {
	for _, s := range sockets {
		_ = s.listener.Close()
	}
}

func (d *doors) addrs() Addrs {
	a := Addrs{Site: addresses(d.plain), TLS: addresses(d.secure)}
	if ops := addresses(d.ops); len(ops) > 0 {
		a.Ops = ops[0]
	}
	return a
}

func addresses(sockets []socket) []net.Addr {
	var all []net.Addr
	for _, s := range sockets {
		all = append(all, s.listener.Addr())
	}
	return all
}

func orNone(address string) []string {
	if address == "" {
		return nil
	}
	return []string{address}
}

// port is the TCP port of the first of the sockets, with the host it is bound
// to.
func port(sockets []socket) (host string, port int, err error) {
	if len(sockets) == 0 {
		return "", 0, errors.New("nothing listens")
	}
	a, ok := sockets[0].listener.Addr().(*net.TCPAddr)
	if !ok {
		return "", 0, fmt.Errorf("%s is no TCP port", sockets[0].listener.Addr())
	}
	return a.IP.String(), a.Port, nil
}
