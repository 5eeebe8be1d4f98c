package proxy

import (
	"sync/atomic"

	"github.com/numfocus/consentgate/consent/token"
	"github.com/numfocus/consentgate/proxy/memo"
	"github.com/numfocus/consentgate/proxy/upstream"
)

// kept is what a gateway hands on to the one that takes over from it.
type kept struct {
	memo     *memo.Memo
	memory   memo.Config // of memo
	catalogs *catalogs
	tunnels  *upstream.Tunnels
}

// keep takes from the gateway before, which may be nil. Pages are remembered
// under the generation of their site, so those of another configuration are never
// taken for this one's: they are forgotten in time, as nobody asks for them. A
// memory of another size begins empty.
func keep(before *Gateway, memory memo.Config, tokens *token.Codec) kept {
	if before == nil {
		return kept{memo: remembering(memory, tokens), memory: memory, catalogs: new(catalogs), tunnels: new(upstream.Tunnels)}
	}
	k := kept{memo: before.memo, memory: memory, catalogs: before.catalogs.next(), tunnels: before.tunnels}
	if before.memory != memory {
		k.memo = remembering(memory, tokens)
	}
	return k
}

// remembering makes an empty memo. Its secret is that of the tokens, so that a
// visitor who meets another gateway, or a later one, is still told that he has the
// page.
func remembering(c memo.Config, tokens *token.Codec) *memo.Memo {
	return memo.New(c, tokens.Derive("pages"))
}

// A life is that of a gateway which others may take over from: it ends when it
// is retired and its last request has ended.
type life struct {
	open    atomic.Int64
	retired atomic.Bool
}

func (g *Gateway) enter() { g.open.Add(1) }

func (g *Gateway) leave() {
	if g.open.Add(-1) == 0 && g.retired.Load() {
		g.closeIdle()
	}
}

// Retire is called when another gateway has taken over: the connections to the
// origins are closed as they come free. Requests under way, downloads and
// WebSockets included, go on as long as they like; so does one that comes late.
func (g *Gateway) Retire() {
	g.retired.Store(true)
	g.closeIdle()
}

// Open counts what is under way: requests, among them WebSockets, which are
// counted for all gateways that took over from each other.
func (g *Gateway) Open() (requests, tunnels int) {
	return int(g.open.Load()), g.tunnels.Len()
}

// Memo tells how remembering pages does.
func (g *Gateway) Memo() memo.Stats { return g.memo.Stats() }

// A SiteOrigin is the state of one of a site's origins.
type SiteOrigin struct {
	Site string
	upstream.State
}

// Origins are those of all sites.
func (g *Gateway) Origins() []SiteOrigin {
	var list []SiteOrigin
	for _, s := range g.all() {
		for _, state := range s.upstream.States() {
			list = append(list, SiteOrigin{s.name, state})
		}
	}
	return list
}
