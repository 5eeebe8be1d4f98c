package sqlite_test

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/numfocus/consentgate/consent/ledger"
)

// TestWhileAnotherTakesItsPlace appends to one file from two processes, as a
// gateway and its successor do during an upgrade. Nothing that either has
// acknowledged may be missing, and the chain stays one.
func TestWhileAnotherTakesItsPlace(t *testing.T) {
	const each = 200
	path := filepath.Join(t.TempDir(), "ledger.db")
	processes := []*bufio.Scanner{appending(t, path), appending(t, path)}
	acknowledged := map[string]bool{}
	for range each { // by turns, so that neither is done before the other begins
		for i, p := range processes {
			if !p.Scan() {
				t.Fatalf("process %d ended", i)
			}
			acknowledged[p.Text()] = true
		}
	}
	s := open(t, path) // a third one
	if r := verifyAll(t, s); len(r.Chains) != 1 {
		t.Errorf("%d chains", len(r.Chains))
	}
	eachReceipt(t, s, func(r ledger.Receipt) { delete(acknowledged, r.Record) })
	if len(acknowledged) > 0 {
		t.Errorf("%d of %d acknowledged receipts are missing", len(acknowledged), 2*each)
	}
}

// appending starts a process that appends until the test is over, and tells
// each record that is acknowledged.
func appending(t *testing.T, path string) *bufio.Scanner {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crashEnv+"="+path)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	return bufio.NewScanner(out)
}
