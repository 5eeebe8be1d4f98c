package inventory

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/numfocus/consentgate/consent"
)

// A wall is a clock that tests turn.
type wall struct {
	mu sync.Mutex
	at time.Time
}

func newWall() *wall { return &wall{at: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)} }

func (w *wall) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.at
}

func (w *wall) turn(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at = w.at.Add(d)
}

const day = 24 * time.Hour

var video = &consent.Service{ID: "video", Purpose: consent.Marketing}

func sight(kind, name string, s *consent.Service, withheld bool) *Sightings {
	var list Sightings
	list.Add(kind, name, s, withheld)
	return &list
}

func TestRecord(t *testing.T) {
	clock := newWall()
	inv := New(clock.now)
	var page Sightings
	page.Add("script", "widgets.example", nil, true)
	page.Add("script", "widgets.example", nil, true)
	page.Add("image", "widgets.example", nil, false)
	page.Add("frame", "www.video.example", video, true)
	page.Add("script", "", video, true)
	page.Add("script", "", nil, false) // the site's own
	inv.Record(nil, "/a?visitor=7#x", &page)
	clock.turn(2 * day)
	inv.Record(nil, "/b", sight("frame", "www.video.example", video, false))

	got := inv.Snapshot()
	want := []Entry{
		{Kind: "script", Service: "video", Purpose: consent.Marketing, Withheld: 1, FirstSeen: "2026-11-24", LastSeen: "2026-11-24", Pages: []string{"/a"}},
		{Name: "www.video.example", Kind: "frame", Service: "video", Purpose: consent.Marketing, Withheld: 1, Passed: 1, FirstSeen: "2026-11-24", LastSeen: "2026-11-26", Pages: []string{"/a", "/b"}},
		{Name: "widgets.example", Kind: "image", Passed: 1, FirstSeen: "2026-11-24", LastSeen: "2026-11-24", Pages: []string{"/a"}},
		{Name: "widgets.example", Kind: "script", Withheld: 2, FirstSeen: "2026-11-24", LastSeen: "2026-11-24", Pages: []string{"/a"}},
	}
	if !reflect.DeepEqual(got.Seen, want) {
		t.Errorf("got  %+v\nwant %+v", got.Seen, want)
	}
	if seen := inv.Seen(); !seen["video"] || len(seen) != 1 {
		t.Errorf("services seen: %v", seen)
	}
	totals := []Total{
		{Kind: "image", Passed: 1}, {Kind: "script", Withheld: 2},
		{Kind: "frame", Service: "video", Purpose: consent.Marketing, Withheld: 1, Passed: 1},
		{Kind: "script", Service: "video", Purpose: consent.Marketing, Withheld: 1},
	}
	if got := inv.Totals(); !slices.Equal(got, totals) {
		t.Errorf("totals %+v, want %+v", got, totals)
	}
}

func TestAgain(t *testing.T) {
	clock := newWall()
	inv := New(clock.now)
	var page Sightings
	page.Add("script", "a.example", nil, true)
	page.Add("frame", "www.video.example", video, false)
	refs := inv.Record([]byte("x"), "/", &page)
	if string(refs[:1]) != "x" {
		t.Fatal("Record does not append")
	}
	clock.turn(day)
	inv.Again(refs[1:])
	inv.Again(nil)
	for _, e := range inv.Snapshot().Seen {
		if e.Withheld+e.Passed != 2 || e.LastSeen != "2026-11-25" {
			t.Errorf("after once more: %+v", e)
		}
	}
}

// What has made room is not counted any more, and nothing else in its place.
func TestAgainAfterSweep(t *testing.T) {
	clock := newWall()
	inv := New(clock.now)
	old := inv.Record(nil, "/", sight(Cookie, "old", nil, true))
	clock.turn((staleAfter + 1) * day)
	for i := range maxCookies {
		inv.Record(nil, "/", sight(Cookie, "c"+letters(i), nil, true))
	}
	inv.Again(old)
	for _, e := range inv.Snapshot().Seen {
		if e.Name == "old" || e.Withheld != 1 {
			t.Fatalf("%+v", e)
		}
	}
}

// Anybody can send any cookie.
func TestReturnedCookies(t *testing.T) {
	inv := New(newWall().now)
	var first, second Sightings
	first.AddReturned("v_*", video, true)
	inv.Record(nil, "/", &first)
	if got := inv.Snapshot().Seen; len(got) != 0 {
		t.Errorf("a visitor is believed: %+v", got)
	}
	second.AddReturned("v_*", video, true) // before anything has shown the service
	second.AddReturned("w_*", video, true)
	second.Add("frame", "www.video.example", video, true)
	second.Add(Cookie, "v_*", video, true)
	inv.Record(nil, "/", &second)
	for _, e := range inv.Snapshot().Seen {
		if want := map[string]uint64{"v_*": 2, "w_*": 1, "www.video.example": 1}[e.Name]; e.Withheld != want {
			t.Errorf("%+v", e)
		}
	}
	if got := len(inv.Snapshot().Seen); got != 3 {
		t.Errorf("%d entries", got)
	}
}

// letters writes a number without digits: a cookie's digits are not kept.
func letters(n int) string {
	return strings.Map(func(r rune) rune { return r - '0' + 'k' }, fmt.Sprint(n))
}

func TestBounds(t *testing.T) {
	clock := newWall()
	inv := New(clock.now)
	long := strings.Repeat("ä", 500)
	inv.Record(nil, "/"+long, sight("script", long+".example", nil, true))
	e := inv.Snapshot().Seen[0]
	if len(e.Name) > maxName || len(e.Pages[0]) > maxPath || !strings.HasPrefix(long, e.Name) {
		t.Errorf("kept %d bytes of a name and %d of a path", len(e.Name), len(e.Pages[0]))
	}
	for i := range 3 * maxHosts {
		inv.Record(nil, fmt.Sprintf("/%d", i), sight("script", fmt.Sprintf("www.d%d.example", i), nil, true))
		inv.Record(nil, "/", sight("script", "always.example", video, true))
		inv.Record(nil, "/", sight(Cookie, "c"+letters(i), nil, true))
	}
	got := inv.Snapshot()
	if len(got.Seen) != maxHosts+maxCookies {
		t.Errorf("%d entries", len(got.Seen))
	}
	if want := uint64(3*maxHosts + 2 - maxHosts + 3*maxHosts - maxCookies); got.LeftOut != want {
		t.Errorf("%d left out, want %d", got.LeftOut, want)
	}
	for _, e := range got.Seen {
		if len(e.Pages) > maxPages {
			t.Errorf("%d pages of %s", len(e.Pages), e.Name)
		}
	}
	// A full inventory still counts what it has, and takes new things when old
	// ones have not been seen for long.
	clock.turn(day * (staleAfter - 1))
	inv.Record(nil, "/", sight("script", "always.example", video, true))
	clock.turn(day * 2)
	inv.Record(nil, "/", sight("script", "new.example", nil, true))
	if got := inv.Snapshot().Seen; len(got) != 2 {
		t.Errorf("after a long time: %d entries", len(got))
	}
}

// A page can name hosts without end.
func TestManyHostsOnOnePage(t *testing.T) {
	inv := New(newWall().now)
	var page Sightings
	for range 2 {
		for i := range 10 * maxDifferent {
			page.Add("image", fmt.Sprintf("www.d%d.example", i), nil, false)
		}
	}
	inv.Record(nil, "/", &page)
	got := inv.Snapshot()
	if len(got.Seen) != maxDifferent || got.LeftOut != 18*maxDifferent || got.Seen[0].Passed != 2 {
		t.Errorf("%d entries, %d left out", len(got.Seen), got.LeftOut)
	}
}

func TestManyHostsOfOneDomain(t *testing.T) {
	inv := New(newWall().now)
	for i := range 1000 {
		inv.Record(nil, "/", sight("pixel", fmt.Sprintf("u%d.ads.example", i), nil, true))
	}
	got := inv.Snapshot().Seen
	if len(got) != maxPerSite+1 {
		t.Fatalf("%d entries", len(got))
	}
	if got[0].Name != "*.ads.example" || got[0].Withheld != 1000-maxPerSite {
		t.Errorf("the others are in %+v", got[0])
	}
}

func TestPrivateNames(t *testing.T) {
	for name, want := range map[string]string{
		"session":                           "session",
		"cart_2":                            "cart_2",
		"wp-settings-time-1732":             "wp-settings-time-*",
		"visit_5f4dcc3b5aa765d61d8327deb88": "visit_*",
		"facade_feedface":                   "facade_feedface",
	} {
		if got := general(name); got != want {
			t.Errorf("cookie %s is kept as %s, want %s", name, got, want)
		}
	}
	for path, want := range map[string]string{
		"/2026/11/24/first-low-tide-of-the-year/":     "/2026/11/24/first-low-tide-of-the-year/",
		"/reset/3kTb9xQ2vLm8RzYw/new?key=1":           "/reset/*/new",
		"/unsubscribe/jane@example.org":               "/unsubscribe/*",
		"/unsubscribe/jane%40example.org":             "/unsubscribe/*",
		"/order/550e8400-e29b-41d4-a716-446655440000": "/order/*",
		"/caf%C3%A9/":                     "/caf%C3%A9/",
		"/internationalization":           "/internationalization",
		"/a/#" + strings.Repeat("x", 500): "/a/",
	} {
		if got := pagePath(path); got != want {
			t.Errorf("path %s is kept as %s, want %s", path, got, want)
		}
	}
}

func TestReclassify(t *testing.T) {
	inv := New(newWall().now)
	inv.Record(nil, "/a", sight("frame", "www.video.example", nil, true))
	refs := inv.Record(nil, "/b", sight("frame", "www.video.example", video, true))
	inv.Record(nil, "/a", sight("script", "cdn.example.net", nil, true))
	inv.Record(nil, "/a", sight(Cookie, "left", &consent.Service{ID: "gone"}, true))
	inv.Reclassify(func(kind, name string, was consent.ServiceID) (*consent.Service, bool) {
		switch name {
		case "www.video.example":
			return video, false
		case "cdn.example.net":
			return nil, true
		}
		return nil, false
	})
	inv.Again(refs)
	want := []Entry{
		{Name: "www.video.example", Kind: "frame", Service: "video", Purpose: consent.Marketing, Withheld: 3, FirstSeen: "2026-11-24", LastSeen: "2026-11-24", Pages: []string{"/b", "/a"}},
		{Name: "left", Kind: "cookie", Withheld: 1, FirstSeen: "2026-11-24", LastSeen: "2026-11-24", Pages: []string{"/a"}},
	}
	if got := inv.Snapshot().Seen; !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestConcurrent(t *testing.T) {
	inv := New(nil)
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for j := range 200 {
				inv.Again(inv.Record(nil, "/", sight("script", fmt.Sprintf("d%d.example", j), nil, i%2 == 0)))
				inv.AllowReport("source")
				inv.Report(Violation{Host: "x.example", Directive: "img-src"}, nil)
				if j%50 == 0 {
					inv.Snapshot()
					inv.Totals()
				}
			}
		})
	}
	group.Wait()
	for _, total := range inv.Totals() {
		if total.Withheld != 1600 || total.Passed != 1600 {
			t.Errorf("%+v", total)
		}
	}
}

func BenchmarkRecord(b *testing.B) {
	inv := New(nil)
	b.ReportAllocs()
	for b.Loop() {
		var page Sightings
		for i := range 30 {
			page.Add("script", hosts[i%len(hosts)], nil, true)
		}
		inv.Record(nil, "/", &page)
	}
}

var hosts = []string{"a.example", "b.example", "c.example", "d.example", "e.example", "f.example", "g.example", "h.example"}

func BenchmarkAgain(b *testing.B) {
	inv := New(nil)
	var page Sightings
	for i := range 20 {
		page.Add("script", fmt.Sprintf("d%d.example", i), nil, true)
	}
	refs := inv.Record(nil, "/", &page)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			inv.Again(refs)
		}
	})
}
