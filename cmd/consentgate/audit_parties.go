package main

import (
	"cmp"
	"slices"

	"github.com/numfocus/consentgate/consent"
)

// An auditParty is somebody who was contacted, or whose things were kept, in some
// of the visits.
type auditParty struct {
	Name    string
	Purpose consent.Purpose
	Hosts   []string
	Kept    []string
	Why     string // it was allowed
	Visits  int
	counted *auditVisit
}

// Parties lists, by purpose, who was contacted or kept something without being
// allowed, for those who read no further.
func (r *auditReport) Parties() []*auditParty {
	var list []*auditParty
	for _, v := range r.Visits {
		for _, c := range v.Escapes() {
			p := partyOf(&list, cmp.Or(c.Name, c.Host), c.Purpose)
			p.Hosts = include(p.Hosts, c.Host)
			p.count(v)
		}
		for _, k := range v.escapedKept() {
			p := partyOf(&list, cmp.Or(k.By, "unknown"), k.Purpose)
			p.Kept = include(p.Kept, k.Name)
			p.count(v)
		}
	}
	sortParties(list)
	return list
}

// Tolerated lists who was contacted by visitors that have allowed nothing, and
// says why that was no escape.
func (r *auditReport) Tolerated() []*auditParty {
	var list []*auditParty
	for _, v := range r.Visits {
		if v.decision.Purposes != consent.PurposesOf(consent.Necessary) {
			continue
		}
		for _, c := range v.Contacts {
			if c.escaped() {
				continue
			}
			p := partyOf(&list, cmp.Or(c.Name, c.Host), c.Purpose)
			p.Hosts = include(p.Hosts, c.Host)
			p.Why = c.why()
			p.count(v)
		}
	}
	sortParties(list)
	return list
}

// why says why a contact was no escape for somebody who has allowed nothing.
func (c auditContact) why() string {
	switch {
	case c.Verdict == byAllowed:
		return c.Verdict + ": " + c.By
	case c.Service == "":
		return "nobody knows it, and a " + c.Kind + " of such a host is let through"
	}
	return "the site does not work without it"
}

func (p *auditParty) count(v *auditVisit) {
	if p.counted != v {
		p.counted = v
		p.Visits++
	}
}

func partyOf(list *[]*auditParty, name string, purpose consent.Purpose) *auditParty {
	i := slices.IndexFunc(*list, func(p *auditParty) bool { return p.Name == name })
	if i < 0 {
		i = len(*list)
		*list = append(*list, &auditParty{Name: name, Purpose: purpose})
	}
	return (*list)[i]
}

// sortParties puts those that need the most of consent first.
func sortParties(list []*auditParty) {
	slices.SortStableFunc(list, func(a, b *auditParty) int {
		return cmp.Or(cmp.Compare(purposeRank(b.Purpose), purposeRank(a.Purpose)), cmp.Compare(a.Name, b.Name))
	})
}
