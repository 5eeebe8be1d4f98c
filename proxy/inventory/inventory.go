package inventory

import (
	"encoding/binary"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/numfocus/consentgate/consent"
	"github.com/numfocus/consentgate/consent/catalog"
)

// An Inventory is what was seen on one site. It is safe for concurrent use.
type Inventory struct {
	now     func() time.Time
	limit   limiter
	parties atomic.Uint64

	mu       sync.Mutex
	clock    calendar
	since    string
	things   map[key]*thing
	byNumber []*thing       // nil: it made room
	cookies  int            // of things
	domains  map[string]int // registrable domain -> things of its hosts
	services map[consent.ServiceID]int
	swept    string // the day on which stale things last made room
	leftOut  uint64
	reports  book
	changed  bool // since the last save
}

// A thing is an Entry with its place in byNumber.
type thing struct {
	Entry
	number int
}

func (t *thing) key() key { return key{t.Kind, t.Name, t.Service} }

// New makes an empty one. The clock may be nil for that of the system.
func New(now func() time.Time) *Inventory {
	if now == nil {
		now = time.Now
	}
	inv := &Inventory{now: now, things: map[key]*thing{}, domains: map[string]int{}, services: map[consent.ServiceID]int{}}
	inv.since = inv.clock.day(now())
	return inv
}

// Record adds what an answer showed. page is its path where it is an example
// worth keeping, and else empty. It appends to dst a reference by which [Again]
// counts the same once more without looking anything up.
func (inv *Inventory) Record(dst []byte, page string, s *Sightings) []byte {
	if s.Empty() {
		return dst
	}
	inv.mu.Lock()
	defer inv.mu.Unlock()
	inv.changed = true
	inv.leftOut += s.missed
	today := inv.clock.day(inv.now())
	for i := range s.list {
		if of := &s.list[i]; of.shown {
			dst = inv.record(dst, page, today, of)
		}
	}
	for i := range s.list {
		if of := &s.list[i]; !of.shown && inv.services[of.service] > 0 {
			dst = inv.record(dst, page, today, of)
		}
	}
	return dst
}

func (inv *Inventory) record(dst []byte, page, today string, of *sighting) []byte {
	t := inv.find(of.key, of.purpose, today)
	if t == nil {
		inv.leftOut++
		return dst
	}
	t.add(of.withheld, of.passed, today)
	t.addPage(page)
	dst = binary.AppendUvarint(dst, uint64(t.number))
	dst = binary.AppendUvarint(dst, of.withheld)
	return binary.AppendUvarint(dst, of.passed)
}

// Again counts what Record referred to once more: the same answer was given
// from memory. It accepts only what Record of this very Inventory has made.
func (inv *Inventory) Again(refs []byte) {
	if len(refs) == 0 {
		return
	}
	inv.mu.Lock()
	defer inv.mu.Unlock()
	today := inv.clock.day(inv.now())
	next := func() uint64 {
		n, size := binary.Uvarint(refs)
		refs = refs[max(size, 0):]
		return n
	}
	for len(refs) > 0 {
		number, withheld, passed := next(), next(), next()
		if t := inv.byNumber[number]; t != nil {
			t.add(withheld, passed, today)
		}
	}
	inv.changed = true
}

// find gives the thing for a key, a new one if there is room, or nil.
func (inv *Inventory) find(k key, purpose consent.Purpose, today string) *thing {
	if t, ok := inv.things[k]; ok {
		return t
	}
	k = k.clean()
	domain := ""
	if k.kind != Cookie && k.name != "" {
		domain = catalog.Registrable(k.name)
		if inv.domains[domain] >= maxPerSite {
			k.name = "*." + domain
		}
	}
	if t, ok := inv.things[k]; ok {
		return t
	}
	if inv.full(k.kind) && !inv.sweep(k.kind, today) {
		return nil
	}
	return inv.insert(Entry{
		Name: k.name, Kind: k.kind, Service: k.service, Purpose: purpose, FirstSeen: today, LastSeen: today,
	})
}

func (inv *Inventory) full(kind string) bool {
	if kind == Cookie {
		return inv.cookies >= maxCookies
	}
	return len(inv.things)-inv.cookies >= maxHosts
}

func (inv *Inventory) insert(e Entry) *thing {
	t := &thing{Entry: e, number: len(inv.byNumber)}
	inv.byNumber = append(inv.byNumber, t)
	inv.things[t.key()] = t
	inv.count(t, 1)
	return t
}

func (inv *Inventory) remove(t *thing) {
	delete(inv.things, t.key())
	inv.byNumber[t.number] = nil
	inv.count(t, -1)
}

// count keeps up what is known of all things together.
func (inv *Inventory) count(t *thing, n int) {
	switch {
	case t.Kind == Cookie:
		inv.cookies += n
	case t.Name != "":
		tally(inv.domains, catalog.Registrable(t.Name), n)
	}
	if t.Service != "" {
		before := len(inv.services)
		if tally(inv.services, t.Service, n); len(inv.services) != before {
			inv.parties.Add(1)
		}
	}
}

func tally[K comparable](counts map[K]int, k K, n int) {
	if counts[k] += n; counts[k] <= 0 {
		delete(counts, k)
	}
}

// sweep lets go what was not seen for long, at most once a day, and reports
// whether there is room now.
func (inv *Inventory) sweep(kind, today string) bool {
	if inv.swept == today {
		return false
	}
	inv.swept = today
	limit := inv.now().UTC().AddDate(0, 0, -staleAfter).Format(time.DateOnly)
	for _, t := range inv.things {
		if t.LastSeen < limit {
			inv.remove(t)
		}
	}
	return !inv.full(kind)
}

func (t *thing) add(withheld, passed uint64, today string) {
	t.Withheld += withheld
	t.Passed += passed
	t.LastSeen = today
}

func (e *Entry) addPage(path string) { e.Pages = withPage(e.Pages, path) }

func withPage(pages []string, path string) []string {
	if path == "" || len(pages) >= maxPages || slices.Contains(pages, path) {
		return pages
	}
	path = pagePath(path)
	if slices.Contains(pages, path) {
		return pages
	}
	return append(pages, path)
}

// Seen are the services that documents, headers and cookies have shown.
func (inv *Inventory) Seen() map[consent.ServiceID]bool {
	inv.mu.Lock()
	defer inv.mu.Unlock()
	seen := make(map[consent.ServiceID]bool, len(inv.services))
	for id := range inv.services {
		seen[id] = true
	}
	return seen
}

// Parties is another number after the services have changed that were seen or
// reported. It costs nothing to ask.
func (inv *Inventory) Parties() uint64 { return inv.parties.Load() }

// Reported are the services that browsers say they refused something of. Anybody can
// say so of any.
func (inv *Inventory) Reported() map[consent.ServiceID]bool {
	inv.mu.Lock()
	defer inv.mu.Unlock()
	reported := make(map[consent.ServiceID]bool, len(inv.reports.known))
	for k := range inv.reports.known {
		reported[k.service] = true
	}
	return reported
}

// Reclassify asks anew whose everything is, after the site's services or its
// first party may have changed. whose is told a kind, a name and the service it
// was of; it returns the service it is of now, or own for the site's own, which
// is forgotten.
func (inv *Inventory) Reclassify(whose func(kind, name string, was consent.ServiceID) (s *consent.Service, own bool)) {
	inv.mu.Lock()
	defer inv.mu.Unlock()
	for _, t := range slices.Clone(inv.byNumber) {
		if t == nil {
			continue
		}
		s, own := whose(t.Kind, t.Name, t.Service)
		inv.assign(t, s, own)
	}
}

func (inv *Inventory) assign(t *thing, s *consent.Service, own bool) {
	var id consent.ServiceID
	var purpose consent.Purpose
	if s != nil {
		id, purpose = s.ID, s.Purpose
	}
	if !own && id == t.Service && purpose == t.Purpose {
		return
	}
	inv.changed = true
	inv.remove(t)
	e := t.Entry
	e.Service, e.Purpose = id, purpose
	if own || e.Name == "" && id == "" {
		return
	}
	into, ok := inv.things[key{e.Kind, e.Name, id}]
	if !ok {
		inv.insert(e)
		return
	}
	into.merge(e)
}

// merge adds what was seen under another service.
func (e *Entry) merge(other Entry) {
	e.Withheld += other.Withheld
	e.Passed += other.Passed
	e.FirstSeen = min(e.FirstSeen, other.FirstSeen)
	e.LastSeen = max(e.LastSeen, other.LastSeen)
	for _, page := range other.Pages {
		e.addPage(page)
	}
}

// A calendar gives days in UTC, and formats each only once.
type calendar struct {
	number int64
	name   string
}

func (c *calendar) day(t time.Time) string {
	if n := t.Unix() / 86400; n != c.number || c.name == "" {
		c.number, c.name = n, t.UTC().Format(time.DateOnly)
	}
	return c.name
}
