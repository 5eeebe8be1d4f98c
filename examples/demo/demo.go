// Package demo is a small web site of a foundation that does not exist. It
// embeds, in the vendors' own snippets, every third-party service that the
// NumFOCUS privacy policy names, and brings dead-end stand-ins for all of them,
// so that one can see on one computer, without a network, who is called when
// its pages are opened.
//
// Browsers take every name below localhost to be this computer. The pages are
// written with the vendors' real addresses; as they are served,
// https://www.youtube.com/embed/x becomes
// http://www.youtube.com.localhost:8000/embed/x, where a stand-in answers,
// says on the page that it was called, sets its cookies and keeps count.
package demo

import (
	"net"
	"net/http"
	"slices"
	"strings"
)

// A Demo is the example site, its stand-ins and the record of what was called.
// It is safe for concurrent use.
type Demo struct {
	port    string
	site    http.Handler
	vendors map[string][]standIn // by host
	calls   *calls
	local   *strings.Replacer // real addresses -> stand-ins' addresses
}

// New makes a demo for pages that are reached at a port of this computer.
func New(port string) (*Demo, error) {
	d := &Demo{port: port, vendors: map[string][]standIn{}, calls: new(calls)}
	var pairs []string
	for _, s := range standIns() {
		if _, known := d.vendors[s.host]; !known {
			there := s.host + suffix + ":" + port
			pairs = append(pairs, "https://"+s.host, "http://"+there, "//"+s.host, "//"+there)
		}
		d.vendors[s.host] = append(d.vendors[s.host], s)
	}
	d.local = strings.NewReplacer(pairs...)
	site, err := newSite(port, d.local)
	if err != nil {
		return nil, err
	}
	d.site = site
	return d, nil
}

// suffix makes a vendor's host name one of this computer.
const suffix = ".localhost"

// The host names of the two visits.
const (
	Without = "without" + suffix // the site as it is
	With    = "with" + suffix    // the same site behind the gateway
)

// Site is the example site as its own server sends it, whatever the Host.
func (d *Demo) Site() http.Handler { return d.site }

// Front serves all of the demo on one port: the site without a gateway, the
// site through the gateway, the stand-ins, and for every other host the page
// that shows what was called.
func (d *Demo) Front(gateway http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := hostname(r.Host)
		vendor, local := strings.CutSuffix(host, suffix)
		switch _, known := d.vendors[vendor]; {
		case host == With:
			gateway.ServeHTTP(w, r)
		case host == Without:
			d.site.ServeHTTP(w, r)
		case local && known:
			d.standIn(w, r, vendor)
		default:
			d.board(w, r)
		}
	})
}

func hostname(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return strings.ToLower(host)
	}
	return strings.ToLower(hostport)
}

// Services lists the ids of those services in the catalog that a stand-in stands
// for; some have several.
func Services() []string {
	var ids []string
	for _, s := range standIns() {
		if !slices.Contains(ids, s.service) {
			ids = append(ids, s.service)
		}
	}
	return ids
}

// Aliases returns the stand-ins' address patterns for those of a service in the
// catalog, so that a gateway can be told whose they are. Patterns that match
// any host need none.
func Aliases(patterns []string) []string {
	var local []string
	for _, pattern := range patterns {
		host, path, slash := strings.Cut(pattern, "/")
		if strings.HasSuffix(host, "*") {
			continue // any host already, or one whose end is open
		}
		alias := host + suffix
		if slash {
			alias += "/" + path
		}
		local = append(local, alias)
	}
	return local
}
