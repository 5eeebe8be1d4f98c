package serve

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/pires/go-proxyproto"

	"github.com/numfocus/consentgate/consent"
)

// unwrapProxy has connections from trusted load balancers say where they come
// from before anything else. The header has the patience of a request's.
func unwrapProxy(l net.Listener, trusted []netip.Prefix, patience time.Duration) net.Listener {
	if len(trusted) == 0 {
		return l
	}
	return &proxyproto.Listener{
		Listener:          l,
		ReadHeaderTimeout: patience,
		ConnPolicy: func(o proxyproto.ConnPolicyOptions) (proxyproto.Policy, error) {
			if contains(trusted, o.Upstream) {
				return proxyproto.REQUIRE, nil
			}
			return proxyproto.SKIP, nil
		},
	}
}

func contains(networks []netip.Prefix, peer net.Addr) bool {
	tcp, ok := peer.(*net.TCPAddr)
	if !ok {
		return false
	}
	addr := tcp.AddrPort().Addr().Unmap().WithZone("")
	for _, n := range networks {
		if n.Contains(addr) {
			return true
		}
	}
	return false
}

// parseNetworks reads addresses and networks.
func parseNetworks(list []string) ([]netip.Prefix, error) {
	var networks []netip.Prefix
	var errs []error
	for i, text := range list {
		n, err := parseNetwork(text)
		if err != nil {
			errs = append(errs, consent.Mistake{
				Field: fmt.Sprintf("proxy_protocol[%d]", i), Problem: fmt.Sprintf("%q is neither an address nor a network", text),
				Cure: "write 10.0.0.5 or 10.0.0.0/8"})
		}
		networks = append(networks, n)
	}
	return networks, errors.Join(errs...)
}

func parseNetwork(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil {
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	n, err := netip.ParsePrefix(text)
	return n.Masked(), err
}
