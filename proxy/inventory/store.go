package inventory

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// A Store keeps the inventories of all sites in one file. It is safe for
// concurrent use.
type Store struct {
	path string // empty: in memory only
	now  func() time.Time

	mu    sync.Mutex // of sites
	sites map[string]*Inventory

	saving sync.Mutex
}

// A File is what a store saves and what the operators' listener shows.
type File struct {
	Version int                 `json:"version"` // 1
	Sites   map[string]Snapshot `json:"sites"`
}

const version = 1

// maxFile is far more than the largest inventories of a few hundred sites take.
const maxFile = 256 << 20

// InMemory makes a store without a file. The clock may be nil for that of the
// system.
func InMemory(now func() time.Time) *Store {
	return &Store{now: now, sites: map[string]*Inventory{}}
}

// Open makes a store for the file at path, and reads the file if there is one. A
// file that makes no sense is renamed, and aside is its new name: what was in it
// must not keep a site from being served.
func Open(path string, now func() time.Time) (s *Store, aside string, err error) {
	s = InMemory(now)
	s.path = path
	f, err := ReadFile(path)
	if errors.Is(err, errBroken) {
		aside = path + ".broken"
		err = os.Rename(path, aside)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, "", fmt.Errorf("open inventory: %w", err)
	}
	for name, snapshot := range f.Sites {
		s.Site(name).restore(snapshot)
	}
	return s, aside, nil
}

var errBroken = errors.New("it is not an inventory that this version can read")

// ReadFile reads what a store has saved.
func ReadFile(path string) (File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return File{}, err
	}
	if info.Size() > maxFile {
		return File{}, fmt.Errorf("%s: %w", path, errBroken)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return File{}, err
	}
	f, err := Parse(text)
	if err != nil {
		return File{}, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

// Parse reads the text of a [File].
func Parse(text []byte) (File, error) {
	var f File
	if err := json.Unmarshal(text, &f); err != nil {
		return File{}, fmt.Errorf("%w: %w", errBroken, err)
	}
	if f.Version != version {
		return File{}, fmt.Errorf("%w: its version is %d", errBroken, f.Version)
	}
	return f, nil
}

// Site is the inventory of a site by its name. It is the same one each time.
func (s *Store) Site(name string) *Inventory {
	s.mu.Lock()
	defer s.mu.Unlock()
	inv, ok := s.sites[name]
	if !ok {
		inv = New(s.now)
		s.sites[name] = inv
	}
	return inv
}

// File is what all sites have at this moment.
func (s *Store) File() File {
	f, _ := s.collect(false)
	return f
}

// Totals are those of each site by its name.
func (s *Store) Totals() map[string][]Total {
	s.mu.Lock()
	defer s.mu.Unlock()
	totals := make(map[string][]Total, len(s.sites))
	for name, inv := range s.sites {
		totals[name] = inv.Totals()
	}
	return totals
}

// collect copies everything. With saved, it also notes that what is copied is
// about to be saved, and reports whether there is anything new in it.
func (s *Store) collect(saved bool) (f File, changed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f = File{Version: version, Sites: make(map[string]Snapshot, len(s.sites))}
	for name, inv := range s.sites {
		if saved {
			changed = inv.takeChanged() || changed
		}
		f.Sites[name] = inv.Snapshot()
	}
	return f, changed
}

func (inv *Inventory) takeChanged() bool {
	inv.mu.Lock()
	defer inv.mu.Unlock()
	changed := inv.changed
	inv.changed = false
	return changed
}

func (s *Store) unsaved() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, inv := range s.sites {
		inv.mu.Lock()
		inv.changed = true
		inv.mu.Unlock()
	}
}

// Save writes the file if anything has changed. Whoever reads the file meanwhile
// finds the old one or the new one, whole.
func (s *Store) Save() error {
	if s.path == "" {
		return nil
	}
	s.saving.Lock()
	defer s.saving.Unlock()
	f, changed := s.collect(true)
	if !changed {
		return nil
	}
	if err := write(s.path, f); err != nil {
		s.unsaved()
		return fmt.Errorf("save inventory: %w", err)
	}
	return nil
}

func write(path string, f File) (err error) {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(f); err != nil {
		return err
	}
	temp, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.new")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(temp.Name())
		}
	}()
	_, err = temp.Write(text.Bytes())
	if err = errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return err
	}
	return os.Rename(temp.Name(), path)
}

// Keep saves at every tick until ctx is done, and once more then. problem is
// told what could not be saved; it is tried again at the next tick.
func (s *Store) Keep(ctx context.Context, tick <-chan time.Time, problem func(error)) {
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-tick:
		}
		if err := s.Save(); err != nil {
			problem(err)
		}
	}
}
