package sqlite_test

import (
	"bytes"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/numfocus/consentgate/consent/ledger"
	"github.com/numfocus/consentgate/consent/ledger/ledgertest"
	"github.com/numfocus/consentgate/consent/ledger/sqlite"
)

func TestReopen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "odd name ?#%.db")
	for i := range 3 {
		s := open(t, path)
		if err := s.Append(t.Context(), ledgertest.Receipt(ledgertest.Record(i))); err != nil {
			t.Fatal(err)
		}
		if err := s.Refuse(t.Context(), refusal()); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	s := open(t, path)
	if r := verifyAll(t, s); r.Entries != 3 || len(r.Chains) != 1 {
		t.Errorf("report %+v, want 3 entries in one chain", r)
	}
	if n := refused(t, s); n != 3 {
		t.Errorf("%d refusals, want those of before the closings: 3", n)
	}
}

// TestTwoProcesses has two stores write to one file, as a command does beside a
// running gateway.
func TestTwoProcesses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	var all sync.WaitGroup
	for i, s := range []*sqlite.Store{open(t, path), open(t, path)} {
		all.Go(func() {
			for n := range 50 {
				if err := s.Append(t.Context(), ledgertest.Receipt(ledgertest.Record(100*i+n))); err != nil {
					t.Error(err)
				}
			}
			if err := s.Erase(t.Context(), ledgertest.Record(100*i)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if r := verifyAll(t, open(t, path)); r.Entries != 102 || r.Erased != 2 || len(r.Chains) != 1 {
		t.Errorf("report %+v, want 102 entries in one chain, 2 erased", r)
	}
}

// TestErasedBytes looks for the record in the bytes on the disk.
func TestErasedBytes(t *testing.T) {
	dir := t.TempDir()
	s := open(t, filepath.Join(dir, "ledger.db"))
	const record = "needle-in-the-file"
	for i := range 20 {
		if err := s.Append(t.Context(), ledgertest.Receipt(ledgertest.Record(i))); err != nil {
			t.Fatal(err)
		}
		if err := s.Append(t.Context(), ledgertest.Receipt(record)); err != nil {
			t.Fatal(err)
		}
	}
	if !onDisk(t, dir, record) {
		t.Fatal("the record is not on the disk at first: this test looks in the wrong place")
	}
	if err := s.Erase(t.Context(), record); err != nil {
		t.Fatal(err)
	}
	if err := s.Health(t.Context()); err != nil { // a commit after it
		t.Fatal(err)
	}
	if onDisk(t, dir, record) {
		t.Error("the record is still on the disk")
	}
}

func onDisk(t *testing.T, dir, text string) bool {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(data, []byte(text)) {
			return true
		}
	}
	return false
}

// TestBackup backs up while grants go on, and opens the copy.
func TestBackup(t *testing.T) {
	dir := t.TempDir()
	s := open(t, filepath.Join(dir, "ledger.db"))
	grant := func(n int) {
		if err := s.Append(t.Context(), ledgertest.Receipt(ledgertest.Record(n))); err != nil {
			t.Error(err)
		}
	}
	for i := range 20 {
		grant(i)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for i := 20; i < 60; i++ {
			grant(i)
		}
	})
	path := filepath.Join(dir, "backup.db")
	if err := s.Backup(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	if err := s.Backup(t.Context(), path); err == nil {
		t.Error("overwrote a backup")
	}
	all.Wait()
	if r := verifyAll(t, open(t, path)); r.Receipts < 20 || r.Receipts > 60 {
		t.Errorf("report %+v, want between 20 and 60 receipts", r)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v: others can read it", info.Mode())
	}
}

func TestTrim(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	s := open(t, path)
	for i := range 10 {
		if err := s.Append(t.Context(), ledgertest.Receipt(ledgertest.Record(i))); err != nil {
			t.Fatal(err)
		}
	}
	own, err := s.Own(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, through := range []uint64{4, 7, 2} {
		if err := s.Trim(t.Context(), own.Gateway, through); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Append(t.Context(), ledgertest.Receipt("next")); err != nil {
		t.Fatal(err)
	}
	r := verifyAll(t, s)
	if r.Entries != 4 || r.Chains[0].Base.Seq != 7 {
		t.Errorf("report %+v, want the 4 entries after the 7th", r)
	}
	if err := s.Trim(t.Context(), own.Gateway, 99); err == nil {
		t.Error("trimmed beyond the head")
	}
	var _ ledger.Store = s
}
