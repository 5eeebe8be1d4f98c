package upstream

import (
	"iter"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// A sender is who holds the other end of the visitor's connection, and what is
// believed of what it says.
type sender struct {
	peer       netip.Addr
	trusted    bool
	cloudflare bool
	by         Trusted
}

func (t Trusted) sender(r *http.Request) sender {
	peer, trusted := Peer(r, t)
	return sender{peer: peer, trusted: trusted, cloudflare: contain(t.cloudflare, peer), by: t}
}

// maySay reports whether a header that says where a request came from counts.
// Cloudflare sets a few, and passes the others on as the visitor sent them.
func (s sender) maySay(name string) bool {
	switch {
	case !s.trusted:
		return false
	case strings.HasPrefix(name, "Cf-"):
		return s.cloudflare
	case s.cloudflare:
		return name == "X-Forwarded-For" || name == "X-Forwarded-Proto"
	}
	return name != "True-Client-Ip"
}

// hops yields the members of X-Forwarded-For that a trusted proxy has written,
// from the last to that of the visitor, which is the only one that need not be
// trusted itself.
func (s sender) hops(lines []string) iter.Seq[netip.Addr] {
	return func(yield func(netip.Addr) bool) {
		if !s.trusted {
			return
		}
		for _, line := range slices.Backward(lines) {
			for more := true; more; {
				cut := strings.LastIndexByte(line, ',')
				a, ok := parseHop(line[cut+1:])
				if !ok || !yield(a) || !s.by.Contains(a) {
					return
				}
				if more = cut >= 0; more {
					line = line[:cut]
				}
			}
		}
	}
}

// forwardedFor is what the origin is told: the hops that are believed, and the
// peer.
func (s sender) forwardedFor(lines []string) string {
	list := s.peer.String()
	for hop := range s.hops(lines) {
		list = hop.String() + ", " + list
	}
	return list
}

// Host is the Host the visitor's browser asked for: a trusted proxy may have
// another one for the gateway, and says so in X-Forwarded-Host. Cloudflare has
// not, and would pass on what a visitor made up.
func Host(r *http.Request, t Trusted) string {
	if said := r.Header["X-Forwarded-Host"]; len(said) == 1 && said[0] != "" && t.sender(r).maySay("X-Forwarded-Host") {
		return said[0]
	}
	return r.Host
}
