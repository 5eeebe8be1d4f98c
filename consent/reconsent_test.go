package consent

import (
	"slices"
	"testing"
)

func TestAChoiceOutlivesMinorRevisions(t *testing.T) {
	p := Policy{Revision: "3", Earlier: []string{"2"}}
	for revision, want := range map[string]bool{"3": true, "2": true, "1": false, "4": false, "": false} {
		d := p.Decide(Visitor{Choice: choice(func(c *Choice) { c.Revision = revision })}, now)
		if got := d.Choice != nil; got != want || d.Ask == want {
			t.Errorf("revision %q counts: %t, asked: %t; want %t", revision, got, d.Ask, want)
		}
	}
}

// offered are services of which hotjar and pixel joined an hour ago.
func offered() (services []*Service, p Policy) {
	hotjar := &Service{ID: "hotjar", Purpose: Statistics}
	pixel := &Service{ID: "pixel", Purpose: Marketing, Sells: true}
	cdn := &Service{ID: "cdn", Purpose: Necessary}
	services = []*Service{cdn, {ID: "vimeo", Purpose: Preferences}, {ID: "matomo", Purpose: Statistics}, hotjar, pixel}
	p = Policy{Revision: "2"}
	for _, s := range []*Service{cdn, hotjar, pixel} {
		p.Added = append(p.Added, Addition{s, now.Add(-day / 24)})
	}
	return services, p
}

func TestNewServicesWaitUntilTheVisitorIsAskedAgain(t *testing.T) {
	statistics := choice(func(c *Choice) { c.Purposes = PurposesOf(Statistics) })
	for name, tt := range map[string]struct {
		choice  *Choice
		signals Signals
		added   []ServiceID
		allowed []ServiceID
		ask     bool
	}{
		"never asked":          {nil, Signals{}, nil, []ServiceID{"cdn"}, true},
		"one purpose":          {statistics, Signals{}, []ServiceID{"hotjar"}, []ServiceID{"cdn", "vimeo", "matomo"}, true},
		"two purposes":         {choice(nil), Signals{}, []ServiceID{"hotjar", "pixel"}, []ServiceID{"cdn", "vimeo", "matomo"}, true},
		"refused":              {choice(func(c *Choice) { c.Purposes, c.Services = 0, nil }), Signals{}, nil, []ServiceID{"cdn"}, false},
		"chosen after":         {choice(func(c *Choice) { c.At = now }), Signals{}, nil, []ServiceID{"cdn", "vimeo", "matomo", "hotjar", "pixel"}, false},
		"granted by itself":    {choice(func(c *Choice) { c.Purposes, c.Services = PurposesOf(Statistics), []ServiceID{"hotjar"} }), Signals{}, nil, []ServiceID{"cdn", "matomo", "hotjar"}, false},
		"signal, not asked":    {choice(nil), Signals{GPC: true}, []ServiceID{"hotjar"}, []ServiceID{"cdn", "vimeo", "matomo"}, false},
		"signal for nothing":   {choice(nil), Signals{DNT: DNTOn}, nil, []ServiceID{"cdn"}, false},
		"signal but overruled": {choice(func(c *Choice) { c.OverrodeGPC = true }), Signals{GPC: true}, []ServiceID{"hotjar", "pixel"}, []ServiceID{"cdn", "vimeo", "matomo"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			services, p := offered()
			d := p.Decide(Visitor{Choice: tt.choice, Signals: tt.signals}, now)
			if !slices.Equal(d.New, tt.added) || d.Ask != tt.ask {
				t.Errorf("new %v and asked %t, want %v and %t", d.New, d.Ask, tt.added, tt.ask)
			}
			var allowed []ServiceID
			for _, s := range services {
				if d.Allows(s) {
					allowed = append(allowed, s.ID)
				}
			}
			if !slices.Equal(allowed, tt.allowed) {
				t.Errorf("allowed %v, want %v", allowed, tt.allowed)
			}
		})
	}
}

func TestEverythingIsNotEverythingWhileServicesAreNew(t *testing.T) {
	services, p := offered()
	all := choice(func(c *Choice) { c.Purposes = Everything })
	d, before := p.Decide(Visitor{Choice: all}, now), policy.Decide(Visitor{Choice: all}, now)
	if d.AllowsEverything() || d.Key() == before.Key() {
		t.Error("pages are edited as if nothing were withheld")
	}
	once := p.Decide(Visitor{Choice: all, Once: []ServiceID{"hotjar"}}, now)
	if !once.Allows(services[3]) || !once.Ask {
		t.Error("a new service cannot be loaded once, or counts as agreed to after that")
	}
}

// What was granted can be stored with a later time and still grants the same.
func TestKeptGrantsNothingNew(t *testing.T) {
	services, p := offered()
	for said := Purposes(0); said <= Everything; said++ {
		c := choice(func(c *Choice) { c.Purposes, c.Services = said, []ServiceID{"vimeo"} })
		before := p.Decide(Visitor{Choice: c}, now)
		kept := p.Kept(*c, services)
		kept.At = now
		after := p.Decide(Visitor{Choice: &kept}, now)
		for _, s := range services {
			if before.Allows(s) != after.Allows(s) {
				t.Errorf("[%v]: %s was allowed: %t, is now: %t", said, s.ID, before.Allows(s), after.Allows(s))
			}
		}
		if after.Ask {
			t.Errorf("[%v]: asked again after an answer", said)
		}
		if !slices.IsSorted(kept.Services) || !slices.Equal(c.Services, []ServiceID{"vimeo"}) {
			t.Errorf("services %v, and the choice they came from has %v", kept.Services, c.Services)
		}
	}
}
