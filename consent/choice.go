package consent

import (
	"slices"
	"time"
)

// Signals is what the browser says by itself, without the visitor having been
// asked on this site.
type Signals struct {
	DNT DNT
	GPC bool // some Sec-GPC field line is exactly "1"
}

// DNT is the value of the DNT request header
// (W3C Tracking Preference Expression, section 5.2).
type DNT byte

const (
	DNTUnset DNT = 0   // no preference expressed; not a permission
	DNTOn    DNT = '1' // this visitor prefers not to be tracked
	DNTOff   DNT = '0' // this visitor allows tracking; still not consent
)

// Any reports whether some signal asks for privacy.
func (s Signals) Any() bool { return s.GPC || s.DNT == DNTOn }

// A Choice is what a visitor said. The zero Choice grants nothing.
type Choice struct {
	Purposes Purposes    // granted; Necessary need not be in it
	Services []ServiceID // granted one by one, beyond the purposes; sorted
	At       time.Time   // when it was made
	Revision string      // of the notice it answered
	Record   string      // id of its receipt; empty for a visitor who granted nothing

	// OverrodeDNT and OverrodeGPC are set only when the visitor chose while
	// that signal was present, in a sentence that named it.
	OverrodeDNT bool
	OverrodeGPC bool
}

// Grants reports whether the choice allows anything that needs consent.
func (c Choice) Grants() bool {
	return c.Purposes.Without(Necessary) != 0 || len(c.Services) > 0
}

// GrantsService reports whether the choice allows s, signals aside.
func (c Choice) GrantsService(s *Service) bool {
	return c.Purposes.Has(s.Purpose) || slices.Contains(c.Services, s.ID)
}

// A Visitor is all that a decision needs to know of who asks.
type Visitor struct {
	Signals Signals
	Choice  *Choice     // from a valid token; nil: none
	Once    []ServiceID // asked to be loaded for this one page by a click on their placeholder
}
