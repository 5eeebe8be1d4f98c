package main

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/numfocus/consentgate/consent/ledger"
	"github.com/numfocus/consentgate/consent/ledger/postgres"
	"github.com/numfocus/consentgate/proxy/admin"
	"github.com/numfocus/consentgate/proxy/serve"
)

// A stage is how far the program is.
type stage int32

const (
	starting stage = iota
	serving
	stopping
)

// ops knows what those who run the gateway ask for.
type ops struct {
	worlds *worlds
	ledger ledger.Store
	stage  atomic.Int32
	server atomic.Pointer[serve.Server] // nil: not there yet
}

func (o *ops) enter(s stage) { o.stage.Store(int32(s)) }

// problems are what is wrong at the moment. Only before it listens and once it
// ends does a gateway want no visitors.
func (o *ops) problems(ctx context.Context) []admin.Problem {
	var all []admin.Problem
	add := func(what, format string, args ...any) {
		all = append(all, admin.Problem{What: what, Why: fmt.Sprintf(format, args...)})
	}
	switch stage(o.stage.Load()) {
	case starting:
		all = append(all, admin.Problem{What: "start", Why: "it does not listen for visitors yet", Out: true})
	case stopping:
		all = append(all, admin.Problem{What: "stop", Why: "it ends what is under way", Out: true})
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := o.ledger.Health(ctx); err != nil {
		add("ledger", "grants cannot be stored: %v", err)
	}
	if s, ok := o.shipping(); ok && s.Err != nil {
		add("outbox", "PostgreSQL takes nothing, and %d records wait: %v", s.Pending, s.Err)
	}
	for _, origin := range o.origins() {
		if !origin.Up {
			add("origin", "%s of site %s does not answer", origin.URL, origin.Site)
		}
	}
	if why := o.worlds.refused.Load(); why != nil {
		add("configuration", "the last reload failed and the one before goes on: %s", *why)
	}
	return all
}

func (o *ops) shipping() (postgres.Shipping, bool) {
	shipper, ok := o.ledger.(interface{ Shipping() postgres.Shipping })
	if !ok {
		return postgres.Shipping{}, false
	}
	return shipper.Shipping(), true
}

func (o *ops) origins() []admin.Origin {
	w := o.worlds.now.Load()
	if w == nil {
		return nil
	}
	var all []admin.Origin
	for _, s := range w.gateway.Origins() {
		all = append(all, admin.Origin{Site: s.Site, URL: s.URL, Up: !s.Down, Requests: s.Requests, WebSockets: s.WebSockets})
	}
	return all
}

// certificates may have the same name twice: in the admin's files, and old and
// new. The one that ends last counts.
func (o *ops) certificates() []admin.Certificate {
	server := o.server.Load()
	if server == nil {
		return nil
	}
	last := map[string]time.Time{}
	for _, c := range server.Certificates() {
		if c.NotAfter.After(last[c.Name]) {
			last[c.Name] = c.NotAfter
		}
	}
	var all []admin.Certificate
	for _, name := range slices.Sorted(maps.Keys(last)) {
		all = append(all, admin.Certificate{Name: name, NotAfter: last[name]})
	}
	return all
}

// sources are what is asked for at each scrape.
func (o *ops) sources() admin.Sources {
	return admin.Sources{
		Version: buildVersion(),
		Open:    func() (requests, tunnels int) { return o.worlds.now.Load().gateway.Open() },
		Memo: func() admin.Memo {
			m := o.worlds.now.Load().gateway.Memo()
			return admin.Memo{Hits: m.Hits, Misses: m.Misses, Shared: m.Shared, Evicted: m.Evicted, Bytes: m.Bytes, Entries: m.Entries}
		},
		Sightings: o.worlds.parts.Inventory.Totals,
		Ledger:    o.ledger.Health,
		Outbox: func() (admin.Outbox, bool) {
			s, ok := o.shipping()
			return admin.Outbox{Pending: s.Pending, Last: s.Last, Working: s.Err == nil}, ok
		},
		Origins:      o.origins,
		Certificates: o.certificates,
	}
}

func (o *ops) handler(c admin.Config, reload func(context.Context) (string, error)) http.Handler {
	return admin.New(c, admin.Parts{
		Problems:  o.problems,
		Reload:    reload,
		Inventory: o.worlds.parts.Inventory.File,
		Metrics:   o.worlds.metrics,
	})
}

// patience is how long a probe waits for the ledger.
const patience = 3 * time.Second
