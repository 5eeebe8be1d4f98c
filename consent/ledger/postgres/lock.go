package postgres

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"time"
)

const (
	lockLease = 20 * time.Second // after its holder has died a lock is held for so long
	lockPoll  = time.Second      // how often who waits asks again
)

// A lock is one that this process holds. Its row says until when, by the
// server's clock, and is renewed for as long as it is held.
type lock struct {
	holder string
	stop   context.CancelFunc
	done   chan struct{}
}

// Lock waits until nobody else holds the lock of that name, in this process or
// another, and takes it. One whose holder has died is free after its lease.
func (f *Files) Lock(ctx context.Context, name string) error {
	holder := rand.Text()
	for {
		got, err := f.tryLock(ctx, name, holder)
		switch {
		case err != nil:
			return fmt.Errorf("lock %s: %w", name, err)
		case got:
			f.keep(name, holder)
			return nil
		}
		sleep(ctx, f.poll)
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("lock %s: %w", name, err)
		}
	}
}

// tryLock takes a lock that is free or out of time.
func (f *Files) tryLock(ctx context.Context, name, holder string) (got bool, err error) {
	err = f.remote.query(ctx, func(*sql.Rows) error {
		got = true
		return nil
	}, `INSERT INTO consentgate_lock AS l (name, holder, until) VALUES ($1, $2, clock_timestamp() + $3 * interval '1 ms')
		ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
		WHERE l.until < clock_timestamp() RETURNING 1`, name, holder, f.lease.Milliseconds())
	return got, err
}

// keep renews the lease until the lock is released.
func (f *Files) keep(name, holder string) {
	ctx, cancel := context.WithCancel(context.Background())
	l := &lock{holder: holder, stop: cancel, done: make(chan struct{})}
	f.mu.Lock()
	f.held[name] = l
	f.mu.Unlock()
	go func() {
		defer close(l.done)
		for {
			sleep(ctx, f.lease/3)
			if ctx.Err() != nil {
				return
			}
			_ = f.renew(ctx, name, holder) // the next one may go through
		}
	}()
}

func (f *Files) renew(ctx context.Context, name, holder string) error {
	return f.remote.change(ctx, func(t *tx) error {
		return t.exec("UPDATE consentgate_lock SET until = clock_timestamp() + $3 * interval '1 ms' WHERE name = $1 AND holder = $2",
			name, holder, f.lease.Milliseconds())
	})
}

// Unlock releases a lock that Lock has taken.
func (f *Files) Unlock(ctx context.Context, name string) error {
	f.mu.Lock()
	l := f.held[name]
	delete(f.held, name)
	f.mu.Unlock()
	if l == nil {
		return fmt.Errorf("unlock %s: it is not held", name)
	}
	l.stop()
	<-l.done
	err := f.remote.change(ctx, func(t *tx) error {
		return t.exec("DELETE FROM consentgate_lock WHERE name = $1 AND holder = $2", name, l.holder)
	})
	if err != nil {
		return fmt.Errorf("unlock %s: %w", name, err)
	}
	return nil
}
