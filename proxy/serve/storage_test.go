package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddyserver/certmagic"

	"github.com/numfocus/consentgate/consent/ledger/postgres"
	"github.com/numfocus/consentgate/consent/ledger/postgres/postgrestest"
)

// A place is where certificates can be kept, for a number of gateways.
type place struct {
	name string
	at   string // a folder, or the URL of a database
}

// places are all of them, each new and empty.
func places(t *testing.T) []place {
	cluster := postgrestest.Start(t)
	return []place{{"folder", t.TempDir()}, {"postgres", cluster.Database(t)}}
}

// parts are what a gateway is given for a place.
func (p place) parts(t *testing.T) Parts {
	t.Helper()
	parts, err := p.open()
	must(t, err)
	if files, ok := parts.Shared.(*postgres.Files); ok {
		t.Cleanup(func() { _ = files.Close() })
	}
	return parts
}

func (p place) open() (Parts, error) {
	if p.name == "folder" {
		return Parts{Folder: p.at}, nil
	}
	files, err := postgres.OpenFiles(postgres.Config{URL: p.at})
	return Parts{Shared: files}, err
}

func (p place) storage(t *testing.T) certmagic.Storage {
	t.Helper()
	s, err := p.parts(t).storage()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestStorage is the contract: what certmagic relies on.
func TestStorage(t *testing.T) {
	for _, p := range places(t) {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			t.Run("keys", func(t *testing.T) { keepsKeys(t, p.storage(t)) })
			t.Run("locks exclude", func(t *testing.T) { excludes(t, p.storage(t), p.storage(t)) })
			t.Run("waiting ends", func(t *testing.T) { endsWaiting(t, p.storage(t), p.storage(t)) })
			t.Run("dead holder", func(t *testing.T) { recovers(t, p) })
		})
	}
}

func keepsKeys(t *testing.T, s certmagic.Storage) {
	ctx := t.Context()
	if _, err := s.Load(ctx, "a/b/c"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("load what is not there: %v", err)
	}
	if _, err := s.Stat(ctx, "a/b/c"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("stat what is not there: %v", err)
	}
	if s.Exists(ctx, "a") {
		t.Error("an empty place has a key")
	}
	for key, value := range map[string]string{"a/b/c": "first", "a/b/d": "", "a/e": "\x00\xff", "a%/f": "odd", "ab": "beside"} {
		must(t, s.Store(ctx, key, []byte(value)))
		if got, err := s.Load(ctx, key); string(got) != value || err != nil {
			t.Errorf("%s: %q, %v", key, got, err)
		}
	}
	before := time.Now().Add(-time.Minute)
	must(t, s.Store(ctx, "a/b/c", []byte("changed")))
	switch info, err := s.Stat(ctx, "a/b/c"); {
	case err != nil:
		t.Error(err)
	case info.Key != "a/b/c" || !info.IsTerminal || info.Size != 7 || info.Modified.Before(before) || time.Until(info.Modified) > time.Minute:
		t.Errorf("%+v", info)
	}
	if info, err := s.Stat(ctx, "a/b"); err != nil || info.IsTerminal {
		t.Errorf("a folder: %+v, %v", info, err)
	}
	if !s.Exists(ctx, "a/b") || !s.Exists(ctx, "a/e") || s.Exists(ctx, "a/x") {
		t.Error("Exists is wrong")
	}
	lists(t, s, "a", false, "a/b", "a/e")
	lists(t, s, "a", true, "a/b/c", "a/b/d", "a/e")
	must(t, s.Delete(ctx, "a/b/c"))
	lists(t, s, "a", true, "a/b/d", "a/e")
	must(t, s.Delete(ctx, "a"))
	if s.Exists(ctx, "a/e") || !s.Exists(ctx, "ab") || !s.Exists(ctx, "a%/f") {
		t.Error("a folder was deleted with something beside it, or not at all")
	}
}

// lists compares the keys, without those that only have others below them when
// it is about all: places may name them.
func lists(t *testing.T, s certmagic.Storage, key string, recursive bool, want ...string) {
	t.Helper()
	got, err := s.List(t.Context(), key, recursive)
	must(t, err)
	if recursive {
		got = slices.DeleteFunc(got, func(key string) bool {
			info, err := s.Stat(t.Context(), key)
			return err != nil || !info.IsTerminal
		})
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("below %s: %q, want %q", key, got, want)
	}
}

// excludes has two gateways, each with several goroutines, count.
func excludes(t *testing.T, a, b certmagic.Storage) {
	var inside, most, times atomic.Int32
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			s := []certmagic.Storage{a, b}[i%2]
			if err := s.Lock(t.Context(), "count"); err != nil {
				t.Error(err)
				return
			}
			most.Store(max(most.Load(), inside.Add(1)))
			time.Sleep(20 * time.Millisecond)
			inside.Add(-1)
			times.Add(1)
			if err := s.Unlock(t.Context(), "count"); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if most.Load() != 1 || times.Load() != 4 {
		t.Errorf("%d at the same time, %d times", most.Load(), times.Load())
	}
}

func endsWaiting(t *testing.T, a, b certmagic.Storage) {
	must(t, a.Lock(t.Context(), "held"))
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := b.Lock(ctx, "held"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("waiting ended with %v", err)
	}
	must(t, b.Lock(t.Context(), "another"))
	must(t, b.Unlock(t.Context(), "another"))
	must(t, a.Unlock(t.Context(), "held"))
	must(t, b.Lock(t.Context(), "held"))
	must(t, b.Unlock(t.Context(), "held"))
}

// holderVariable makes the test binary a process that takes a lock and holds
// it until it is killed: a place, where it is, and the lock.
const holderVariable = "CONSENTGATE_TEST_HOLDER"

// hold is what such a process does.
func hold(text string) error {
	words := strings.Fields(text)
	if len(words) != 3 {
		return fmt.Errorf("%q is not a place and a lock", text)
	}
	parts, err := place{words[0], words[1]}.open()
	if err != nil {
		return err
	}
	s, err := parts.storage()
	if err != nil {
		return err
	}
	if err := s.Lock(context.Background(), words[2]); err != nil {
		return err
	}
	os.Stdout.WriteString("held\n")
	select {}
}

// killHolder has a process take a lock, and kills it.
func killHolder(t *testing.T, p place, lock string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), holderVariable+"="+p.name+" "+p.at+" "+lock)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	word := make([]byte, 5)
	_, err = io.ReadFull(out, word)
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if err != nil || string(word) != "held\n" {
		t.Fatalf("the holder said %q, %v", word, err)
	}
}

// recovers wants a lock whose holder is dead. The promise is two minutes.
func recovers(t *testing.T, p place) {
	killHolder(t, p, "order")
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	began := time.Now()
	s := p.storage(t)
	must(t, s.Lock(ctx, "order"))
	t.Logf("free after %v", time.Since(began).Round(time.Second))
	must(t, s.Unlock(t.Context(), "order"))
}

// TestLockFileLeftBehind is what a gateway leaves that is killed, also while it
// writes the file (certmagic's issue 232).
func TestLockFileLeftBehind(t *testing.T) {
	p := place{"folder", t.TempDir()}
	must(t, os.Mkdir(filepath.Join(p.at, "locks"), 0o700))
	for _, content := range []string{"", "{", `{"created":"2099-01-01T00:00:00Z","updated":"2099-01-01T00:00:00Z"}`} {
		must(t, os.WriteFile(filepath.Join(p.at, "locks", "order.lock"), []byte(content), 0o600))
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		s := p.storage(t)
		must(t, s.Lock(ctx, "order"))
		must(t, s.Unlock(ctx, "order"))
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
