package sqlite_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/numfocus/consentgate/consent/ledger"
	"github.com/numfocus/consentgate/consent/ledger/ledgertest"
	"github.com/numfocus/consentgate/consent/ledger/sqlite"
)

// crashEnv makes the test binary a process that appends to the ledger it names
// and prints each record once it is acknowledged, until it is killed.
const crashEnv = "CONSENTGATE_LEDGER_TO_CRASH"

func TestMain(m *testing.M) {
	if path := os.Getenv(crashEnv); path != "" {
		if err := appendForEver(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

func appendForEver(path string) error {
	s, err := sqlite.Open(path, sqlite.Options{})
	if err != nil {
		return err
	}
	failed := make(chan error)
	for range 16 {
		go func() {
			for {
				record := fmt.Sprintf("%016x", rand.Uint64())
				if err := s.Append(context.Background(), ledgertest.Receipt(record)); err != nil {
					failed <- err
				}
				os.Stdout.WriteString(record + "\n")
			}
		}()
	}
	return <-failed
}

// TestCrash kills a process under load 200 times. Whatever it acknowledged has
// to be there, and the chain whole.
func TestCrash(t *testing.T) {
	const files = 20
	rounds := 10
	if testing.Short() {
		rounds = 1
	}
	var mu sync.Mutex
	total := 0
	t.Run("files", func(t *testing.T) {
		for i := range files {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				n := crash(t, filepath.Join(t.TempDir(), "ledger.db"), rounds)
				mu.Lock()
				defer mu.Unlock()
				total += n
			})
		}
	})
	t.Logf("%d acknowledged receipts in %d rounds", total, files*rounds)
	if total == 0 {
		t.Error("nothing was acknowledged: this showed nothing")
	}
}

func crash(t *testing.T, path string, rounds int) int {
	acknowledged := map[string]bool{}
	for range rounds {
		for _, record := range killedWhileAppending(t, path) {
			acknowledged[record] = true
		}
		missing := len(acknowledged)
		s := open(t, path)
		verifyAll(t, s)
		eachReceipt(t, s, func(r ledger.Receipt) {
			if acknowledged[r.Record] {
				missing--
			}
		})
		if missing != 0 {
			t.Fatalf("%d of %d acknowledged receipts are missing", missing, len(acknowledged))
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return len(acknowledged)
}

// killedWhileAppending returns the records that a process acknowledged before
// it was killed, soon after its start or soon after its first receipt.
func killedWhileAppending(t *testing.T, path string) []string {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crashEnv+"="+path)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill := func() {
		time.AfterFunc(rand.N(100*time.Millisecond), func() { cmd.Process.Kill() })
	}
	early := rand.N(4) == 0 // perhaps before it has opened the file
	if early {
		kill()
	}
	var records []string
	for lines := bufio.NewReader(out); ; {
		line, err := lines.ReadString('\n')
		if err != nil {
			break // what is left has no end of line: it was cut
		}
		if len(records) == 0 && !early {
			kill()
		}
		records = append(records, line[:len(line)-1])
	}
	cmd.Wait()
	if stderr.Len() > 0 {
		t.Fatalf("the process failed before it was killed: %s", stderr.String())
	}
	return records
}

func verifyAll(t testing.TB, s ledger.Store) ledger.Report {
	t.Helper()
	r, err := ledger.Verify(t.Context(), s, ledger.Check{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func eachReceipt(t testing.TB, s ledger.Store, visit func(ledger.Receipt)) {
	t.Helper()
	chains, err := s.Chains(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range chains {
		err := s.Walk(t.Context(), c.Gateway, 0, func(l ledger.Link) error {
			r, ok, err := l.Receipt()
			if ok {
				visit(r)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
