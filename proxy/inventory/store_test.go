package inventory

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"
)

func open(t *testing.T, path string, clock *wall) *Store {
	t.Helper()
	s, aside, err := Open(path, clock.now)
	if err != nil || aside != "" {
		t.Fatalf("open: %q, %v", aside, err)
	}
	return s
}

func TestSaveAndOpen(t *testing.T) {
	path, clock := filepath.Join(t.TempDir(), "inventory.json"), newWall()
	s := open(t, path, clock)
	main := s.Site("main")
	main.Record(nil, "/a", sight("frame", "www.video.example", video, true))
	main.Record(nil, "/a", sight(Cookie, "basket_123456", nil, true))
	main.Report(Violation{Host: "t.example", Directive: "img-src", Disposition: "enforce", Page: "/a"}, nil)
	s.Site("other").Record(nil, "", sight("script", "a.example", nil, false))
	if err := s.Save(); err != nil {
		t.Fatal(err)
	}
	if got := s.Totals(); len(got["main"]) != 2 || len(got["other"]) != 1 {
		t.Errorf("totals: %+v", got)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file: %v, %v", info, err)
	}

	clock.turn(3 * day)
	again := open(t, path, clock)
	if got, want := again.File(), s.File(); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	again.Site("main").Record(nil, "/b", sight("frame", "www.video.example", video, true))
	e := again.File().Sites["main"].Seen[0]
	if e.Withheld != 2 || e.FirstSeen != "2026-11-24" || e.LastSeen != "2026-11-27" || len(e.Pages) != 2 {
		t.Errorf("it does not go on: %+v", e)
	}
}

func TestSaveOnlyChanges(t *testing.T) {
	dir := t.TempDir()
	path, clock := filepath.Join(dir, "inventory.json"), newWall()
	s := open(t, path, clock)
	s.Site("main")
	if err := s.Save(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an empty inventory is saved: %v", err)
	}
	s.Site("main").Record(nil, "/", sight("script", "a.example", nil, true))
	if err := os.Mkdir(path, 0o700); err != nil { // it cannot be replaced
		t.Fatal(err)
	}
	if err := s.Save(); err == nil {
		t.Error("it was saved over a folder")
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.new")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := s.Save(); err != nil { // what could not be saved is still new
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}

func TestBrokenFile(t *testing.T) {
	for name, text := range map[string]string{
		"cut off":           `{"version":1,"sites":{"main":{"seen":[{"na`,
		"empty":             ``,
		"of another time":   `{"version":2,"sites":{}}`,
		"of something else": `["a"]`,
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "inventory.json")
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			s, aside, err := Open(path, newWall().now)
			if err != nil {
				t.Fatal(err)
			}
			if kept, err := os.ReadFile(aside); err != nil || string(kept) != text {
				t.Errorf("kept aside as %q: %q, %v", aside, kept, err)
			}
			s.Site("main").Record(nil, "/", sight("script", "a.example", nil, true))
			if err := s.Save(); err != nil {
				t.Error(err)
			}
			if _, err := ReadFile(path); err != nil {
				t.Error(err)
			}
		})
	}
}

// A file that somebody has edited brings in no more than fits.
func TestRestoreBounds(t *testing.T) {
	var s Snapshot
	for i := range 2 * maxCookies {
		s.Seen = append(s.Seen, Entry{Kind: Cookie, Name: "c" + letters(i), Pages: []string{"/a", "/a", "/b?x", "/c", "/d", "/e", "/f"}})
	}
	s.Seen = append(s.Seen, Entry{}, Entry{Kind: "script"}, s.Seen[0])
	for i := range 2 * maxReported {
		s.Reports = append(s.Reports, Reported{Host: letters(i)})
	}
	inv := New(newWall().now)
	inv.restore(s)
	got := inv.Snapshot()
	if len(got.Seen) != maxCookies || len(got.Reports) != maxReported || len(got.Seen[0].Pages) != maxPages {
		t.Errorf("%d things, %d reports, %d pages", len(got.Seen), len(got.Reports), len(got.Seen[0].Pages))
	}
}

func TestKeep(t *testing.T) {
	path, clock := filepath.Join(t.TempDir(), "inventory.json"), newWall()
	s := open(t, path, clock)
	ctx, cancel := context.WithCancel(t.Context())
	tick := make(chan time.Time)
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Keep(ctx, tick, func(err error) { t.Error(err) })
	}()
	s.Site("main").Record(nil, "/", sight("script", "a.example", nil, true))
	tick <- clock.now()
	tick <- clock.now() // the first one is over
	if f, err := ReadFile(path); err != nil || len(f.Sites["main"].Seen) != 1 {
		t.Errorf("after a tick: %+v, %v", f, err)
	}
	s.Site("main").Record(nil, "/", sight("script", "b.example", nil, true))
	cancel()
	<-done
	if f, err := ReadFile(path); err != nil || len(f.Sites["main"].Seen) != 2 {
		t.Errorf("at the end: %+v, %v", f, err)
	}
}

func TestInMemory(t *testing.T) {
	s := InMemory(newWall().now)
	s.Site("main").Record(nil, "/", sight("script", "a.example", nil, true))
	if err := s.Save(); err != nil {
		t.Error(err)
	}
}
