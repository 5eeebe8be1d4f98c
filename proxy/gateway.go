package proxy

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/rs/zerolog"

	"github.com/numfocus/consentgate/consent/catalog"
	"github.com/numfocus/consentgate/consent/ledger"
	"github.com/numfocus/consentgate/consent/token"
	"github.com/numfocus/consentgate/proxy/encode"
	"github.com/numfocus/consentgate/proxy/inventory"
	"github.com/numfocus/consentgate/proxy/upstream"
)

// A Gateway stands in front of one or more sites. It does not change once made
// and is safe for concurrent use: a reload makes another one.
type Gateway struct {
	sites   map[string]*site // by host, lower case and without port
	any     *site            // serves every other host; nil: none
	trusted upstream.Trusted
	parts   Parts
	codings encode.Pool
	small   bool // pages are compressed for size
	limits  limits
	reuse   reuse
	kept
	life
}

// Parts are what a gateway is given besides its configuration.
type Parts struct {
	Ledger ledger.Ledger
	Tokens *token.Codec
	Log    zerolog.Logger
	Now    func() time.Time // nil: time.Now

	// Inventory is where what is seen on the sites is kept; nil: only as long as
	// the gateway lasts.
	Inventory *inventory.Store

	// Version of the program: what another version made of a page is not taken
	// for what this one would make.
	Version string

	// Meter is told what the gateway does; nil: nobody is.
	Meter Meter
	// Addresses says how visitors' addresses are logged.
	Addresses Addresses
	// After is the gateway that this one takes over from; nil: none. What would
	// be made equal is taken from it, and so are its WebSockets, which go on.
	After *Gateway
}

func (p Parts) now() time.Time {
	if p.Now == nil {
		return time.Now()
	}
	return p.Now()
}

// New prepares all sites. It connects to nothing.
func New(c Config, parts Parts) (*Gateway, error) {
	base := readBuiltinOnce()
	if err := c.check(base); err != nil {
		return nil, err
	}
	trusted, err := upstream.NewTrusted(c.TrustedProxies)
	if err != nil {
		return nil, err
	}
	if parts.Inventory == nil {
		parts.Inventory = inventory.InMemory(parts.now)
	}
	if parts.Meter == nil {
		parts.Meter = unmetered{}
	}
	after := parts.After
	parts.After = nil // or every gateway would hold on to all before it
	g := &Gateway{
		sites: map[string]*site{}, trusted: trusted, parts: parts, small: c.Compression == Small,
		limits: newLimits(c.Limits), kept: keep(after, c.Memory, parts.Tokens),
	}
	for _, sc := range c.Sites {
		known := func(own catalog.Config) (*catalog.Catalog, error) { return g.catalogs.with(base, own) }
		s, err := newSite(sc, c, parts, trusted, known)
		if err != nil {
			return nil, fmt.Errorf("prepare site %s: %w", sc.name(), err)
		}
		if len(sc.Hosts) == 0 {
			g.any = s
		}
		for _, h := range sc.Hosts {
			g.sites[h] = s
		}
	}
	return g, nil
}

// level is that of a coding for a page that a visitor waits for.
func (g *Gateway) level(coding string) int {
	if g.small {
		return encode.Tight(coding)
	}
	return encode.Fast(coding)
}

var _ http.Handler = (*Gateway)(nil)

// ServeHTTP is the path of one request.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.enter()
	defer g.leave()
	x := g.begin(w, r)
	defer x.end()

	if status, reason := upstream.Refuse(r); status != 0 {
		x.refuse(status, reason)
		return
	}
	if x.site == nil {
		x.refuse(http.StatusMisdirectedRequest, "no site has this host")
		return
	}
	if x.judge.offer.endpoint.Handles(r.URL.Path) { // before anything that could fail
		x.judge.offer.endpoint.ServeHTTP(x.own(), r)
		return
	}
	x.decide()
	res, err := x.ask()
	if err != nil {
		x.originFailed(err)
		return
	}
	defer res.Body.Close()
	x.filter(res)
	if res.StatusCode == http.StatusSwitchingProtocols {
		x.tunnel(res)
		return
	}
	x.deliver(res)
}

// Close tells open WebSockets goodbye and closes idle connections to the
// origins. Requests under way go on.
func (g *Gateway) Close(ctx context.Context) {
	g.tunnels.Close(ctx)
	g.closeIdle()
}

func (g *Gateway) closeIdle() {
	for _, s := range g.all() {
		s.upstream.Close()
	}
}

// all lists the sites.
func (g *Gateway) all() []*site {
	var list []*site
	if g.any != nil {
		list = append(list, g.any)
	}
	for _, s := range g.sites {
		if !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	return list
}
