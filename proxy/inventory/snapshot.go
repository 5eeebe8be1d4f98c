package inventory

import (
	"cmp"
	"slices"
	"strings"

	"github.com/numfocus/consentgate/consent"
)

// A Snapshot is an inventory at one moment, as it is saved and shown.
type Snapshot struct {
	Since   string     `json:"since"`   // the day it was begun
	Seen    []Entry    `json:"seen"`    // known services first, by purpose; then by name and kind
	Reports []Reported `json:"reports"` // what browsers say they refused to load; anybody can send these

	LeftOut        uint64 `json:"left_out,omitempty"`        // sightings for which there was no room
	ReportsRefused uint64 `json:"reports_refused,omitempty"` // reports beyond the limit of their source
}

// An Entry is one thing that was seen.
type Entry struct {
	Name      string            `json:"name,omitempty"`    // a host, or the name of a cookie; empty: an inline script
	Kind      string            `json:"kind"`              // "script", "frame", "cookie", ...
	Service   consent.ServiceID `json:"service,omitempty"` // empty: nobody's that the catalog knows
	Purpose   consent.Purpose   `json:"purpose,omitempty"` // of the service
	Withheld  uint64            `json:"withheld"`          // times; in mode observe: times it would have been
	Passed    uint64            `json:"passed"`
	FirstSeen string            `json:"first_seen"` // a day in UTC, YYYY-MM-DD
	LastSeen  string            `json:"last_seen"`
	Pages     []string          `json:"pages,omitempty"` // paths of a few pages it was on
}

// A Total is how often things of a kind and a service were withheld and passed.
type Total struct {
	Kind             string
	Service          consent.ServiceID // empty: unknown ones
	Purpose          consent.Purpose
	Withheld, Passed uint64
}

// Snapshot copies the inventory.
func (inv *Inventory) Snapshot() Snapshot {
	inv.mu.Lock()
	defer inv.mu.Unlock()
	s := Snapshot{
		Since:          inv.since,
		Seen:           make([]Entry, 0, len(inv.things)),
		Reports:        inv.reports.list(),
		LeftOut:        inv.leftOut,
		ReportsRefused: inv.reports.refused,
	}
	for _, t := range inv.things {
		e := t.Entry
		e.Pages = slices.Clone(e.Pages)
		s.Seen = append(s.Seen, e)
	}
	slices.SortFunc(s.Seen, compareEntries)
	return s
}

// compareEntries puts what nobody knows last.
func compareEntries(a, b Entry) int {
	return cmp.Or(
		cmp.Compare(rank(a.Purpose), rank(b.Purpose)),
		strings.Compare(string(a.Service), string(b.Service)),
		strings.Compare(a.Name, b.Name),
		strings.Compare(a.Kind, b.Kind),
	)
}

func rank(p consent.Purpose) int {
	all := consent.AllPurposes()
	if i := slices.Index(all, p); i >= 0 {
		return i
	}
	return len(all)
}

// Totals adds up the entries by kind and service, in a fixed order.
func (inv *Inventory) Totals() []Total {
	inv.mu.Lock()
	defer inv.mu.Unlock()
	type of struct {
		kind    string
		service consent.ServiceID
	}
	sums := map[of]*Total{}
	for k, t := range inv.things {
		sum, ok := sums[of{k.kind, k.service}]
		if !ok {
			sum = &Total{Kind: k.kind, Service: k.service, Purpose: t.Purpose}
			sums[of{k.kind, k.service}] = sum
		}
		sum.Withheld += t.Withheld
		sum.Passed += t.Passed
	}
	list := make([]Total, 0, len(sums))
	for _, sum := range sums {
		list = append(list, *sum)
	}
	slices.SortFunc(list, func(a, b Total) int {
		return cmp.Or(strings.Compare(string(a.Service), string(b.Service)), strings.Compare(a.Kind, b.Kind))
	})
	return list
}

// restore takes over what was saved, within the bounds. inv must be new.
func (inv *Inventory) restore(s Snapshot) {
	inv.mu.Lock()
	defer inv.mu.Unlock()
	if s.Since != "" {
		inv.since = s.Since
	}
	inv.leftOut, inv.reports.refused = s.LeftOut, s.ReportsRefused
	for _, e := range s.Seen {
		k := key{e.Kind, e.Name, e.Service}.clean()
		e.Kind, e.Name, e.Service = k.kind, k.name, k.service
		if _, twice := inv.things[k]; twice || k.kind == "" || k.name == "" && k.service == "" || inv.full(k.kind) {
			continue
		}
		pages := e.Pages
		e.Pages = nil
		for _, page := range pages {
			e.addPage(page)
		}
		inv.insert(e)
	}
	for _, r := range s.Reports {
		inv.reports.restore(r)
	}
}
