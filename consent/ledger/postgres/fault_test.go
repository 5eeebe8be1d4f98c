package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/numfocus/consentgate/consent/ledger"
	"github.com/numfocus/consentgate/consent/ledger/ledgertest"
	"github.com/numfocus/consentgate/consent/ledger/postgres/postgrestest"
	"github.com/numfocus/consentgate/consent/ledger/sqlite"
)

// TestOutages does to PostgreSQL what operators and networks do to it, while
// grants go on. None may fail, be lost or be doubled.
func TestOutages(t *testing.T) {
	c := running(t)
	for _, outage := range []struct {
		name string
		do   func(*testing.T, *postgrestest.Cluster, *link)
	}{
		{"stopped and started", func(t *testing.T, c *postgrestest.Cluster, _ *link) { must(t, c.Stop()); must(t, c.Start()) }},
		{"refuses", func(_ *testing.T, _ *postgrestest.Cluster, l *link) { l.be(refusing) }},
		{"slow", func(_ *testing.T, _ *postgrestest.Cluster, l *link) { l.be(slow) }},
		{"hangs", func(_ *testing.T, _ *postgrestest.Cluster, l *link) { l.be(hanging) }},
		{"cut in the middle of whatever", func(_ *testing.T, _ *postgrestest.Cluster, l *link) { l.be(cutting) }},
	} {
		t.Run(outage.name, func(t *testing.T) {
			url := c.Database(t)
			between := newLink(t, fmt.Sprintf("127.0.0.1:%d", c.Port))
			outbox, err := sqlite.Open(filepath.Join(t.TempDir(), "ledger.db"), sqlite.Options{})
			must(t, err)
			l, err := Open(Config{URL: between.through(t, url), Timeout: 2 * time.Second}, outbox)
			must(t, err)
			defer l.Close()

			granted := grantAllTheTime(t, l)
			granted.atLeast(50)
			outage.do(t, c, between)
			granted.atLeast(200)
			between.be(passing)
			granted.atLeast(50)
			n := granted.stop()

			waitUntilShipped(t, l)
			onceEach(t, l, n)
		})
	}
}

// grants counts receipts 0 to n-1 that were acknowledged.
type grants struct {
	t    *testing.T
	n    atomic.Int64
	quit context.CancelFunc
	all  sync.WaitGroup
}

func grantAllTheTime(t *testing.T, l *Ledger) *grants {
	ctx, cancel := context.WithCancel(t.Context())
	g := &grants{t: t, quit: cancel}
	for range 4 {
		g.all.Go(func() {
			for ctx.Err() == nil {
				if err := l.Append(t.Context(), ledgertest.Receipt(ledgertest.Record(int(g.n.Add(1)-1)))); err != nil {
					t.Error(err)
				}
				time.Sleep(time.Millisecond) // leave some of the machine to PostgreSQL
			}
		})
	}
	return g
}

// atLeast returns once so many more have been granted.
func (g *grants) atLeast(n int64) {
	for until := g.n.Load() + n; g.n.Load() < until && !g.t.Failed(); {
		time.Sleep(time.Millisecond)
	}
}

func (g *grants) stop() int {
	g.quit()
	g.all.Wait()
	return int(g.n.Load())
}

func waitUntilShipped(t *testing.T, l *Ledger) {
	t.Helper()
	for l.ship.flush(t.Context()) != nil {
		time.Sleep(10 * time.Millisecond) // the server may still be starting
	}
}

// onceEach tests that PostgreSQL has each of the first n receipts once.
func onceEach(t *testing.T, l *Ledger, n int) {
	t.Helper()
	r, err := ledger.Verify(t.Context(), l, ledger.Check{})
	must(t, err)
	if int(r.Receipts) != n {
		t.Errorf("%d receipts, want %d", r.Receipts, n)
	}
	times := map[string]int{}
	for _, c := range r.Chains {
		must(t, l.Walk(t.Context(), c.Gateway, 0, func(l ledger.Link) error {
			r, _, err := l.Receipt()
			times[r.Record]++
			return err
		}))
	}
	for i := range n {
		if times[ledgertest.Record(i)] != 1 {
			t.Errorf("receipt %d is there %d times", i, times[ledgertest.Record(i)])
		}
	}
	var sum int64
	must(t, l.Counts(t.Context(), func(c ledger.Count) error {
		if c.Purpose == "" {
			sum += c.N
		}
		return nil
	}))
	if sum != int64(n) {
		t.Errorf("%d counted, want %d", sum, n)
	}
}

// TestAwayForLong starts without PostgreSQL, restarts without it, and finds
// everything there once it is back.
func TestAwayForLong(t *testing.T) {
	c := running(t)
	url := c.Database(t)
	must(t, c.Stop())
	path := filepath.Join(t.TempDir(), "ledger.db")
	for n := range 3 {
		l := openAt(t, url, path)
		must(t, l.PutNotice(t.Context(), ledgertest.Notice()))
		must(t, l.Append(t.Context(), ledgertest.Receipt(ledgertest.Record(n))))
		must(t, l.Health(t.Context()))
		if _, err := l.Find(t.Context(), ledgertest.Record(n)); !errors.Is(err, ledger.ErrUnavailable) {
			t.Errorf("find without PostgreSQL: %v", err)
		}
		if err := l.Erase(t.Context(), ledgertest.Record(n)); !errors.Is(err, ledger.ErrUnavailable) {
			t.Errorf("erase without PostgreSQL: %v", err)
		}
		if s := l.Shipping(); s.Err == nil || s.Pending != uint64(n+1) {
			t.Errorf("shipping %+v, want %d pending and why", s, n+1)
		}
		must(t, l.Close())
	}
	must(t, c.Start())
	l := openAt(t, url, path)
	waitUntilShipped(t, l)
	onceEach(t, l, 3)
	if s := l.Shipping(); s.Err != nil || s.Pending != 0 {
		t.Errorf("shipping %+v, want nothing left", s)
	}
}

// TestFailover loses what PostgreSQL had acknowledged, as a failover to a copy
// that lags behind does.
func TestFailover(t *testing.T) {
	c := running(t)
	url := c.Database(t)
	l := open(t, url)
	for n := range 10 {
		must(t, l.Append(t.Context(), ledgertest.Receipt(ledgertest.Record(n))))
	}
	must(t, l.ship.flush(t.Context()))
	db := connect(t, url)
	defer db.Close()
	for _, query := range []string{
		"DELETE FROM consentgate_payload WHERE seq > 6", "DELETE FROM consentgate_entry WHERE seq > 6",
		"UPDATE consentgate_chain SET head_seq = 6, head_hash = (SELECT hash FROM consentgate_entry WHERE seq = 6)",
	} {
		_, err := db.Exec(query)
		must(t, err)
	}
	must(t, l.Append(t.Context(), ledgertest.Receipt(ledgertest.Record(10))))
	waitUntilShipped(t, l)
	onceEach(t, l, 11)
}

// A link is a TCP connection to the server that can be disturbed.
type link struct {
	net.Listener
	server string
	mode   atomic.Int32
	mu     sync.Mutex
	open   []net.Conn
}

const (
	passing int32 = iota
	refusing
	slow
	hanging
	cutting
)

func newLink(t *testing.T, server string) *link {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	l := &link{Listener: listener, server: server}
	t.Cleanup(func() {
		listener.Close()
		l.cut()
	})
	go l.accept()
	return l
}

// through is url by way of the link.
func (l *link) through(t *testing.T, url string) string {
	t.Helper()
	var port, before int
	var rest string
	_, err := fmt.Sscanf(url, "postgres://consentgate@127.0.0.1:%d/%s", &before, &rest)
	must(t, err)
	port = l.Addr().(*net.TCPAddr).Port
	return fmt.Sprintf("postgres://consentgate@127.0.0.1:%d/%s", port, rest)
}

// be changes the mode. To refuse, or to pass again, all connections are cut.
func (l *link) be(mode int32) {
	l.mode.Store(mode)
	if mode == refusing || mode == passing {
		l.cut()
	}
}

func (l *link) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.open {
		c.Close()
	}
	l.open = nil
}

func (l *link) accept() {
	for {
		client, err := l.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", l.server)
		if err != nil || l.mode.Load() == refusing {
			client.Close()
			continue
		}
		l.mu.Lock()
		l.open = append(l.open, client, server)
		l.mu.Unlock()
		go l.carry(server, client)
		go l.carry(client, server)
	}
}

// carry copies one direction in small pieces.
func (l *link) carry(to, from net.Conn) {
	defer to.Close()
	defer from.Close()
	piece := make([]byte, 512)
	for {
		n, err := from.Read(piece)
		switch l.mode.Load() {
		case slow:
			time.Sleep(2 * time.Millisecond)
		case hanging:
			n = 0 // swallowed
		case cutting:
			if rand.N(20) == 0 {
				return
			}
		}
		if _, werr := to.Write(piece[:n]); err != nil || werr != nil {
			return
		}
	}
}
