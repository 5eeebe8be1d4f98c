package sqlite_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/numfocus/consentgate/consent/ledger"
	"github.com/numfocus/consentgate/consent/ledger/ledgertest"
	"github.com/numfocus/consentgate/consent/ledger/sqlite"
)

func TestFullDisk(t *testing.T) {
	dir := disk(t)
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	s := with(t, filepath.Join(dir, "ledger.db"))
	records := []string{"before"}
	// After a failure the log is emptied, which makes some room: full is where
	// several fail in a row.
	for i, failed := 0, 0; failed < 5; i++ {
		record := ledgertest.Record(i)
		err := s.Append(t.Context(), ledgertest.Receipt(record))
		switch {
		case errors.Is(err, ledger.ErrUnavailable):
			failed++
		case err != nil:
			t.Fatal(err)
		default:
			records, failed = append(records, record), 0
		}
	}
	fails(t, s, "the disk is full")
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	recovers(t, s, records...)
}

// TestReadOnlyDisk starts on a disk that only later can be written.
func TestReadOnlyDisk(t *testing.T) {
	dir := disk(t)
	path := filepath.Join(dir, "ledger.db")
	if err := with(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	remount(t, dir, syscall.MS_RDONLY)
	s := sqlite.New(path, sqlite.Options{})
	defer s.Close()
	fails(t, s, "cannot be written")
	remount(t, dir, 0)
	recovers(t, s, "before")
}

// disk mounts a disk of 2 MiB.
func disk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=2m"); err != nil {
		word := fmt.Sprintf("needs root to mount a small disk: %v", err)
		if os.Getenv("CI") == "true" {
			t.Fatal(word)
		}
		t.Skip(word)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func remount(t *testing.T, dir string, flags uintptr) {
	t.Helper()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT|flags, "size=2m"); err != nil {
		t.Fatal(err)
	}
}
