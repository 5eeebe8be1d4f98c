package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/numfocus/consentgate/consent/ledger"
	"github.com/numfocus/consentgate/consent/ledger/ledgertest"
	"github.com/numfocus/consentgate/consent/ledger/postgres"
	"github.com/numfocus/consentgate/consent/ledger/postgres/postgrestest"
)

// TestLedgerOfOthersCanBeRead reads a ledger in PostgreSQL with the configuration
// alone, from where no gateway has ever been, and expects to leave nothing behind.
func TestLedgerOfOthersCanBeRead(t *testing.T) {
	url := postgrestest.Start(t).Database(t)
	dir := t.TempDir()
	store, err := serveLedger(filepath.Join(dir, "ledger.db"), ledgerConfig{Postgres: postgres.Config{URL: url}})
	if err != nil {
		t.Fatal(err)
	}
	receipt := ledgertest.Receipt("somebody")
	if err := store.Append(context.Background(), receipt); err != nil {
		t.Fatal(err)
	}
	shipped := store.(interface{ Shipping() postgres.Shipping })
	for shipped.Shipping().Last.IsZero() || shipped.Shipping().Pending > 0 {
		time.Sleep(10 * time.Millisecond)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}

	t.Setenv("TMPDIR", t.TempDir())
	elsewhere := t.TempDir()
	file := filepath.Join(elsewhere, "consentgate.yaml")
	text := "data: " + filepath.Join(elsewhere, "data") + "\nledger: {postgres: {url: '" + url + "'}}\nsites: [{upstream: {url: 'http://127.0.0.1:1'}}]\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	said := func(args ...string) string {
		var out, wrong strings.Builder
		if code := run(append(append([]string{"ledger"}, args...), "--config", file), strings.NewReader(""), &out, &wrong, os.Getenv); code != exitFine {
			t.Fatalf("ledger %q: %d\n%s", args, code, wrong.String())
		}
		return out.String()
	}
	var found []ledger.Receipt
	if err := json.Unmarshal([]byte(said("show", receipt.Record)), &found); err != nil || len(found) != 1 {
		t.Errorf("show: %d receipts, %v", len(found), err)
	}
	if got := said("export"); !strings.Contains(got, receipt.Record) {
		t.Errorf("export:\n%s", got)
	}
	if got := said("verify"); !strings.Contains(got, "1 receipts") {
		t.Errorf("verify:\n%s", got)
	}
	said("stats")
	for _, folder := range []string{elsewhere, os.Getenv("TMPDIR")} {
		entries, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if e.Name() != "consentgate.yaml" {
				t.Errorf("it leaves %s behind", e.Name())
			}
		}
	}
}
