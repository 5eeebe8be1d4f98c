package serve

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/caddyserver/certmagic"
)

// Shared is where several gateways keep their certificates together. Keys are
// paths with slashes. What is not there gives [fs.ErrNotExist].
type Shared interface {
	Store(ctx context.Context, key string, value []byte) error
	Load(ctx context.Context, key string) ([]byte, error)
	// Delete removes a key, or all below it.
	Delete(ctx context.Context, key string) error
	// List gives what is below a key, all of it or the next level only.
	List(ctx context.Context, key string, recursive bool) ([]string, error)
	// Stat says when a key was stored and how many bytes it has; file is false
	// where there are only keys below it.
	Stat(ctx context.Context, key string) (modified time.Time, size int64, file bool, err error)
	// Lock waits until nobody else holds the lock. One whose holder has died is
	// free again within two minutes.
	Lock(ctx context.Context, name string) error
	Unlock(ctx context.Context, name string) error
}

// storage is the place that the parts name.
func (p Parts) storage() (certmagic.Storage, error) {
	switch {
	case p.Shared != nil:
		return sharedStorage{p.Shared}, nil
	case p.Folder != "":
		return newFolder(filepath.Clean(p.Folder)), nil
	}
	return nil, errors.New("there is no place to keep certificates")
}

// sharedStorage speaks certmagic's language.
type sharedStorage struct{ Shared }

func (s sharedStorage) Exists(ctx context.Context, key string) bool {
	_, _, _, err := s.Shared.Stat(ctx, key)
	return !errors.Is(err, fs.ErrNotExist)
}

func (s sharedStorage) Stat(ctx context.Context, key string) (certmagic.KeyInfo, error) {
	modified, size, file, err := s.Shared.Stat(ctx, key)
	if err != nil {
		return certmagic.KeyInfo{}, err
	}
	return certmagic.KeyInfo{Key: key, Modified: modified, Size: size, IsTerminal: file}, nil
}

func (s sharedStorage) String() string { return "shared" }
