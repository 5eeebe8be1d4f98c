package proxy

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/numfocus/consentgate/consent"
	"github.com/numfocus/consentgate/proxy/banner"
	"github.com/numfocus/consentgate/proxy/endpoint"
)

// An offer is what visitors are told of and asked about: the services the site
// is known to use, not the whole catalog. It never changes; when another service
// is seen there is another offer.
type offer struct {
	services   string // ids, to tell offers apart
	banner     *banner.Banner
	endpoint   *endpoint.Endpoint
	policy     consent.Policy
	generation string // of everything that edits pages
}

// offers holds the one in force.
type offers struct {
	now     atomic.Pointer[offer]
	checked atomic.Int64 // when the inventory was last asked, Unix seconds
	make    func(services []*consent.Service, joined []consent.Addition) (*offer, error)
}

// renew makes another offer where the inventory has seen another service. It asks
// at most once a second.
func (s *site) renew(now time.Time) {
	last := s.offers.checked.Load()
	if now.Unix() <= last || !s.offers.checked.CompareAndSwap(last, now.Unix()) {
		return
	}
	services := s.used()
	if s.offers.now.Load().services == idsOf(services) {
		return
	}
	o, err := s.offers.make(services, s.joined())
	if err != nil {
		s.parts.Log.Error().Err(err).Str("site", s.name).Msg("tell of another service")
		return
	}
	s.offers.now.Store(o)
}

// used lists the services the site is known to use: what the inventory has seen and
// what the site's configuration names. While nothing has been seen it may be any.
func (s *site) used() []*consent.Service {
	seen := s.inventory.Seen()
	if len(seen) == 0 {
		return s.catalog.Services()
	}
	var used []*consent.Service
	for _, service := range s.catalog.Services() {
		if seen[service.ID] || s.named[service.ID] {
			used = append(used, service)
		}
	}
	return used
}

// joined says since which day a service has been used. What was there on the
// inventory's first day has always been: whoever chose before it was asked of all.
func (s *site) joined() []consent.Addition {
	snapshot := s.inventory.Snapshot()
	first := map[consent.ServiceID]string{}
	for _, e := range snapshot.Seen {
		if day, ok := first[e.Service]; !ok || e.FirstSeen < day {
			first[e.Service] = e.FirstSeen
		}
	}
	var joined []consent.Addition
	for _, id := range slices.Sorted(maps.Keys(first)) {
		service, known := s.catalog.Service(id)
		day, err := time.Parse(time.DateOnly, first[id])
		if known && err == nil && first[id] > snapshot.Since {
			joined = append(joined, consent.Addition{Service: service, At: day})
		}
	}
	return joined
}

func idsOf(services []*consent.Service) string {
	var b strings.Builder
	for _, s := range services {
		b.WriteString(string(s.ID))
		b.WriteByte(' ')
	}
	return b.String()
}

// openOffers makes the first offer.
func (s *site) openOffers(c SiteConfig, all Config, with func(*offer) endpoint.Site) error {
	base, err := banner.New(c.Notice, s.catalog.Services(), cmp.Or(all.Signals.Prefix, endpoint.DefaultPrefix))
	if err != nil {
		return err
	}
	s.banner = base
	s.named = map[consent.ServiceID]bool{}
	for id := range c.Services {
		s.named[id] = true
	}
	s.offers.make = func(services []*consent.Service, joined []consent.Addition) (*offer, error) {
		o := &offer{services: idsOf(services), banner: base.WithServices(services), policy: base.Policy(joined)}
		if len(s.inventory.Seen()) == 0 {
			o.banner = base.Unseen()
		}
		var err error
		if o.generation, err = generation(c, all, s.parts.Version, s.catalog.Hash()+o.services); err != nil {
			return nil, err
		}
		site := with(o)
		site.Offered = services
		if o.endpoint, err = endpoint.New(all.Signals, site); err != nil {
			return nil, fmt.Errorf("prepare own routes: %w", err)
		}
		return o, nil
	}
	first, err := s.offers.make(s.used(), s.joined())
	if err != nil {
		return err
	}
	s.offers.now.Store(first)
	return nil
}
