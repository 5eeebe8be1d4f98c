package upstream

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// answering is an origin that says its name.
func answering(t *testing.T, name string) (url string, asked *atomic.Int32) {
	asked = new(atomic.Int32)
	return newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, name)
	}), asked
}

func TestRequestsAreSpread(t *testing.T) {
	a, fromA := answering(t, "a")
	b, fromB := answering(t, "b")
	gate := newGateWith(t, Config{URLs: []string{a, b}}, &gate{})
	for range 10 {
		send(t, gate, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	}
	if fromA.Load() != 5 || fromB.Load() != 5 {
		t.Errorf("%d and %d of 10 requests", fromA.Load(), fromB.Load())
	}
}

// TestUnreachableOriginCostsNobodyAnything: where nothing could be sent, any
// request goes to the other origin, with its body.
func TestUnreachableOriginCostsNobodyAnything(t *testing.T) {
	alive, asked := answering(t, "alive")
	down := make(chan State, 9)
	g := &gate{}
	config := Config{URLs: []string{"http://" + freeAddress(t), alive}, Health: Health{Failures: 2, Pause: time.Hour}}
	address := newGateWith(t, config, g)
	g.up.Notify(func(s State) { down <- s })
	for _, request := range []string{
		"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
		"DELETE / HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
	} {
		if res, body := send(t, address, request); res.StatusCode != 200 || body != "alive" {
			t.Errorf("%q: status %d %q", request, res.StatusCode, body)
		}
	}
	if n := asked.Load(); n != 6 {
		t.Errorf("the origin that works got %d requests, want 6", n)
	}
	if s := wait(t, "the origin to count as down", down); !s.Down || len(down) != 0 || !g.up.States()[0].Down || g.up.States()[1].Down {
		t.Errorf("told of %v; %v", s, g.up.States())
	}
}

// TestOriginThatHangsUpCostsNoReader: one that restarts takes connections to which it
// never listens. Whether the transport notices before it has written is chance.
func TestOriginThatHangsUpCostsNoReader(t *testing.T) {
	alive, _ := answering(t, "alive")
	leaving := rawOrigin(t, func(_ int, c net.Conn, _ *bufio.Reader) { _ = c.Close() })
	address := newGateWith(t, Config{URLs: []string{leaving, alive}, Health: Health{Failures: 1 << 30}}, &gate{})
	for range 400 {
		if res, body := send(t, address, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"); res.StatusCode != 200 || body != "alive" {
			t.Fatalf("status %d %q", res.StatusCode, body)
		}
	}
}

// TestPOSTIsNeverSentToTwoOrigins: once a connection was there, something of it
// may have arrived.
func TestPOSTIsNeverSentToTwoOrigins(t *testing.T) {
	for name, tt := range map[string]struct {
		request string
		arrive  int32
		status  int
	}{
		"GET goes on":                   {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 2, 502},
		"POST":                          {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", 1, 502},
		"POST without body":             {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 1, 502},
		"GET with body":                 {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", 1, 502},
		"PUT, idempotent but not ours":  {"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 1, 502},
		"POST that says it may be sent": {"POST / HTTP/1.1\r\nHost: a\r\nIdempotency-Key: x\r\nContent-Length: 0\r\n\r\n", 1, 502},
	} {
		t.Run(name, func(t *testing.T) {
			var arrived atomic.Int32
			breaking := func() string {
				return rawOrigin(t, func(_ int, _ net.Conn, r *bufio.Reader) {
					if readHead(r) != "" {
						arrived.Add(1)
					}
				})
			}
			gate := newGateWith(t, Config{URLs: []string{breaking(), breaking()}}, &gate{})
			if res, _ := send(t, gate, tt.request); res.StatusCode != tt.status {
				t.Errorf("status %d", res.StatusCode)
			}
			if n := arrived.Load(); n != tt.arrive {
				t.Errorf("it arrived %d times, want %d", n, tt.arrive)
			}
		})
	}
}

// TestNothingIsRepeatedAfterAHint: a 103 is a byte of the response.
func TestNothingIsRepeatedAfterAHint(t *testing.T) {
	var arrived atomic.Int32
	hinting := func() string {
		return rawOrigin(t, func(_ int, c net.Conn, r *bufio.Reader) {
			readHead(r)
			arrived.Add(1)
			_, _ = io.WriteString(c, "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n")
		})
	}
	gate := newGateWith(t, Config{URLs: []string{hinting(), hinting()}}, &gate{})
	if res, _ := send(t, gate, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"); res.StatusCode != 502 || arrived.Load() != 1 {
		t.Errorf("status %d, it arrived %d times", res.StatusCode, arrived.Load())
	}
}

// TestAllDownAreTriedAllTheSame: a wrong guess about health must not be an
// outage.
func TestAllDownAreTriedAllTheSame(t *testing.T) {
	address := freeAddress(t)
	g := &gate{}
	gate := newGateWith(t, Config{URLs: []string{"http://" + address, "http://" + freeAddress(t)}, Health: Health{Failures: 1, Pause: time.Hour}}, g)
	if res, _ := send(t, gate, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"); res.StatusCode != 502 {
		t.Fatalf("status %d while nobody is there", res.StatusCode)
	}
	for _, s := range g.up.States() {
		if !s.Down {
			t.Errorf("%s counts as working", s.URL)
		}
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	origin := &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), ErrorLog: quiet()}
	go func() { _ = origin.Serve(l) }()
	t.Cleanup(func() { _ = origin.Close() })
	for range 2 {
		if res, _ := send(t, gate, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx"); res.StatusCode != 200 {
			t.Errorf("status %d although one is back", res.StatusCode)
		}
	}
	if g.up.States()[0].Down {
		t.Error("it answered and counts as down")
	}
}

// TestHealthPathBringsAnOriginBack follows one through sickness and health.
func TestHealthPathBringsAnOriginBack(t *testing.T) {
	var sick atomic.Bool
	var mu sync.Mutex
	var signed, host string
	checked := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/healthz" {
			mu.Lock()
			signed, host = r.Header.Get("X-Origin-Secret"), r.Host
			mu.Unlock()
			if sick.Load() {
				w.WriteHeader(http.StatusInternalServerError)
			}
			return
		}
		_, _ = io.WriteString(w, "checked")
	})
	other, _ := answering(t, "other")
	t.Setenv("ORIGIN_SECRET", "0123456789abcdef")
	changes := make(chan State, 9)
	g := &gate{}
	address := newGateWith(t, Config{
		URLs:   []string{checked, other},
		Secret: Secret{Header: "X-Origin-Secret", Env: "ORIGIN_SECRET"},
		Health: Health{Path: "/healthz", Host: "health.example", Interval: time.Millisecond, Failures: 3, Successes: 2},
	}, g)
	g.up.Notify(func(s State) {
		if s.URL == checked { // the other one has no such path, and answers it all the same
			changes <- s
		}
	})
	send(t, address, "GET / HTTP/1.1\r\nHost: a\r\n\r\n") // begins the checks
	sick.Store(true)
	if s := wait(t, "it to go down", changes); !s.Down {
		t.Fatalf("told of %v", s)
	}
	for range 6 {
		if _, body := send(t, address, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"); body != "other" {
			t.Errorf("%q answered while a healthy one is there", body)
		}
	}
	sick.Store(false)
	if s := wait(t, "it to come back", changes); s.Down {
		t.Fatalf("told of %v", s)
	}
	mu.Lock()
	defer mu.Unlock()
	if signed != "0123456789abcdef" || host != "health.example" {
		t.Errorf("its health was asked for with the secret %q and the host %q", signed, host)
	}
}

func TestPulse(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	t.Run("without a path", func(t *testing.T) {
		p := pulse{rules: Health{Failures: 2, Successes: 2, Pause: time.Minute}}
		if p.failed(now) || p.isDown() {
			t.Error("down after one failure")
		}
		p.answered()
		if p.failed(now) || !p.failed(now) || !p.isDown() {
			t.Error("not down after two failures in a row")
		}
		if p.claim(now.Add(time.Minute-1)) || !p.claim(now.Add(time.Minute)) || p.claim(now.Add(time.Minute)) {
			t.Error("not tried by exactly one request after the pause")
		}
		if !p.answered() || p.isDown() {
			t.Error("not back after an answer")
		}
	})
	t.Run("with a path", func(t *testing.T) {
		p := pulse{rules: Health{Path: "/", Failures: 1, Successes: 2, Pause: time.Minute}}
		p.failed(now)
		if p.answered() || p.claim(now.Add(time.Hour)) {
			t.Error("a visitor's request brought it back")
		}
		if p.checked() || !p.checked() || p.isDown() {
			t.Error("not back after two answers")
		}
	})
}

// TestWebSocketsAreCounted: one more than an origin takes is told at once.
func TestWebSocketsAreCounted(t *testing.T) {
	origin := rawOrigin(t, func(_ int, c net.Conn, r *bufio.Reader) {
		readHead(r)
		_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: abc\r\nSet-Cookie: a=b\r\n\r\n")
		_, _ = io.Copy(io.Discard, r)
	})
	g := &gate{}
	address := newGateWith(t, Config{URL: origin, WebSockets: 1}, g)
	first, _ := openWebSocket(t, address)
	res, _ := send(t, address, "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	if res.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("status %d", res.StatusCode)
	}
	_ = first.Close()
	for deadline := time.Now().Add(10 * time.Second); g.up.States()[0].WebSockets > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("its place was not given back")
		}
	}
	openWebSocket(t, address)
}

func TestOriginByHTTP2WithoutTLS(t *testing.T) {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	origin := &http.Server{Protocols: protocols, ErrorLog: quiet(), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Proto", r.Proto)
		if r.Header.Get("Upgrade") == "" {
			return
		}
		c, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Errorf("a WebSocket was not asked for by HTTP/1.1: %v", err)
			return
		}
		_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: abc\r\nSet-Cookie: a=b\r\n\r\n")
		_ = c.Close()
	})}
	go func() { _ = origin.Serve(l) }()
	t.Cleanup(func() { _ = origin.Close() })
	for protocol, want := range map[string]string{"": "HTTP/1.1", "auto": "HTTP/1.1", "http1": "HTTP/1.1", "http2": "HTTP/2.0"} {
		gate := newGateWith(t, Config{URL: "http://" + l.Addr().String(), Protocol: protocol}, &gate{})
		if res, _ := send(t, gate, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"); res.Header.Get("X-Proto") != want {
			t.Errorf("protocol %q: asked by %s", protocol, res.Header.Get("X-Proto"))
		}
		openWebSocket(t, gate)
	}
}

// TestStallOnASharedConnection: in HTTP/2 a connection is not silent because one
// of its responses is.
func TestStallOnASharedConnection(t *testing.T) {
	w, ctx := newWatchdog(context.Background(), 20*time.Millisecond)
	defer w.stop()
	wait(t, "the watchdog to bark", ctx.Done())
	e := &exchange{upstream: new(Upstream), visitor: context.Background(), watch: w, body: io.NopCloser(iotestErr{context.Canceled})}
	var known *Error
	if _, err := e.Read(make([]byte, 1)); !errors.As(err, &known) || known.Kind != Timeout {
		t.Errorf("error %v", err)
	}
}

type iotestErr struct{ err error }

func (r iotestErr) Read([]byte) (int, error) { return 0, r.err }

func TestSecret(t *testing.T) {
	t.Setenv("ORIGIN_SECRET", "0123456789abcdef")
	origin, heads := recorder(t)
	gate := newGateWith(t, Config{URL: origin, Secret: Secret{Header: "x-origin-secret", Env: "ORIGIN_SECRET"}}, &gate{})
	send(t, gate, "GET / HTTP/1.1\r\nHost: a\r\nConnection: X-Origin-Secret\r\nX-Origin-Secret: guessed\r\nX_Origin_Secret: guessed\r\n\r\n")
	head := wait(t, "the request", heads)
	if got, _ := field(head, "X-Origin-Secret"); got != "0123456789abcdef" || strings.Contains(head, "guessed") {
		t.Errorf("origin got %q", head)
	}
}

// TestSecretDoesNotComeBack: an origin that echoes what it got tells no visitor.
func TestSecretDoesNotComeBack(t *testing.T) {
	t.Setenv("ORIGIN_SECRET", "0123456789abcdef")
	origin := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "X-Origin-Secret")
		for name, lines := range r.Header {
			w.Header()[name] = lines
		}
		w.(http.Flusher).Flush()
	})
	gate := newGateWith(t, Config{URL: origin, Secret: Secret{Header: "X-Origin-Secret", Env: "ORIGIN_SECRET"}}, &gate{})
	if all := everything(t, gate, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"); strings.Contains(all, "0123456789abcdef") {
		t.Errorf("visitor got %q", all)
	}
}

func TestSecretCheck(t *testing.T) {
	t.Setenv("GOOD", "0123456789abcdef")
	t.Setenv("SHORT", "0123456789abcde")
	t.Setenv("ODD", "0123456789 abcdef")
	for name, tt := range map[string]struct {
		secret Secret
		wrong  string // part of what is said; empty: nothing
	}{
		"none":         {Secret{}, ""},
		"good":         {Secret{Header: "X-Origin-Secret", Env: "GOOD"}, ""},
		"short":        {Secret{Header: "X-Origin-Secret", Env: "SHORT"}, "less than 16"},
		"odd":          {Secret{Header: "X-Origin-Secret", Env: "ODD"}, "visible ASCII"},
		"unset":        {Secret{Header: "X-Origin-Secret", Env: "NOWHERE"}, "NOWHERE is not set"},
		"two sources":  {Secret{Header: "X-Origin-Secret", Env: "GOOD", File: "x"}, "file or from env"},
		"no source":    {Secret{Header: "X-Origin-Secret"}, "file or from env"},
		"no header":    {Secret{Env: "GOOD"}, "no header"},
		"no name":      {Secret{Header: "X Secret", Env: "GOOD"}, "not a header"},
		"underscore":   {Secret{Header: "X_Secret", Env: "GOOD"}, "not a header"},
		"hop by hop":   {Secret{Header: "Upgrade", Env: "GOOD"}, "meaning of its own"},
		"taken":        {Secret{Header: "X-Forwarded-For", Env: "GOOD"}, "meaning of its own"},
		"ours already": {Secret{Header: "Consent", Env: "GOOD"}, "meaning of its own"},
	} {
		err := Config{URL: "http://a", Secret: tt.secret}.Check()
		if (err == nil) != (tt.wrong == "") || err != nil && !strings.Contains(err.Error(), tt.wrong) {
			t.Errorf("%s: %v, want %q", name, err, tt.wrong)
		}
		if err != nil && strings.Contains(err.Error(), "0123456789") {
			t.Errorf("%s: the secret is in %v", name, err)
		}
	}
}

func TestSeveralOriginsCheck(t *testing.T) {
	for name, tt := range map[string]struct {
		config Config
		wrong  string
	}{
		"both":     {Config{URL: "http://a", URLs: []string{"http://b"}}, "there are url and urls"},
		"bad one":  {Config{URLs: []string{"http://a", "b"}}, "urls[1]"},
		"too many": {Config{URLs: strings.Split(strings.Repeat("http://a ", mostOrigins)+"http://a", " ")}, "33 are too many"},
		"path":     {Config{URLs: []string{"http://a"}, Health: Health{Path: "//evil/x"}}, "health.path"},
	} {
		if err := tt.config.Check(); err == nil || !strings.Contains(err.Error(), tt.wrong) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
