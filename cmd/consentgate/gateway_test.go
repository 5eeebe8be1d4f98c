package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/numfocus/consentgate/consent/ledger"
	"github.com/numfocus/consentgate/proxy/inventory"
)

// A slowLedger purges until it is told to stop, and then needs a moment.
type slowLedger struct {
	ledger.Store
	begun chan struct{}
	done  bool
}

func (l *slowLedger) Purge(ctx context.Context, _ time.Time) (int, error) {
	close(l.begun)
	<-ctx.Done()
	time.Sleep(10 * time.Millisecond)
	l.done = true
	return 0, os.ErrClosed
}

// TestNothingOutlastsItsGateway is about a start that fails late: what was begun
// before has ended, and said nothing, when the ledger is closed.
func TestNothingOutlastsItsGateway(t *testing.T) {
	store, _, err := inventory.Open(filepath.Join(t.TempDir(), "inventory.json"), nil)
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	ws := new(worlds)
	ws.now.Store(&world{log: zerolog.New(&said)})
	slow := &slowLedger{begun: make(chan struct{})}
	end := keepUp(t.Context(), config{}, kept{slow, store}, ws)
	<-slow.begun
	end()
	if !slow.done {
		t.Error("a purge was left running")
	}
	if said.Len() > 0 {
		t.Errorf("it said %s", &said)
	}
}
