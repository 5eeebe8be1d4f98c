//go:build unix

package serve

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/caddyserver/certmagic"
	"golang.org/x/sys/unix"
)

// A folder keeps certificates in files. Its locks are the system's: they end
// with the process that holds them, whatever it has left in the file, so that
// none is ever stale, and none taken for stale.
type folder struct {
	*certmagic.FileStorage

	mu   sync.Mutex
	held map[string]*os.File
}

func newFolder(path string) certmagic.Storage {
	return &folder{FileStorage: &certmagic.FileStorage{Path: path}, held: map[string]*os.File{}}
}

// lockPoll is how often who waits for a lock asks again.
const lockPoll = 100 * time.Millisecond

// Lock waits for a lock of that name, held in this process or another.
func (f *folder) Lock(ctx context.Context, name string) error {
	for {
		if got, err := f.TryLock(ctx, name); got || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("lock %s: %w", name, ctx.Err())
		case <-time.After(lockPoll):
		}
	}
}

// TryLock does not wait.
func (f *folder) TryLock(_ context.Context, name string) (bool, error) {
	path := filepath.Join(f.Path, "locks", certmagic.StorageKeys.Safe(name)+".lock")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return false, fmt.Errorf("lock %s: %w", name, err)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return false, fmt.Errorf("lock %s: %w", name, err)
	}
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = file.Close()
		if errors.Is(err, unix.EWOULDBLOCK) || errors.Is(err, unix.EINTR) {
			return false, nil
		}
		return false, fmt.Errorf("lock %s: %w", name, err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.held[name] = file
	return true, nil
}

// Unlock releases a lock. Its file stays: who waits has it open.
func (f *folder) Unlock(_ context.Context, name string) error {
	f.mu.Lock()
	file := f.held[name]
	delete(f.held, name)
	f.mu.Unlock()
	if file == nil {
		return fmt.Errorf("unlock %s: it is not held", name)
	}
	return file.Close()
}
