// Package cookies filters cookies in both directions, on the header lines as
// they came.
//
// It reads them by the algorithm browsers use (RFC 6265bis sections 5.6 and
// 5.7), which takes far more than the grammar allows: a value with quotes and
// commas, a pair without a name, an equals sign missing. What net/http refuses
// to parse, a browser may well store; what net/http parses, it writes back in
// other bytes. So lines that stay are never taken apart and put together again.
//
// All functions are pure and safe for concurrent use.
package cookies

import "strings"

// A Site is the host whose cookies are filtered, as the visitor's browser sees
// it.
type Site struct {
	Host        string // lower case, without port: "www.example.org"
	Registrable string // the registrable domain of Host; Host itself for an IP address or a single label
	Secure      bool   // the visitor came by HTTPS
}

// owns reports whether the site may set cookies for a Domain attribute: the
// host itself, or a parent that is not above the registrable domain
// (RFC 6265bis section 5.7, steps 9 and 10).
func (s Site) owns(domain string) bool {
	if domain == s.Host {
		return true
	}
	return under(s.Host, domain) && (domain == s.Registrable || under(domain, s.Registrable))
}

// under reports whether host is a sub-domain of parent.
func under(host, parent string) bool {
	rest, ok := strings.CutSuffix(host, parent)
	return ok && parent != "" && strings.HasSuffix(rest, ".")
}

// trim removes the whitespace browsers remove around names and values, and no
// other.
func trim(s string) string { return strings.Trim(s, " \t") }
