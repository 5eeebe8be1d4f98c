package upstream

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"

	"github.com/numfocus/consentgate/consent"
)

// Trusted is the list of proxies in front of the gateway whose word about the
// visitor's address, host and scheme counts. The zero value trusts nobody.
type Trusted struct {
	prefixes   []netip.Prefix
	cloudflare []netip.Prefix // of whom CF- headers are believed; empty: of nobody
}

// NewTrusted parses addresses and prefixes, "10.0.0.0/8" or "::1", and the word
// "cloudflare" for the networks that Cloudflare publishes; all mistakes are
// returned at once, each a [consent.Mistake].
func NewTrusted(list []string) (Trusted, error) {
	var t Trusted
	var errs []error
	for i, s := range list {
		if s == "cloudflare" {
			t.cloudflare = cloudflare()
			continue
		}
		p, err := parsePrefix(s)
		if err != nil {
			errs = append(errs, consent.Mistake{
				Field:   fmt.Sprintf("trusted_proxies[%d]", i),
				Problem: fmt.Sprintf("%q is no address and no prefix", s),
				Cure:    "use an address such as 127.0.0.1, a prefix such as 10.0.0.0/8, or the word cloudflare",
			})
			continue
		}
		t.prefixes = append(t.prefixes, p)
	}
	return t, errors.Join(errs...)
}

func parsePrefix(s string) (netip.Prefix, error) {
	if strings.Contains(s, "/") {
		p, err := netip.ParsePrefix(s)
		return p.Masked(), err
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, err
	}
	return a.Unmap().WithZone("").Prefix(a.Unmap().BitLen())
}

// Contains reports whether an address is that of a trusted proxy. The IPv4
// address within an IPv6 one counts as the IPv4 address.
func (t Trusted) Contains(a netip.Addr) bool {
	return contain(t.prefixes, a) || contain(t.cloudflare, a)
}

func contain(prefixes []netip.Prefix, a netip.Addr) bool {
	if len(prefixes) == 0 {
		return false
	}
	a = a.Unmap().WithZone("")
	for _, p := range prefixes {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// Peer is the address of whoever holds the other end of the connection, and
// whether it is a trusted proxy. It is the zero Addr where the request came by
// something that has no addresses, such as a Unix socket.
func Peer(r *http.Request, t Trusted) (addr netip.Addr, trusted bool) {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}, false
	}
	a := ap.Addr().Unmap()
	return a, t.Contains(a)
}

// ClientAddr is the address of the visitor: that of the peer, or, where the
// peer is trusted, the last address in X-Forwarded-For that no trusted proxy
// has. Whatever stands further left, anybody can have written. Cloudflare says it
// in CF-Connecting-IP, which counts from nobody else.
func ClientAddr(r *http.Request, t Trusted) netip.Addr {
	from := t.sender(r)
	if from.cloudflare {
		if said := r.Header["Cf-Connecting-Ip"]; len(said) == 1 {
			if a, ok := parseHop(said[0]); ok {
				return a
			}
		}
	}
	client := from.peer
	for hop := range from.hops(r.Header["X-Forwarded-For"]) {
		client = hop
	}
	return client
}

// parseHop reads a member of X-Forwarded-For; some proxies add a port.
func parseHop(s string) (netip.Addr, bool) {
	s = strings.Trim(s, " \t")
	if a, err := netip.ParseAddr(s); err == nil {
		return a.Unmap(), true
	}
	ap, err := netip.ParseAddrPort(s)
	return ap.Addr().Unmap(), err == nil
}

// IsTLS reports whether the visitor came by HTTPS: to the gateway itself, or to
// a trusted proxy that says so in X-Forwarded-Proto.
func IsTLS(r *http.Request, t Trusted) bool {
	if scheme := r.Header["X-Forwarded-Proto"]; len(scheme) == 1 {
		if _, trusted := Peer(r, t); trusted && validScheme(scheme[0]) {
			return strings.EqualFold(scheme[0], "https")
		}
	}
	return r.TLS != nil
}

func validScheme(s string) bool {
	return strings.EqualFold(s, "http") || strings.EqualFold(s, "https")
}

// Truncate cuts an address to its network for the log: /24 of IPv4, /48 of
// IPv6. The result identifies no household.
func Truncate(a netip.Addr) netip.Addr {
	a = a.Unmap().WithZone("")
	bits := 48
	if a.Is4() {
		bits = 24
	}
	p, err := a.Prefix(bits)
	if err != nil { // the zero Addr
		return netip.Addr{}
	}
	return p.Addr()
}
