package consent

import (
	"slices"
	"time"
)

// DefaultValidity is how long a choice holds, whether yes or no: six months,
// as the CNIL recommends.
const DefaultValidity = 180 * 24 * time.Hour

// clockSkew is how far in the future a choice may lie: another gateway's clock
// may be ahead of this one's.
const clockSkew = 24 * time.Hour

// A Policy is what a site decides once for all visitors.
type Policy struct {
	Revision string        // of the notice in force
	Earlier  []string      // revisions under which a choice still holds; under any other one it is no choice
	Added    []Addition    // services that whoever chose before them was not told of
	Validity time.Duration // of a choice; zero: [DefaultValidity]
}

// An Addition is a service that joined those the site offers.
type Addition struct {
	Service *Service
	At      time.Time
}

// Decide says what is allowed for v at the time now. It is pure and safe for
// concurrent use.
func (p Policy) Decide(v Visitor, now time.Time) Decision {
	d := Decision{Purposes: PurposesOf(Necessary), Signals: v.Signals, Once: v.Once}

	choice, ok := p.current(v.Choice, now)
	if ok {
		d.Choice = v.Choice
		d.Purposes = choice.Purposes.With(Necessary)
		d.Services = choice.Services
	}
	if v.Signals.GPC && !choice.OverrodeGPC {
		d.NoSale = true
		d.Purposes = d.Purposes.Without(Marketing)
	}
	if v.Signals.DNT == DNTOn && !choice.OverrodeDNT {
		d.Purposes = PurposesOf(Necessary)
		d.Services = nil
		d.NoTracking = true
	}
	if ok && !d.NoTracking {
		d.New = p.unknownTo(choice, d.NoSale)
	}
	d.Ask = (!ok || len(d.New) > 0) && !v.Signals.Any()
	return d
}

// unknownTo lists the services of granted purposes that joined after the choice.
func (p Policy) unknownTo(c Choice, noSale bool) []ServiceID {
	var ids []ServiceID
	for _, a := range p.Added {
		s := a.Service
		switch {
		case s.Purpose == Necessary, !c.Purposes.Has(s.Purpose), slices.Contains(c.Services, s.ID):
		case noSale && (s.Sells || s.Purpose == Marketing):
		case a.At.After(c.At):
			ids = append(ids, s.ID)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// Kept is what c grants now, in a form that can be stored with a later time: where
// services joined a purpose after the choice, the others of it are granted one by
// one. services are those the site offers.
func (p Policy) Kept(c Choice, services []*Service) Choice {
	added := p.unknownTo(c, false)
	if len(added) == 0 {
		return c
	}
	before := c.Purposes
	for _, a := range p.Added {
		if slices.Contains(added, a.Service.ID) {
			c.Purposes = c.Purposes.Without(a.Service.Purpose)
		}
	}
	c.Services = slices.Clone(c.Services)
	for _, s := range services {
		if before.Has(s.Purpose) && !c.Purposes.Has(s.Purpose) && !slices.Contains(added, s.ID) {
			c.Services = append(c.Services, s.ID)
		}
	}
	slices.Sort(c.Services)
	c.Services = slices.Compact(c.Services)
	return c
}

// Until is when a choice made at the time at ceases to hold.
func (p Policy) Until(at time.Time) time.Time { return at.Add(p.validity()) }

func (p Policy) current(c *Choice, now time.Time) (Choice, bool) {
	switch {
	case c == nil, c.Revision != p.Revision && !slices.Contains(p.Earlier, c.Revision):
		return Choice{}, false
	case c.At.After(now.Add(clockSkew)), !now.Before(p.Until(c.At)):
		return Choice{}, false
	}
	return *c, true
}

func (p Policy) validity() time.Duration {
	if p.Validity == 0 {
		return DefaultValidity
	}
	return p.Validity
}

// A Decision is what is allowed for one request. It is a value: copy it, but do
// not change the slices it holds.
type Decision struct {
	Purposes   Purposes    // allowed; always has Necessary
	Services   []ServiceID // allowed beyond the purposes
	Once       []ServiceID // allowed for this one page
	New        []ServiceID // not allowed, though their purpose is: the visitor was not told of them; sorted
	NoSale     bool        // Sec-GPC is in force: what sells or shares data is withheld whatever its purpose
	NoTracking bool        // DNT is in force: only what is necessary is allowed
	Ask        bool        // show the banner
	Signals    Signals     // as received
	Choice     *Choice     // the choice that counted; nil: none
}

// Allows reports whether s may be loaded and its cookies kept.
func (d Decision) Allows(s *Service) bool {
	switch {
	case s.Purpose == Necessary, slices.Contains(d.Once, s.ID):
		return true
	case d.NoTracking:
		return false
	case d.NoSale && (s.Sells || s.Purpose == Marketing):
		return false
	case slices.Contains(d.Services, s.ID):
		return true
	}
	return d.Purposes.Has(s.Purpose) && !slices.Contains(d.New, s.ID)
}

// AllowsUnknown reports whether third parties nobody classified may be loaded:
// they wait for marketing, the purpose that asks for most.
func (d Decision) AllowsUnknown() bool { return d.Purposes.Has(Marketing) }

// AllowsEverything reports whether nothing at all is withheld.
func (d Decision) AllowsEverything() bool {
	return d.Purposes == Everything && !d.NoSale && !d.NoTracking && len(d.New) == 0
}

// Signalled reports whether a signal is in force, that is, present and not
// overridden.
func (d Decision) Signalled() bool { return d.NoSale || d.NoTracking }

// Key is equal for two decisions exactly when they allow the same and a page
// shows the visitor the same. It holds nothing about who the visitor is.
func (d Decision) Key() string {
	key := []byte{'a' + byte(d.Purposes), flags(d.NoSale, d.NoTracking, d.Ask)}
	for _, id := range d.Services {
		key = append(append(key, '+'), id...)
	}
	for _, id := range d.Once {
		key = append(append(key, '!'), id...)
	}
	for _, id := range d.New {
		key = append(append(key, '?'), id...)
	}
	return string(key)
}

func flags(bits ...bool) byte {
	var b byte = 'a'
	for i, set := range bits {
		if set {
			b += 1 << i
		}
	}
	return b
}
