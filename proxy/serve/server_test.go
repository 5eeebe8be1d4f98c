package serve

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/numfocus/consentgate/consent"
)

// running is a server under test.
type running struct {
	Addrs
	server *Server
	stop   context.CancelFunc
	ended  chan error
	log    *logged
}

// start runs a server until the test ends.
func start(t *testing.T, c Config, h Handlers) *running {
	t.Helper()
	return startWith(t, c, h, Parts{})
}

// startWith starts a server until the test ends; what it tells goes to its log.
func startWith(t *testing.T, c Config, h Handlers, p Parts) *running {
	t.Helper()
	if c.Listen == nil {
		c.Listen = []string{"127.0.0.1:0"}
	}
	r := &running{ended: make(chan error, 1), log: &logged{}}
	p.Log, p.Tell = r.log, r.log.tell
	s, err := New(c, p)
	must(t, err)
	r.server = s
	ctx, stop := context.WithCancel(context.Background())
	r.stop = stop
	ready, done := make(chan Addrs, 1), make(chan struct{})
	go func() {
		defer close(done)
		r.ended <- s.Run(ctx, h, func(a Addrs) { ready <- a })
	}()
	t.Cleanup(func() {
		stop()
		<-done
		if t.Failed() {
			t.Logf("the server said:\n%s", r.log)
		}
	})
	select {
	case r.Addrs = <-ready:
	case err := <-r.ended:
		t.Fatal(err)
	}
	return r
}

type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) tell(e Event) {
	_, _ = fmt.Fprintf(l, "%s %s %v\n", e.Level, e.Text, e.Fields)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func dial(t *testing.T, a net.Addr) (net.Conn, *bufio.Reader) {
	t.Helper()
	c, err := net.Dial("tcp", a.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	return c, bufio.NewReader(c)
}

// untilEnd reads until the server ends the connection, in whatever way.
func untilEnd(t *testing.T, r io.Reader) string {
	t.Helper()
	all, err := io.ReadAll(r)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the server did not end the connection")
	}
	return string(all)
}

func wait[T any](t *testing.T, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(20 * time.Second):
		t.Fatalf("waited 20s for %s", what)
		panic("unreachable")
	}
}

func answer(text string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) })
}

func get(t *testing.T, a net.Addr) (status int, body string) {
	t.Helper()
	c, r := dial(t, a)
	_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	res, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

func TestVisitorsAndOperatorsHaveTheirOwnListeners(t *testing.T) {
	r := start(t, Config{Listen: []string{"127.0.0.1:0", "127.0.0.1:0"}, Ops: "127.0.0.1:0"},
		Handlers{Site: answer("site"), Ops: answer("ops")})
	if len(r.Site) != 2 {
		t.Fatalf("addresses %v", r.Site)
	}
	for _, a := range r.Site {
		if _, body := get(t, a); body != "site" {
			t.Errorf("%s answers %q", a, body)
		}
	}
	if _, body := get(t, r.Ops); body != "ops" {
		t.Errorf("%s answers %q", r.Ops, body)
	}
}

func TestShutdownLetsRequestsEnd(t *testing.T) {
	arrived, finish := make(chan struct{}), make(chan struct{})
	r := start(t, Config{Ops: "127.0.0.1:0"}, Handlers{Ops: answer("ops"), Site: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-finish
		if r.Context().Err() != nil {
			t.Error("the request was canceled by the shutdown")
		}
		_, _ = io.WriteString(w, "whole")
	})})
	c, reader := dial(t, r.Site[0])
	_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	wait(t, "the request", arrived)
	r.stop()
	for { // until no new connection is accepted
		probe, err := net.Dial("tcp", r.Site[0].String())
		if err != nil {
			break
		}
		_ = probe.Close()
	}
	if _, body := get(t, r.Ops); body != "ops" {
		t.Errorf("operators got %q during the shutdown", body)
	}
	close(finish)
	res, err := http.ReadResponse(reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(res.Body); string(body) != "whole" || err != nil {
		t.Errorf("visitor got %q, %v", body, err)
	}
	if err := wait(t, "Run", r.ended); err != nil {
		t.Errorf("Run: %v", err)
	}
}

func TestShutdownCutsWhatDoesNotEndInTime(t *testing.T) {
	arrived := make(chan struct{}, 2)
	site := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hijack" {
			_, _, _ = http.NewResponseController(w).Hijack()
			arrived <- struct{}{}
			return
		}
		arrived <- struct{}{}
		<-r.Context().Done()
	})
	told := make(chan struct{})
	r := start(t, Config{DrainTimeout: 20 * time.Millisecond}, Handlers{Site: site, Drain: func(ctx context.Context) {
		<-ctx.Done()
		close(told)
	}})
	stuck, stuckReader := dial(t, r.Site[0])
	_, _ = io.WriteString(stuck, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	hijacked, hijackedReader := dial(t, r.Site[0])
	_, _ = io.WriteString(hijacked, "GET /hijack HTTP/1.1\r\nHost: a\r\n\r\n")
	wait(t, "a request", arrived)
	wait(t, "a request", arrived)
	r.stop()
	if err := wait(t, "Run", r.ended); err != nil {
		t.Errorf("Run: %v", err)
	}
	wait(t, "Drain", told)
	for name, reader := range map[string]*bufio.Reader{"stuck": stuckReader, "hijacked": hijackedReader} {
		if all := untilEnd(t, reader); all != "" {
			t.Errorf("%s connection: %q", name, all)
		}
	}
}

func TestSlowHeadersAreCut(t *testing.T) {
	r := start(t, Config{HeaderTimeout: 20 * time.Millisecond}, Handlers{Site: answer("site")})
	c, reader := dial(t, r.Site[0])
	_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ")
	untilEnd(t, reader)
}

func TestIdleConnectionsAreClosed(t *testing.T) {
	r := start(t, Config{IdleTimeout: 20 * time.Millisecond}, Handlers{Site: answer("site")})
	c, reader := dial(t, r.Site[0])
	_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	if all, err := io.ReadAll(reader); !strings.HasSuffix(string(all), "site") || err != nil {
		t.Errorf("visitor got %q, %v", all, err)
	}
}

func TestLongHeadersAreRefused(t *testing.T) {
	r := start(t, Config{MaxHeaderBytes: 4096}, Handlers{Site: answer("site")})
	c, reader := dial(t, r.Site[0])
	go func() {
		_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\nCookie: "+strings.Repeat("x", 64<<10)+"\r\n\r\n")
	}()
	res, err := http.ReadResponse(reader, nil)
	if err != nil || res.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("got %v, %v", res, err)
	}
}

func TestSilentUploadIsCut(t *testing.T) {
	failed := make(chan error, 1)
	site := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		failed <- err
	})
	r := start(t, Config{ReadTimeout: 20 * time.Millisecond}, Handlers{Site: site})
	c, _ := dial(t, r.Site[0])
	_, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
	if err := wait(t, "the body to fail", failed); err == nil {
		t.Error("a part of the body was taken for the whole")
	}
}

func TestSlowButSteadyUploadIsNot(t *testing.T) {
	const timeout = 500 * time.Millisecond
	got := make(chan string, 1)
	site := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			b = []byte(err.Error())
		}
		got <- string(b)
	})
	r := start(t, Config{ReadTimeout: timeout}, Handlers{Site: site})
	c, _ := dial(t, r.Site[0])
	_, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n")
	tick := time.NewTicker(timeout / 5)
	defer tick.Stop()
	for range 10 { // twice the timeout
		<-tick.C
		_, _ = io.WriteString(c, "x")
	}
	if body := wait(t, "the body", got); body != "xxxxxxxxxx" {
		t.Errorf("handler got %q", body)
	}
}

func TestRequestMayTakeLongerThanItsBody(t *testing.T) {
	const timeout = 20 * time.Millisecond
	site := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for range 3 { // transports ask again after the end
			_, _ = io.Copy(io.Discard, r.Body)
			select {
			case <-r.Context().Done():
				t.Error("the deadline for the body ended the request")
			case <-time.After(2 * timeout):
			}
		}
		_, _ = io.WriteString(w, "ok")
	})
	r := start(t, Config{ReadTimeout: timeout, WriteTimeout: timeout}, Handlers{Site: site})
	c, reader := dial(t, r.Site[0])
	_, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc")
	if all, err := io.ReadAll(reader); !strings.HasSuffix(string(all), "ok") || err != nil {
		t.Errorf("visitor got %q, %v", all, err)
	}
}

func TestVisitorWhoDoesNotReadIsCut(t *testing.T) {
	failed := make(chan error, 1)
	site := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		piece := make([]byte, 1<<20)
		for {
			if _, err := w.Write(piece); err != nil {
				failed <- err
				return
			}
		}
	})
	r := start(t, Config{WriteTimeout: 30 * time.Millisecond}, Handlers{Site: site})
	c, _ := dial(t, r.Site[0])
	_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	wait(t, "the write to fail", failed)
}

func TestVisitorWhoReadsSlowlyIsNot(t *testing.T) {
	const timeout, size = time.Second, 24 << 20
	site := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		piece := make([]byte, size) // one write that takes longer than the timeout
		_, _ = w.Write(piece)
	})
	r := start(t, Config{WriteTimeout: timeout}, Handlers{Site: site})
	c, reader := dial(t, r.Site[0])
	_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	res, err := http.ReadResponse(reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	tick := time.NewTicker(timeout / 10)
	defer tick.Stop()
	var n int64
	for err == nil { // about 24 pieces: two and a half times the timeout
		<-tick.C
		var got int64
		got, err = io.CopyN(io.Discard, res.Body, 1<<20)
		n += got
	}
	if n != size || err != io.EOF {
		t.Errorf("visitor got %d of %d bytes, %v", n, size, err)
	}
}

func TestTooManyConnectionsWait(t *testing.T) {
	r := start(t, Config{Connections: 1}, Handlers{Site: answer("site")})
	first, firstReader := dial(t, r.Site[0])
	_, _ = io.WriteString(first, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	if _, err := http.ReadResponse(firstReader, nil); err != nil {
		t.Fatal(err)
	}
	second, secondReader := dial(t, r.Site[0])
	_, _ = io.WriteString(second, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	_ = second.SetReadDeadline(time.Now().Add(30 * time.Millisecond))
	if _, err := secondReader.ReadByte(); err == nil {
		t.Fatal("the second connection was served beside the first")
	}
	_ = second.SetReadDeadline(time.Now().Add(20 * time.Second))
	_ = first.Close()
	if res, err := http.ReadResponse(secondReader, nil); err != nil || res.StatusCode != 200 {
		t.Errorf("second visitor got %v, %v", res, err)
	}
}

// TestConnectionEndsAfterAmbiguousLength sends a second request where a proxy
// in front that goes by Content-Length would see the first one's body.
func TestConnectionEndsAfterAmbiguousLength(t *testing.T) {
	const smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
	for name, request := range map[string]string{
		"both lengths":       "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 40\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"chunked in 1.0":     "POST / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n",
		"both length in 1.0": "POST / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			paths := make(chan string, 2)
			r := start(t, Config{}, Handlers{Site: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				paths <- r.URL.Path
			})})
			c, reader := dial(t, r.Site[0])
			_, _ = io.WriteString(c, request+smuggled)
			untilEnd(t, reader)
			close(paths)
			for path := range paths {
				if path != "/" {
					t.Errorf("served %s", path)
				}
			}
		})
	}
}

func TestPanicDoesNotStopTheServer(t *testing.T) {
	r := start(t, Config{}, Handlers{Site: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/panic" {
			panic("at the disco")
		}
	})})
	c, reader := dial(t, r.Site[0])
	_, _ = io.WriteString(c, "GET /panic HTTP/1.1\r\nHost: a\r\n\r\n")
	untilEnd(t, reader)
	if status, _ := get(t, r.Site[0]); status != 200 {
		t.Errorf("status %d", status)
	}
	if !strings.Contains(r.log.String(), "at the disco") {
		t.Errorf("the log says %q", r.log)
	}
}

func TestOneBadAddressOpensNone(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = free.Close()
	for name, c := range map[string]Config{
		"site": {Listen: []string{free.Addr().String(), taken.Addr().String()}},
		"ops":  {Listen: []string{free.Addr().String()}, Ops: taken.Addr().String()},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := New(c, Parts{Log: io.Discard})
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Run(context.Background(), Handlers{Site: answer("")}, nil); err == nil {
				t.Error("no error")
			}
			l, err := net.Listen("tcp", free.Addr().String())
			if err != nil {
				t.Fatalf("the other address is still open: %v", err)
			}
			_ = l.Close()
		})
	}
}

func TestCheckReportsAllMistakes(t *testing.T) {
	err := Config{Listen: []string{":8080", "8080", "a:b"}, Ops: "localhost", IdleTimeout: -1, Connections: -1}.Check()
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		t.Fatalf("Check() = %v", err)
	}
	var fields []string
	for _, e := range joined.Unwrap() {
		var m consent.Mistake
		if !errors.As(e, &m) || m.Cure == "" {
			t.Errorf("%v is no Mistake with a cure", e)
		}
		fields = append(fields, m.Field)
	}
	if got := strings.Join(fields, " "); got != "listen[1] listen[2] ops idle_timeout " {
		t.Errorf("mistakes in %q", got)
	}
	if err := (Config{}).Check(); err != nil {
		t.Errorf("the zero Config: %v", err)
	}
}
