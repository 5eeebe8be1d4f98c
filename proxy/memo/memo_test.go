package memo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

func key(i int) Key { return Key{Sum: newHasher(Secret{}).sum(fmt.Append(nil, i)), Context: "test"} }

func size(n int) func() ([]byte, error) {
	return func() ([]byte, error) { return make([]byte, n), nil }
}

func never(t *testing.T) func() ([]byte, error) {
	return func() ([]byte, error) {
		t.Error("computed again")
		return nil, nil
	}
}

func do(t *testing.T, m *Memo, k Key, compute func() ([]byte, error)) Entry {
	t.Helper()
	e, err := m.Do(context.Background(), k, compute)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestKeyOf(t *testing.T) {
	m, other := New(Config{}, Secret{1}), New(Config{}, Secret{2})
	a := m.KeyOf("everything/en", []byte("<p>"))
	if a != New(Config{}, Secret{1}).KeyOf("everything/en", []byte("<p>")) {
		t.Error("equal inputs have different keys under one secret")
	}
	for what, k := range map[string]Key{
		"context": m.KeyOf("nothing/en", []byte("<p>")),
		"bytes":   m.KeyOf("everything/en", []byte("<q>")),
		"length":  m.KeyOf("everything/en", []byte("<p>\x00")), // GHASH pads with zeros
		"secret":  other.KeyOf("everything/en", []byte("<p>")),
	} {
		if k == a {
			t.Errorf("another %s has the same key", what)
		}
	}
}

func TestDoRemembers(t *testing.T) {
	m := New(Config{}, Secret{})
	if _, ok := m.Get(key(1)); ok {
		t.Error("found before it was computed")
	}
	first := do(t, m, key(1), func() ([]byte, error) { return []byte("result"), nil })
	for i := 1; i <= 3; i++ {
		e := do(t, m, key(1), never(t))
		if !bytes.Equal(e.Body, first.Body) || e.Hits != i {
			t.Errorf("got %q after %d hits", e.Body, e.Hits)
		}
	}
	if e, ok := m.Get(key(1)); !ok || e.Hits != 4 {
		t.Errorf("got %v after %d hits", ok, e.Hits)
	}
	if s := m.Stats(); s.Hits != 4 || s.Misses != 1 || s.Entries != 1 || s.Bytes < 6 {
		t.Errorf("stats: %+v", s)
	}
}

func TestDoRemembersNoFailure(t *testing.T) {
	m := New(Config{}, Secret{})
	failure := errors.New("cannot be rewritten")
	if e, err := m.Do(context.Background(), key(1), func() ([]byte, error) { return []byte("half"), failure }); !errors.Is(err, failure) || e.Body != nil {
		t.Errorf("got %q, %v", e.Body, err)
	}
	if e := do(t, m, key(1), func() ([]byte, error) { return []byte("whole"), nil }); string(e.Body) != "whole" {
		t.Errorf("got %q", e.Body)
	}
}

func TestOff(t *testing.T) {
	m := New(Config{Off: true}, Secret{})
	for range 2 {
		do(t, m, key(1), size(10))
	}
	if s := m.Stats(); s.Misses != 2 || s.Bytes != 0 || s.Entries != 0 {
		t.Errorf("stats: %+v", s)
	}
}

func TestConcurrentEqualsShareOneComputation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := New(Config{}, Secret{})
		release := make(chan struct{})
		var computed atomic.Int32
		for range 20 {
			go func() {
				e, err := m.Do(t.Context(), key(1), func() ([]byte, error) {
					computed.Add(1)
					<-release
					return []byte("result"), nil
				})
				if err != nil || string(e.Body) != "result" {
					t.Errorf("got %q, %v", e.Body, err)
				}
			}()
		}
		synctest.Wait()
		close(release)
		synctest.Wait()
		if n := computed.Load(); n != 1 {
			t.Errorf("computed %d times", n)
		}
		if s := m.Stats(); s.Shared != 19 || s.Misses != 1 {
			t.Errorf("stats: %+v", s)
		}
	})
}

func TestWaiterLeavesWhenItsContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := New(Config{}, Secret{})
		release := make(chan struct{})
		go m.Do(t.Context(), key(1), func() ([]byte, error) { <-release; return nil, nil })
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		left := make(chan error, 1)
		go func() {
			_, err := m.Do(ctx, key(1), never(t))
			left <- err
		}()
		synctest.Wait()
		cancel()
		if err := <-left; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		close(release)
	})
}

func TestWaitersComputeForThemselvesAfterAFailure(t *testing.T) {
	for name, fail := range map[string]func() ([]byte, error){
		"error": func() ([]byte, error) { return nil, errors.New("the visitor went away") },
		"panic": func() ([]byte, error) { panic("a bug") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := New(Config{}, Secret{})
				release := make(chan struct{})
				go func() {
					defer func() { recover() }()
					m.Do(t.Context(), key(1), func() ([]byte, error) { <-release; return fail() })
				}()
				synctest.Wait()
				for range 5 {
					go func() {
						e, err := m.Do(t.Context(), key(1), func() ([]byte, error) { return []byte("mine"), nil })
						if err != nil || string(e.Body) != "mine" {
							t.Errorf("got %q, %v", e.Body, err)
						}
					}()
				}
				synctest.Wait()
				close(release)
				synctest.Wait()
				do(t, m, key(1), never(t))
			})
		})
	}
}

func TestUpgradeHappensOnce(t *testing.T) {
	m := New(Config{}, Secret{})
	shorter := func(body []byte) ([]byte, error) { return body[:1], nil }
	if did, err := m.Upgrade(key(1), shorter); did || err != nil {
		t.Errorf("upgraded what is not there: %v, %v", did, err)
	}
	do(t, m, key(1), func() ([]byte, error) { return []byte("long"), nil })
	before := m.Stats().Bytes
	var done sync.WaitGroup
	var times atomic.Int32
	for range 10 {
		done.Go(func() {
			if did, _ := m.Upgrade(key(1), shorter); did {
				times.Add(1)
			}
		})
	}
	done.Wait()
	if n := times.Load(); n != 1 {
		t.Errorf("upgraded %d times", n)
	}
	if e, _ := m.Get(key(1)); string(e.Body) != "l" {
		t.Errorf("left %q", e.Body)
	}
	if after := m.Stats().Bytes; after >= before {
		t.Errorf("%d bytes became %d", before, after)
	}
}

func TestUpgradeThatFailsLeavesTheEntry(t *testing.T) {
	m := New(Config{}, Secret{})
	do(t, m, key(1), func() ([]byte, error) { return []byte("good"), nil })
	failure := errors.New("no")
	if did, err := m.Upgrade(key(1), func([]byte) ([]byte, error) { return nil, failure }); !did || !errors.Is(err, failure) {
		t.Errorf("got %v, %v", did, err)
	}
	if e, ok := m.Get(key(1)); !ok || string(e.Body) != "good" {
		t.Errorf("left %q, %v", e.Body, ok)
	}
}

// Entries that are asked for outlive any number of those that never are.
func TestWhatIsAskedForOutlivesWhatIsNot(t *testing.T) {
	m := New(Config{Memory: 1}, Secret{})
	const wanted = 20
	for i := range wanted {
		do(t, m, key(i), size(20_000))
		m.Get(key(i))
	}
	for i := wanted; i < 5000; i++ {
		do(t, m, key(i), size(20_000))
	}
	for i := range wanted {
		if _, ok := m.Get(key(i)); !ok {
			t.Errorf("entry %d is forgotten", i)
		}
	}
}

// An entry forgotten before it was asked for again is taken as wanted when it
// comes back.
func TestWhatComesBackIsKept(t *testing.T) {
	m := New(Config{Memory: 1}, Secret{})
	do(t, m, key(0), size(20_000))
	for i := 1; i < 80; i++ {
		do(t, m, key(i), size(20_000))
	}
	if _, ok := m.Get(key(0)); ok {
		t.Fatal("nothing was forgotten")
	}
	do(t, m, key(0), size(20_000))
	for i := 100; i < 140; i++ {
		do(t, m, key(i), size(20_000))
	}
	if _, ok := m.Get(key(0)); !ok {
		t.Error("it was forgotten again")
	}
}

func TestLargeResultsAreNotKept(t *testing.T) {
	m := New(Config{Memory: 1}, Secret{})
	do(t, m, key(1), size(200_000))
	if s := m.Stats(); s.Entries != 0 {
		t.Errorf("stats: %+v", s)
	}
}

// Bytes cut from a large buffer do not hold on to it.
func TestSpareCapacityIsNotKept(t *testing.T) {
	m := New(Config{}, Secret{})
	do(t, m, key(1), func() ([]byte, error) { return make([]byte, 10, 1<<20), nil })
	if e, _ := m.Get(key(1)); cap(e.Body) > 100 {
		t.Errorf("%d bytes are held for %d", cap(e.Body), len(e.Body))
	}
}

// Whatever is done, the books balance and the budget holds.
func TestBudget(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		m := New(Config{Memory: 1}, Secret{})
		for range 3000 {
			k := key(int(r.ExpFloat64() * 100))
			switch r.IntN(6) {
			case 0:
				m.Get(k)
			case 1:
				m.Upgrade(k, func([]byte) ([]byte, error) { return make([]byte, r.IntN(40_000)), nil })
			default:
				do(t, m, k, size(r.IntN(40_000)))
			}
			balance(t, m)
		}
	}
}

func balance(t *testing.T, m *Memo) {
	t.Helper()
	var total int64
	entries := 0
	for _, q := range []*queue{&m.small, &m.main} {
		var sum int64
		for el := q.list.Front(); el != nil; el = el.Next() {
			e := el.Value.(*entry)
			if m.entries[e.key] != e || e.in != q {
				t.Fatalf("%v is queued and not known", e.key)
			}
			sum += e.cost()
			entries++
		}
		if sum != q.bytes {
			t.Fatalf("a queue of %d bytes says %d", sum, q.bytes)
		}
		total += sum
	}
	switch {
	case entries != len(m.entries):
		t.Fatalf("%d entries queued, %d known", entries, len(m.entries))
	case total > m.budget:
		t.Fatalf("%d bytes of %d", total, m.budget)
	case len(m.ghosts.at) > len(m.ghosts.ring):
		t.Fatalf("%d ghosts", len(m.ghosts.at))
	case len(m.flights) > 0:
		t.Fatalf("%d computations never ended", len(m.flights))
	}
}

func TestConcurrentUse(t *testing.T) {
	m := New(Config{Memory: 1}, Secret{})
	var done sync.WaitGroup
	for worker := range 8 {
		done.Go(func() {
			r := rand.New(rand.NewPCG(uint64(worker), 2))
			for range 2000 {
				n := r.IntN(200)
				k := key(n)
				e, err := m.Do(context.Background(), k, func() ([]byte, error) { return bytes.Repeat([]byte{byte(n)}, 9000), nil })
				if err != nil || len(e.Body) == 0 || e.Body[0] != byte(n) {
					t.Errorf("%d: %d bytes, %v", n, len(e.Body), err)
				}
				if r.IntN(10) == 0 {
					m.Upgrade(k, func(body []byte) ([]byte, error) { return body[:len(body)/2], nil })
				}
			}
		})
	}
	done.Wait()
	balance(t, m)
}

func TestConfig(t *testing.T) {
	if err := (Config{}).Check(); err != nil {
		t.Error(err)
	}
	if err := (Config{Memory: -1}).Check(); err == nil {
		t.Error("-1 MiB is taken")
	}
	if got := New(Config{}, Secret{}).budget; got != 64<<20 {
		t.Errorf("the default is %d", got)
	}
}

func BenchmarkKeyOf(b *testing.B) {
	page := make([]byte, 107<<10)
	b.SetBytes(int64(len(page)))
	b.ReportAllocs()
	m := New(Config{}, Secret{})
	for b.Loop() {
		m.KeyOf("context", page)
	}
}

func BenchmarkHit(b *testing.B) {
	m := New(Config{}, Secret{})
	m.Do(context.Background(), key(1), size(20_000))
	k := key(1)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, ok := m.Get(k); !ok {
				b.Error("forgotten")
			}
		}
	})
}

func BenchmarkMiss(b *testing.B) {
	m := New(Config{Memory: 1}, Secret{})
	body := make([]byte, 20_000)
	b.ReportAllocs()
	k := key(1)
	for b.Loop() {
		k.Sum[0]++
		if k.Sum[0] == 0 {
			k.Sum[1]++
			if k.Sum[1] == 0 {
				k.Sum[2]++
			}
		}
		m.Do(context.Background(), k, func() ([]byte, error) { return body, nil })
	}
}
