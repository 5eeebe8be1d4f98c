package token

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestKeyFileIsMadeOnceAndPrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data", "keys")
	first, err := LoadOrCreateKeys(path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode().Perm(); mode != 0o600 {
		t.Errorf("mode %04o, want 0600", mode)
	}
	again, err := LoadOrCreateKeys(path)
	if err != nil || len(again) != 1 || again[0] != first[0] {
		t.Errorf("the second start has other keys (error %v)", err)
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".keys-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("temporary files left behind: %v (error %v)", left, err)
	}
}

func TestTwoProcessesAtOnceAgreeOnTheKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	got := make([]Key, 16)
	var wg sync.WaitGroup
	for i := range got {
		wg.Go(func() {
			keys, err := LoadOrCreateKeys(path)
			if err != nil {
				t.Error(err)
				return
			}
			got[i] = keys[0]
		})
	}
	wg.Wait()
	for _, k := range got {
		if k != got[0] {
			t.Fatal("two starts made two keys: choices signed by one are lost to the other")
		}
	}
}

func TestRotateKeepsTheOldBehind(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	first, err := LoadOrCreateKeys(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := RotateKeys(path, 2); err != nil {
		t.Fatal(err)
	}
	if _, err := RotateKeys(path, 2); err != nil {
		t.Fatal(err)
	}
	keys, err := LoadKeys(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(keys) != 3 || keys[2] != first[0] {
		t.Errorf("after two rotations %d keys, the first one last: %v", len(keys), keys[len(keys)-1] == first[0])
	}
	keys, err = RotateKeys(path, 1)
	if err != nil || len(keys) != 2 {
		t.Errorf("keep 1: %d keys, error %v; want 2", len(keys), err)
	}
}

func TestLoadKeysSaysWhatIsWrong(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		mode       os.FileMode
		want       string
	}{
		{"readable by others", NewKey().String(), 0o644, "chmod 600"},
		{"writable by the group", NewKey().String(), 0o660, "chmod 600"},
		{"empty", "# nothing\n\n", 0o600, "has no key"},
		{"short", NewKey().String() + "\nAAAA\n", 0o600, "line 2"},
		{"not base64", "not a key", 0o600, "line 1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "keys")
			writeWithMode(t, path, tt.text, tt.mode)
			_, err := LoadKeys(path)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

// TestKeysOfAGroup reads keys as Kubernetes mounts them.
func TestKeysOfAGroup(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	writeWithMode(t, path, NewKey().String(), 0o440)
	if keys, err := LoadKeys(path); err != nil || len(keys) != 1 {
		t.Errorf("%d keys, error %v; want 1", len(keys), err)
	}
}

// writeWithMode writes a file whose mode no umask changes.
func writeWithMode(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}
