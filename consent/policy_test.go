package consent

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

const day = 24 * time.Hour

var (
	now    = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	policy = Policy{Revision: "2"}
)

func choice(change func(*Choice)) *Choice {
	c := Choice{Purposes: PurposesOf(Statistics, Marketing), Services: []ServiceID{"vimeo"}, At: now.Add(-day), Revision: "2"}
	if change != nil {
		change(&c)
	}
	return &c
}

// TestDecideMatrix walks signals x choice x override and compares with the
// rules written out once more, the slow way.
func TestDecideMatrix(t *testing.T) {
	for _, gpc := range []bool{false, true} {
		for _, dnt := range []DNT{DNTUnset, DNTOff, DNTOn} {
			for said := Purposes(0); said <= Everything; said++ {
				for _, overGPC := range []bool{false, true} {
					for _, overDNT := range []bool{false, true} {
						c := choice(func(c *Choice) { c.Purposes, c.OverrodeGPC, c.OverrodeDNT = said, overGPC, overDNT })
						v := Visitor{Signals: Signals{DNT: dnt, GPC: gpc}, Choice: c}
						name := fmt.Sprintf("gpc=%t dnt=%q said=[%v] overrode gpc=%t dnt=%t", gpc, dnt, said, overGPC, overDNT)
						checkMatrix(t, name, v, policy.Decide(v, now))
					}
				}
			}
		}
	}
}

func checkMatrix(t *testing.T, name string, v Visitor, d Decision) {
	t.Helper()
	noTracking := v.Signals.DNT == DNTOn && !v.Choice.OverrodeDNT
	noSale := v.Signals.GPC && !v.Choice.OverrodeGPC
	for _, p := range AllPurposes() {
		want := p == Necessary || v.Choice.Purposes.Has(p) && !noTracking && (p != Marketing || !noSale)
		if got := d.Purposes.Has(p); got != want {
			t.Errorf("%s: %s allowed = %t, want %t", name, p, got, want)
		}
		for _, sells := range []bool{false, true} {
			s := &Service{ID: "s", Purpose: p, Sells: sells}
			want := p == Necessary || want && !(sells && noSale)
			if got := d.Allows(s); got != want {
				t.Errorf("%s: service of %s, sells=%t: allowed = %t, want %t", name, p, sells, got, want)
			}
		}
	}
	vimeo := &Service{ID: "vimeo", Purpose: Marketing}
	if got, want := d.Allows(vimeo), !noTracking && !noSale; got != want {
		t.Errorf("%s: a marketing service granted by name: allowed = %t, want %t", name, got, want)
	}
	form := &Service{ID: "vimeo", Purpose: Preferences}
	if got, want := d.Allows(form), !noTracking; got != want {
		t.Errorf("%s: a service granted by name that sells nothing: allowed = %t, want %t", name, got, want)
	}
	if d.Ask {
		t.Errorf("%s: a visitor who has answered is asked again", name)
	}
}

func TestWhoIsAsked(t *testing.T) {
	for _, tt := range []struct {
		name string
		v    Visitor
		want bool
	}{
		{"nobody has said anything", Visitor{}, true},
		{"DNT 0 is no answer", Visitor{Signals: Signals{DNT: DNTOff}}, true},
		{"DNT answers", Visitor{Signals: Signals{DNT: DNTOn}}, false},
		{"GPC answers", Visitor{Signals: Signals{GPC: true}}, false},
		{"an outdated choice under a signal", Visitor{Signals: Signals{GPC: true}, Choice: choice(func(c *Choice) { c.Revision = "1" })}, false},
		{"a choice", Visitor{Choice: choice(nil)}, false},
		{"a refusal", Visitor{Choice: &Choice{At: now, Revision: "2"}}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := policy.Decide(tt.v, now).Ask; got != tt.want {
				t.Errorf("Ask = %t, want %t", got, tt.want)
			}
		})
	}
}

func TestNothingIsAllowedToBeginWith(t *testing.T) {
	d := policy.Decide(Visitor{}, now)
	if d.Purposes != PurposesOf(Necessary) || len(d.Services) > 0 || d.AllowsUnknown() || d.AllowsEverything() {
		t.Errorf("a first visit allows %+v", d)
	}
	if !d.Allows(&Service{Purpose: Necessary}) {
		t.Error("a first visit withholds what is necessary")
	}
}

func TestHowLongAChoiceHolds(t *testing.T) {
	for _, tt := range []struct {
		name   string
		policy Policy
		change func(*Choice)
		want   bool
	}{
		{"just now", policy, func(c *Choice) { c.At = now }, true},
		{"179 days ago", policy, func(c *Choice) { c.At = now.Add(-179 * day) }, true},
		{"180 days ago, to the second", policy, func(c *Choice) { c.At = now.Add(-180 * day) }, false},
		{"181 days ago", policy, func(c *Choice) { c.At = now.Add(-181 * day) }, false},
		{"shorter validity", Policy{Revision: "2", Validity: 30 * day}, func(c *Choice) { c.At = now.Add(-31 * day) }, false},
		{"an earlier notice", policy, func(c *Choice) { c.Revision = "1" }, false},
		{"a later notice", policy, func(c *Choice) { c.Revision = "3" }, false},
		{"no notice", policy, func(c *Choice) { c.Revision = "" }, false},
		{"a clock an hour ahead", policy, func(c *Choice) { c.At = now.Add(time.Hour) }, true},
		{"a clock two days ahead", policy, func(c *Choice) { c.At = now.Add(2 * day) }, false},
		{"a clock 13 months ahead", policy, func(c *Choice) { c.At = now.AddDate(1, 1, 0) }, false},
		{"never", policy, func(c *Choice) { c.At = time.Time{} }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := tt.policy.Decide(Visitor{Choice: choice(tt.change)}, now)
			if got := d.Purposes.Has(Statistics); got != tt.want {
				t.Errorf("statistics allowed = %t, want %t", got, tt.want)
			}
			if got := d.Choice != nil; got != tt.want {
				t.Errorf("choice counted = %t, want %t", got, tt.want)
			}
			if d.Ask == tt.want {
				t.Errorf("Ask = %t although the choice counted = %t", d.Ask, tt.want)
			}
		})
	}
}

func TestLoadOnceHoldsUnderASignal(t *testing.T) {
	v := Visitor{Signals: Signals{DNT: DNTOn, GPC: true}, Once: []ServiceID{"youtube"}}
	d := policy.Decide(v, now)
	if !d.Allows(&Service{ID: "youtube", Purpose: Marketing}) {
		t.Error("a click on this very video was not obeyed")
	}
	if d.Allows(&Service{ID: "vimeo", Purpose: Marketing}) {
		t.Error("a click on one video allowed another")
	}
}

func TestDecideChangesNothing(t *testing.T) {
	c := choice(nil)
	before := *c
	policy.Decide(Visitor{Signals: Signals{DNT: DNTOn, GPC: true}, Choice: c}, now)
	if c.Purposes != before.Purposes || !slices.Equal(c.Services, before.Services) {
		t.Errorf("the visitor's choice became %+v", c)
	}
}

func TestKeyTellsDecisionsApart(t *testing.T) {
	visitors := map[string]Visitor{
		"first visit":         {},
		"refused":             {Choice: &Choice{At: now, Revision: "2"}},
		"gpc":                 {Signals: Signals{GPC: true}},
		"dnt":                 {Signals: Signals{DNT: DNTOn}},
		"both":                {Signals: Signals{DNT: DNTOn, GPC: true}},
		"granted":             {Choice: choice(nil)},
		"granted, no service": {Choice: choice(func(c *Choice) { c.Services = nil })},
		"granted, two":        {Choice: choice(func(c *Choice) { c.Services = []ServiceID{"vimeo", "x"} })},
		"once":                {Once: []ServiceID{"vimeo"}},
	}
	seen := map[string]string{}
	for name, v := range visitors {
		key := policy.Decide(v, now).Key()
		if other, ok := seen[key]; ok {
			t.Errorf("%q and %q share the key %q", name, other, key)
		}
		seen[key] = name
	}
	a := policy.Decide(Visitor{Choice: choice(func(c *Choice) { c.Record = "a" })}, now).Key()
	b := policy.Decide(Visitor{Choice: choice(func(c *Choice) { c.Record = "b"; c.At = now })}, now).Key()
	if a != b {
		t.Errorf("the key tells two visitors with the same choice apart: %q, %q", a, b)
	}
}
