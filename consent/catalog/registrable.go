package catalog

import (
	"net/netip"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// Registrable returns the part of a host that somebody registered: the public
// suffix and one label more ("www.example.co.uk": "example.co.uk"). Hosts under
// one registrable domain are one site to a browser. An IP address, a single
// label and a public suffix itself are returned as they are. host is in lower
// case and without a port; a trailing dot is dropped. The result is a part of
// host: nothing is allocated.
func Registrable(host string) string {
	host = strings.TrimRight(host, ".")
	if strings.HasPrefix(host, "[") || isAddr(host) {
		return host
	}
	domain, err := publicsuffix.EffectiveTLDPlusOne(host)
	if err != nil {
		return host
	}
	return domain
}

// isAddr reports whether host is an IP address. Only what ends in a digit or
// has a colon is looked at closely.
func isAddr(host string) bool {
	if host == "" || host[len(host)-1] > '9' && strings.IndexByte(host, ':') < 0 {
		return false
	}
	_, err := netip.ParseAddr(host)
	return err == nil
}
