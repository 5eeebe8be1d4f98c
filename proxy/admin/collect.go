package admin

import (
	"cmp"
	"context"
	"runtime"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/numfocus/consentgate/proxy/inventory"
)

// Sources are asked at each scrape. Any may be nil.
type Sources struct {
	Version      string
	Open         func() (requests, tunnels int)
	Memo         func() Memo
	Sightings    func() map[string][]inventory.Total // by site
	Ledger       func(context.Context) error         // why grants cannot be stored, or nil
	Outbox       func() (Outbox, bool)               // false: the ledger has none
	Origins      func() []Origin
	Certificates func() []Certificate
}

// A Memo is how remembering edited pages does.
type Memo struct {
	Hits, Misses, Shared, Evicted uint64
	Bytes                         int64
	Entries                       int
}

// An Outbox is how far the ledger's database is behind.
type Outbox struct {
	Pending uint64    // receipts and erasures it does not have
	Last    time.Time // of the last success; zero: none since the start
	Working bool
}

// An Origin is one of a site's.
type Origin struct {
	Site, URL            string
	Up                   bool
	Requests, WebSockets int // open now
}

// A Certificate is one that visitors are shown.
type Certificate struct {
	Name     string // of the configuration
	NotAfter time.Time
}

// A collector asks the sources.
type collector struct {
	sources Sources
	seen    *rising

	build, requests, sockets                *prometheus.Desc
	hits, misses, shared, evicted           *prometheus.Desc
	memoBytes, memoEntries                  *prometheus.Desc
	sightings                               *prometheus.Desc
	writable                                *prometheus.Desc
	pending, shipped, shipping              *prometheus.Desc
	originUp, originRequests, originSockets *prometheus.Desc
	expiry                                  *prometheus.Desc
}

func newCollector(s Sources) *collector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("consentgate_"+name, help, labels, nil)
	}
	c := &collector{
		sources: s, seen: newRising(),

		build:    desc("build_info", "The program; always 1.", "version", "go"),
		requests: desc("requests_open", "Requests under way."),
		sockets:  desc("websockets_open", "WebSockets that are open."),

		hits:        desc("memo_hits_total", "Edited pages that were remembered."),
		misses:      desc("memo_misses_total", "Edited pages that were not."),
		shared:      desc("memo_shared_total", "Pages that somebody else's request was just editing."),
		evicted:     desc("memo_evicted_total", "Pages that were forgotten to make room."),
		memoBytes:   desc("memo_bytes", "Bytes that remembering takes."),
		memoEntries: desc("memo_entries", "Pages that are remembered."),

		sightings: desc("sightings_total", "Things of third parties and cookies seen, by service.", "site", "service", "kind", "outcome"),
		writable:  desc("ledger_writable", "1 if grants can be stored."),

		pending:  desc("outbox_pending", "Records that PostgreSQL does not have yet."),
		shipped:  desc("outbox_shipped_timestamp_seconds", "When PostgreSQL last took something, Unix time; 0: not since the start."),
		shipping: desc("outbox_working", "1 if PostgreSQL takes what it is given."),

		originUp:       desc("origin_up", "0 if an origin counts as down.", "site", "origin"),
		originRequests: desc("origin_requests_open", "Requests at an origin.", "site", "origin"),
		originSockets:  desc("origin_websockets_open", "WebSockets to an origin.", "site", "origin"),
		expiry:         desc("certificate_expiry_timestamp_seconds", "When a certificate ends, Unix time.", "name"),
	}
	if s.Sightings != nil {
		c.seen.begin(s.Sightings())
	}
	return c
}

// Describe says nothing: which of them there are depends on the configuration.
func (c *collector) Describe(chan<- *prometheus.Desc) {}

// Collect is called at each scrape, by several goroutines if there are several.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	send := func(d *prometheus.Desc, kind prometheus.ValueType, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, kind, value, labels...)
	}
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		send(d, prometheus.GaugeValue, value, labels...)
	}
	gauge(c.build, 1, c.sources.Version, runtime.Version())
	if c.sources.Open != nil {
		requests, tunnels := c.sources.Open()
		gauge(c.requests, float64(requests))
		gauge(c.sockets, float64(tunnels))
	}
	if c.sources.Memo != nil {
		c.collectMemo(send)
	}
	if c.sources.Sightings != nil {
		c.seen.each(c.sources.Sightings(), func(of sighting, n float64) {
			send(c.sightings, prometheus.CounterValue, n, of.site, cmp.Or(of.service, "unknown"), of.kind, of.outcome)
		})
	}
	c.collectLedger(gauge)
	if c.sources.Origins != nil {
		for _, o := range c.sources.Origins() {
			gauge(c.originUp, truth(o.Up), o.Site, o.URL)
			gauge(c.originRequests, float64(o.Requests), o.Site, o.URL)
			gauge(c.originSockets, float64(o.WebSockets), o.Site, o.URL)
		}
	}
	if c.sources.Certificates != nil {
		for _, cert := range c.sources.Certificates() {
			gauge(c.expiry, float64(cert.NotAfter.Unix()), cert.Name)
		}
	}
}

func (c *collector) collectMemo(send func(*prometheus.Desc, prometheus.ValueType, float64, ...string)) {
	m := c.sources.Memo()
	send(c.hits, prometheus.CounterValue, float64(m.Hits))
	send(c.misses, prometheus.CounterValue, float64(m.Misses))
	send(c.shared, prometheus.CounterValue, float64(m.Shared))
	send(c.evicted, prometheus.CounterValue, float64(m.Evicted))
	send(c.memoBytes, prometheus.GaugeValue, float64(m.Bytes))
	send(c.memoEntries, prometheus.GaugeValue, float64(m.Entries))
}

// patience is how long a scrape waits for the ledger.
const patience = 3 * time.Second

func (c *collector) collectLedger(gauge func(*prometheus.Desc, float64, ...string)) {
	if c.sources.Ledger != nil {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		gauge(c.writable, truth(c.sources.Ledger(ctx) == nil))
	}
	if c.sources.Outbox == nil {
		return
	}
	if o, ok := c.sources.Outbox(); ok {
		gauge(c.pending, float64(o.Pending))
		gauge(c.shipping, truth(o.Working))
		at := 0.0
		if !o.Last.IsZero() {
			at = float64(o.Last.Unix())
		}
		gauge(c.shipped, at)
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// A sighting is what is counted of one.
type sighting struct{ site, service, kind, outcome string }

// rising makes counters of numbers that may also fall, because the inventory
// forgets things or learns whose they are: a fall counts as nothing. It is safe
// for concurrent use.
type rising struct {
	mu   sync.Mutex
	last map[sighting]uint64
	sum  map[sighting]uint64
}

func newRising() *rising {
	return &rising{last: map[sighting]uint64{}, sum: map[sighting]uint64{}}
}

// begin notes what there was before the program started.
func (r *rising) begin(totals map[string][]inventory.Total) {
	eachTotal(totals, func(of sighting, n uint64) { r.last[of] = n })
}

func (r *rising) each(totals map[string][]inventory.Total, visit func(sighting, float64)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	eachTotal(totals, func(of sighting, n uint64) {
		if n > r.last[of] {
			r.sum[of] += n - r.last[of]
		}
		r.last[of] = n
		visit(of, float64(r.sum[of]))
	})
}

func eachTotal(totals map[string][]inventory.Total, visit func(sighting, uint64)) {
	for site, list := range totals {
		for _, t := range list {
			visit(sighting{site, string(t.Service), t.Kind, "withheld"}, t.Withheld)
			visit(sighting{site, string(t.Service), t.Kind, "passed"}, t.Passed)
		}
	}
}
