package banner

import (
	"slices"
	"strconv"
	"strings"

	"github.com/numfocus/consentgate/consent"
)

// A class is what scripts need to know of a decision, as it stands in their
// address: the purposes as a number, "s" where Sec-GPC and "t" where DNT is in
// force, and the ids of services granted one by one (after "."), new ones that wait
// (after "_") and those for once (after "~"). Decisions that allow the same have the
// same class; nothing in it tells visitors apart.
type class string

func classOf(d consent.Decision) class {
	c := strconv.Itoa(int(d.Purposes))
	if d.NoSale {
		c += "s"
	}
	if d.NoTracking {
		c += "t"
	}
	for _, id := range d.Services {
		c += "." + string(id)
	}
	for _, id := range d.New {
		c += "_" + string(id)
	}
	for _, id := range d.Once {
		c += "~" + string(id)
	}
	return class(c)
}

// decision reads a class. Only the one way of writing it that classOf has is
// read, and no services but those of the site: there are not many more addresses
// than decisions.
func (s *site) decision(c class) (consent.Decision, bool) {
	rest := string(c)
	digits := strings.TrimLeft(rest, "0123456789")
	n, err := strconv.ParseUint(rest[:len(rest)-len(digits)], 10, 8)
	if err != nil || consent.Purposes(n) > consent.Everything {
		return consent.Decision{}, false
	}
	d := consent.Decision{Purposes: consent.Purposes(n)}
	rest, d.NoSale = strings.CutPrefix(digits, "s")
	rest, d.NoTracking = strings.CutPrefix(rest, "t")
	rest, once, isOnce := strings.Cut(rest, "~")
	granted, added, isNew := strings.Cut(rest, "_")
	if granted != "" {
		d.Services = ids(granted[1:], ".")
	}
	if isNew {
		d.New = ids(added, "_")
	}
	if isOnce {
		d.Once = ids(once, "~")
	}
	known := s.has(d.Services) && s.has(d.New) && s.has(d.Once)
	return d, known && classOf(d) == c
}

func ids(list, separator string) []consent.ServiceID {
	var all []consent.ServiceID
	for id := range strings.SplitSeq(list, separator) {
		all = append(all, consent.ServiceID(id))
	}
	return all
}

// has reports whether ids are services of the site, sorted and each once.
func (s *site) has(ids []consent.ServiceID) bool {
	for i, id := range ids {
		if i > 0 && ids[i-1] >= id {
			return false
		}
		if !slices.ContainsFunc(s.services, func(svc *consent.Service) bool { return svc.ID == id }) {
			return false
		}
	}
	return true
}
