package cookies

import (
	"net/netip"
	"slices"
	"strings"
)

// Expire gives the Set-Cookie lines that make a browser forget a cookie of the
// site's root path. A cookie's identity is its name together with its domain,
// whether it is for that host only, its path and its partition (RFC 6265bis
// section 5.7; CHIPS), and a request does not tell which of them it came from:
// there is a line for each that the site may touch.
//
// The empty name stands for the nameless cookie. A name that no Set-Cookie line
// can carry, or whose prefix asks for HTTPS where there is none, gives nothing.
func Expire(name string, site Site) []string {
	if strings.ContainsAny(name, ";=") || strings.ContainsFunc(name, control) {
		return nil
	}
	host := hasPrefix(name, "__Host-")
	if (host || hasPrefix(name, "__Secure-")) && !site.Secure {
		return nil
	}
	domains := []string{""}
	if !host {
		domains = site.expiryDomains()
	}
	lines := make([]string, 0, 2*len(domains))
	for _, domain := range domains {
		line := expiry(name, domain)
		if site.Secure {
			line += "; Secure"
			lines = append(lines, line+"; Partitioned")
		}
		lines = append(lines, line)
	}
	return lines
}

// expiryDomains lists Domain attributes, the empty one for host-only cookies
// first.
func (s Site) expiryDomains() []string {
	domains := []string{""}
	for _, d := range []string{s.Registrable, s.Host} {
		_, err := netip.ParseAddr(strings.Trim(d, "[]"))
		named := err != nil && strings.Contains(d, ".") // an address or a single label has host-only cookies alone
		if named && s.owns(d) && !slices.Contains(domains, d) {
			domains = append(domains, d)
		}
	}
	return domains
}

func expiry(name, domain string) string {
	value := ""
	if name == "" {
		value = "-" // with neither name nor value the line would be ignored
	}
	line := name + "=" + value + "; Path=/; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT"
	if domain != "" {
		line += "; Domain=" + domain
	}
	return line
}
