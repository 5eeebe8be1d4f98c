package token

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// A Key signs tokens: 32 random bytes.
type Key [32]byte

// NewKey makes a key from the system's secure random source.
func NewKey() Key {
	var k Key
	rand.Read(k[:]) // never fails: crypto/rand ends the program instead
	return k
}

// String is the key's line in a key file.
func (k Key) String() string { return base64.StdEncoding.EncodeToString(k[:]) }

// ParseKeys reads a key file: one key a line, standard base64; the first signs,
// all are accepted. Empty lines and lines that start with # are skipped.
func ParseKeys(file []byte) ([]Key, error) {
	var keys []Key
	lines := bufio.NewScanner(bytes.NewReader(file))
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimSpace(lines.Text())
		if text == "" || text[0] == '#' {
			continue
		}
		raw, err := base64.StdEncoding.DecodeString(text)
		if err != nil || len(raw) != len(Key{}) {
			return nil, fmt.Errorf("line %d is not a key: it must be 32 bytes in base64 (44 characters)", n)
		}
		keys = append(keys, Key(raw))
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if len(keys) == 0 {
		return nil, errors.New("the file has no key; delete it to have a new one made, which asks every visitor again")
	}
	return keys, nil
}

// LoadKeys reads a key file, and refuses one that others than its owner and its
// group can read. A group may: it is how Kubernetes hands a secret to a program
// that is not root's.
func LoadKeys(path string) ([]Key, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read keys: %w", err)
	}
	if info.Mode().Perm()&0o037 != 0 {
		return nil, fmt.Errorf("read keys: %s can be read by others (mode %04o); run chmod 600 %[1]s", path, info.Mode().Perm())
	}
	file, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read keys: %w", err)
	}
	keys, err := ParseKeys(file)
	if err != nil {
		return nil, fmt.Errorf("read keys: %s: %w", path, err)
	}
	return keys, nil
}

// LoadOrCreateKeys reads a key file, or makes one with a single new key where
// there is none. Two processes that start at once end up with the same key.
func LoadOrCreateKeys(path string) ([]Key, error) {
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := createKeys(path); err != nil {
			return nil, fmt.Errorf("make key file: %w", err)
		}
	}
	return LoadKeys(path)
}

func createKeys(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	// Link, unlike rename, does not replace: the first of two processes wins.
	return writeWhole(path, []Key{NewKey()}, func(temp string) error {
		if err := os.Link(temp, path); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		return nil
	})
}

// RotateKeys puts a new key in front of a key file, keeps up to keep of the
// older ones, and returns all that are now in it. Choices signed with a key
// that is dropped are asked for again.
func RotateKeys(path string, keep int) ([]Key, error) {
	old, err := LoadKeys(path)
	if err != nil {
		return nil, err
	}
	keys := append([]Key{NewKey()}, old[:min(keep, len(old))]...)
	err = writeWhole(path, keys, func(temp string) error { return os.Rename(temp, path) })
	if err != nil {
		return nil, fmt.Errorf("rotate keys: %w", err)
	}
	return keys, nil
}

const keysHeader = `# Keys that sign visitors' choices. The first signs, all are accepted.
# Keep this file secret; with it anybody could forge a consent.
`

// writeWhole writes keys to a temporary file beside path, on disk and readable
// by its owner only, and lets place move it there.
func writeWhole(path string, keys []Key, place func(temp string) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".keys-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if e := os.Remove(f.Name()); err == nil && !errors.Is(e, fs.ErrNotExist) {
			err = e
		}
	}()
	text := keysHeader
	for _, k := range keys {
		text += k.String() + "\n"
	}
	if _, err := f.WriteString(text); err != nil {
		f.Close()
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	return place(f.Name())
}
