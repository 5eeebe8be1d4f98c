package proxy

import (
	"strings"

	"github.com/numfocus/consentgate/consent/catalog"
)

// parties says which hosts are the first party: those of the registrable domain
// of the site's hosts and of what its configuration adds. Without configured
// hosts it is the registrable domain of the host that was asked for.
type parties struct {
	domains map[string]bool // registrable domains
	hosts   map[string]bool // exact hosts, from first_party
}

// newParties takes the site's hosts and the first_party list, in which "*.a.b"
// stands for a.b and all below it.
func newParties(siteHosts, extra []string) parties {
	p := parties{domains: map[string]bool{}, hosts: map[string]bool{}}
	for _, h := range siteHosts {
		p.domains[catalog.Registrable(h)] = true
	}
	for _, h := range extra {
		p.hosts[h] = true
	}
	return p
}

func (p parties) has(asked, host string) bool {
	if host == asked || p.hosts[host] {
		return true
	}
	if p.sameDomain(asked, host) {
		return true
	}
	if len(p.hosts) == 0 {
		return false
	}
	for rest := host; rest != ""; {
		if p.hosts["*."+rest] {
			return true
		}
		_, rest, _ = strings.Cut(rest, ".")
	}
	return false
}

// sameDomain looks at names from their ends first: most of those in a page have
// not even that in common with the site, and the public suffix list is long.
func (p parties) sameDomain(asked, host string) bool {
	if len(p.domains) == 0 {
		return ending(host) == ending(asked) && catalog.Registrable(host) == catalog.Registrable(asked)
	}
	for domain := range p.domains {
		if strings.HasSuffix(host, domain) {
			return p.domains[catalog.Registrable(host)]
		}
	}
	return false
}

// ending is the last two labels of a host: no two hosts of one registrable
// domain differ in them.
func ending(host string) string {
	i := strings.LastIndexByte(host, '.')
	return host[strings.LastIndexByte(host[:max(i, 0)], '.')+1:]
}

// patterns lists the first party's hosts as the catalog writes them.
func (p parties) patterns(asked string) []string {
	var list []string
	for h := range p.hosts {
		list = append(list, h)
	}
	if len(p.domains) == 0 {
		return append(list, domainPattern(catalog.Registrable(asked))...)
	}
	for domain := range p.domains {
		list = append(list, domainPattern(domain)...)
	}
	return list
}

// domainPattern leaves out what is no domain with others below it, such as an
// address: a policy's 'self' has that.
func domainPattern(domain string) []string {
	if !strings.Contains(domain, ".") || strings.Contains(domain, ":") || isIPv4(domain) {
		return nil
	}
	return []string{"*." + domain}
}

func isIPv4(s string) bool { return strings.Trim(s, "0123456789.") == "" }
