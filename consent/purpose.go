package consent

import (
	"fmt"
	"strings"
)

// A Purpose is why something is stored on, or read from, a visitor's device.
// The names are those of the WP Consent API, except that its "functional" is
// called necessary here.
type Purpose string

const (
	Necessary   Purpose = "necessary"   // always on; never asked for
	Preferences Purpose = "preferences" // embeds, fonts, remembered settings
	Statistics  Purpose = "statistics"  // how the site is used
	Marketing   Purpose = "marketing"   // advertising and profiles across sites
)

// AllPurposes lists the purposes in the order in which they are shown.
func AllPurposes() []Purpose {
	return []Purpose{Necessary, Preferences, Statistics, Marketing}
}

// Optional lists the purposes a visitor is asked about, in the order in which
// they are shown.
func Optional() []Purpose { return AllPurposes()[1:] }

// ParsePurpose reads a purpose by its exact name.
func ParsePurpose(s string) (Purpose, error) {
	p := Purpose(s)
	if p.bit() == 0 {
		return "", fmt.Errorf("%q is not a purpose; use necessary, preferences, statistics or marketing", s)
	}
	return p, nil
}

func (p Purpose) bit() Purposes {
	switch p {
	case Necessary:
		return 1
	case Preferences:
		return 2
	case Statistics:
		return 4
	case Marketing:
		return 8
	}
	return 0
}

// Purposes is a set of purposes. The zero value is the empty set.
type Purposes uint8

// Everything is the set of all purposes.
const Everything Purposes = 15

// PurposesOf makes a set. Values that are no purpose are ignored.
func PurposesOf(ps ...Purpose) Purposes {
	var set Purposes
	for _, p := range ps {
		set |= p.bit()
	}
	return set
}

// Has reports whether p is in the set.
func (set Purposes) Has(p Purpose) bool { return set&p.bit() != 0 }

// With returns the set with ps added.
func (set Purposes) With(ps ...Purpose) Purposes { return set | PurposesOf(ps...) }

// Without returns the set with ps removed.
func (set Purposes) Without(ps ...Purpose) Purposes { return set &^ PurposesOf(ps...) }

// List returns the purposes of the set in the order in which they are shown.
func (set Purposes) List() []Purpose {
	list := make([]Purpose, 0, 4)
	for _, p := range AllPurposes() {
		if set.Has(p) {
			list = append(list, p)
		}
	}
	return list
}

// String gives the purposes as a list of structured-field tokens
// (RFC 9651 section 3.1), as the Consent request header carries them:
// "necessary, statistics".
func (set Purposes) String() string {
	names := make([]string, 0, 4)
	for _, p := range set.List() {
		names = append(names, string(p))
	}
	return strings.Join(names, ", ")
}
