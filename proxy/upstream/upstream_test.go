package upstream

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestEarlyHintsPassTheHookAndNothingElse(t *testing.T) {
	origin := rawOrigin(t, func(_ int, c net.Conn, r *bufio.Reader) {
		readHead(r)
		_, _ = io.WriteString(c, "HTTP/1.1 103 Early Hints\r\nLink: <https://tracker.example/t.js>; rel=preload\r\nAlt-Svc: h3=\":443\"\r\n\r\n"+
			"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
	})
	const request = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

	t.Run("no hook", func(t *testing.T) {
		if all := everything(t, newGate(t, origin, &gate{}), request); strings.Contains(all, "tracker") || strings.Contains(all, " 10") {
			t.Errorf("visitor got %q", all)
		}
	})
	t.Run("hook filters", func(t *testing.T) {
		g := &gate{hints: func(w http.ResponseWriter) Informational {
			return func(code int, h http.Header) error {
				if h.Get("Alt-Svc") != "" {
					t.Error("Alt-Svc reached the hook")
				}
				if code == http.StatusEarlyHints && h.Get("Link") != "" {
					w.Header().Set("Link", "</own.css>; rel=preload")
					w.WriteHeader(code)
					w.Header().Del("Link")
				}
				return nil
			}
		}}
		all := everything(t, newGate(t, origin, g), request)
		if !strings.HasPrefix(all, "HTTP/1.1 103 Early Hints\r\nLink: </own.css>; rel=preload\r\n\r\nHTTP/1.1 200 OK\r\n") {
			t.Errorf("visitor got %q", all)
		}
	})
}

// everything sends a raw request and returns all bytes until the connection
// ends.
func everything(t *testing.T, address, request string) string {
	t.Helper()
	c, r := dial(t, address)
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(all)
}

func TestEndlessInformationalResponsesAreCut(t *testing.T) {
	origin := rawOrigin(t, func(_ int, c net.Conn, r *bufio.Reader) {
		readHead(r)
		for {
			if _, err := io.WriteString(c, "HTTP/1.1 103 Early Hints\r\n\r\n"); err != nil {
				return
			}
		}
	})
	hook := func(http.ResponseWriter) Informational { return func(int, http.Header) error { return nil } }
	for name, hints := range map[string]func(http.ResponseWriter) Informational{"with hook": hook, "without": nil} {
		t.Run(name, func(t *testing.T) {
			if res, _ := send(t, newGate(t, origin, &gate{hints: hints}), "GET / HTTP/1.1\r\nHost: a\r\n\r\n"); res.StatusCode != http.StatusBadGateway {
				t.Errorf("status %d", res.StatusCode)
			}
		})
	}
}

func TestUnsolicitedSwitchIsRefused(t *testing.T) {
	for name, tt := range map[string]struct{ ask, answer string }{
		"nobody asked":       {"", "websocket"},
		"h2c asked":          {"Connection: Upgrade\r\nUpgrade: h2c\r\n", "h2c"},
		"something else":     {"Connection: Upgrade\r\nUpgrade: websocket\r\n", "h2c"},
		"asked with a body":  {"Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 1\r\n", "websocket"},
		"nothing is named":   {"Connection: Upgrade\r\nUpgrade: websocket\r\n", ""},
		"asked by HTTP/1.0":  {"Connection: Upgrade\r\nUpgrade: websocket\r\nX-Version: 1.0\r\n", "websocket"},
		"asked with a HEAD ": {"Connection: Upgrade\r\nUpgrade: websocket\r\nX-Method: HEAD\r\n", "websocket"},
	} {
		t.Run(name, func(t *testing.T) {
			origin := rawOrigin(t, func(_ int, c net.Conn, r *bufio.Reader) {
				readHead(r)
				_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: "+tt.answer+"\r\n\r\n")
				_, _ = io.Copy(io.Discard, r)
			})
			method, version := "GET", "1.1"
			if strings.Contains(tt.ask, "X-Method: HEAD") {
				method = "HEAD"
			}
			if strings.Contains(tt.ask, "X-Version: 1.0") {
				version = "1.0"
			}
			c, r := dial(t, newGate(t, origin, &gate{}))
			_, _ = io.WriteString(c, method+" / HTTP/"+version+"\r\nHost: a\r\n"+tt.ask+"\r\nx")
			line, err := r.ReadString('\n')
			if err != nil || !strings.Contains(line, " 502 ") {
				t.Errorf("visitor got %q, %v", line, err)
			}
		})
	}
}

func TestErrorsAreClassified(t *testing.T) {
	answer := func(s string) string {
		return rawOrigin(t, func(_ int, c net.Conn, r *bufio.Reader) {
			readHead(r)
			_, _ = io.WriteString(c, s)
		})
	}
	deaf := rawOrigin(t, func(_ int, c net.Conn, _ *bufio.Reader) { _, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n") })
	silent := rawOrigin(t, func(_ int, _ net.Conn, r *bufio.Reader) { _, _ = io.Copy(io.Discard, r) })
	for _, tt := range []struct {
		name   string
		config Config
		kind   Kind
		status int
	}{
		{"nobody listens", Config{URL: "http://" + freeAddress(t)}, Unreachable, 502},
		{"closes at once", Config{URL: answer("")}, Unreachable, 502},
		{"breaks off in the header", Config{URL: answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n")}, Unreachable, 502},
		{"not HTTP", Config{URL: answer("SSH-2.0-OpenSSH_9.2\r\n")}, BadResponse, 502},
		{"no TLS", Config{URL: strings.Replace(deaf, "http", "https", 1)}, BadResponse, 502},
		{"header too long", Config{URL: answer("HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 100_000) + "\r\n\r\n"), MaxHeaderBytes: 4096}, BadResponse, 502},
		{"two lengths", Config{URL: answer("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab")}, BadResponse, 502},
		{"negative length", Config{URL: answer("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nab")}, BadResponse, 502},
		{"unknown transfer coding", Config{URL: answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nab")}, BadResponse, 502},
		{"says nothing", Config{URL: silent, HeaderTimeout: 30 * time.Millisecond}, Timeout, 504},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := &gate{failed: make(chan error, 1)}
			res, _ := send(t, newGateWith(t, tt.config, g), "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
			err := <-g.failed
			var e *Error
			if !errors.As(err, &e) || e.Kind != tt.kind || res.StatusCode != tt.status {
				t.Errorf("status %d, %v", res.StatusCode, err)
			}
		})
	}
}

func TestStalledBodyTimesOut(t *testing.T) {
	origin := rawOrigin(t, func(_ int, c net.Conn, r *bufio.Reader) {
		readHead(r)
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
		_, _ = io.Copy(io.Discard, r)
	})
	g := &gate{failed: make(chan error, 1)}
	address := newGateWith(t, Config{URL: origin, StallTimeout: 30 * time.Millisecond, HeaderTimeout: time.Millisecond * 500}, g)
	c, r := dial(t, address)
	_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	res, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(res.Body); string(body) != "abc" || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("visitor got %q, %v", body, err)
	}
	var e *Error
	if err := wait(t, "the error", g.failed); !errors.As(err, &e) || e.Kind != Timeout {
		t.Errorf("error %v", err)
	}
}

func TestVisitorWhoLeavesEndsTheOriginsRequest(t *testing.T) {
	for name, flushed := range map[string]bool{"before the header": false, "in the body": true} {
		t.Run(name, func(t *testing.T) {
			arrived, ended := make(chan struct{}, 1), make(chan struct{}, 1)
			origin := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
				if flushed {
					_ = http.NewResponseController(w).Flush()
				}
				arrived <- struct{}{}
				<-r.Context().Done()
				ended <- struct{}{}
			})
			g := &gate{failed: make(chan error, 1)}
			c, _ := dial(t, newGate(t, origin, g))
			_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
			wait(t, "the request", arrived)
			_ = c.Close()
			wait(t, "the origin to be told", ended)
			var e *Error
			if err := wait(t, "the error", g.failed); !errors.As(err, &e) || e.Kind != Canceled || e.Status() != 499 {
				t.Errorf("error %v", err)
			}
			if n := g.up.InFlight(); flushed && n > 1 {
				t.Errorf("%d requests at the origin", n)
			}
		})
	}
}

// dyingOrigin answers one request on each connection, and closes it when the
// next one has arrived.
func dyingOrigin(t *testing.T) (url string, heads chan string) {
	heads = make(chan string, 10)
	url = rawOrigin(t, func(_ int, c net.Conn, r *bufio.Reader) {
		heads <- readHead(r)
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		if head := readHead(r); head != "" {
			heads <- head
		}
	})
	return url, heads
}

func TestGETIsSentAgainOnADeadConnection(t *testing.T) {
	origin, heads := dyingOrigin(t)
	gate := newGate(t, origin, &gate{})
	for range 2 {
		if res, body := send(t, gate, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"); res.StatusCode != 200 || body != "ok" {
			t.Errorf("status %d %s", res.StatusCode, body)
		}
	}
	if len(heads) != 3 {
		t.Errorf("origin got %d requests, want 3: the second one twice", len(heads))
	}
}

func TestUnsafeRequestIsNeverSentTwice(t *testing.T) {
	for name, request := range map[string]string{
		"POST":                      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
		"POST chunked":              "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
		"POST without body":         "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
		"POST with Idempotency-Key": "POST / HTTP/1.1\r\nHost: a\r\nIdempotency-Key: x\r\nX-Idempotency-Key: x\r\nContent-Length: 0\r\n\r\n",
		"PATCH":                     "PATCH / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
		"DELETE":                    "DELETE / HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET with a body":           "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
	} {
		t.Run(name, func(t *testing.T) {
			origin, heads := dyingOrigin(t)
			gate := newGate(t, origin, &gate{})
			send(t, gate, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
			if res, _ := send(t, gate, request); res.StatusCode != http.StatusBadGateway {
				t.Errorf("status %d", res.StatusCode)
			}
			if len(heads) != 2 {
				t.Fatalf("origin got %d requests, want 2", len(heads))
			}
			<-heads
			head := <-heads
			if _, ok := field(head, "Idempotency-Key"); ok != strings.Contains(request, "Idempotency-Key") {
				t.Errorf("Idempotency-Key present: %v", ok)
			}
		})
	}
}

func TestExpectContinue(t *testing.T) {
	const request = "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"
	t.Run("accepted", func(t *testing.T) {
		origin := newOrigin(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) })
		c, r := dial(t, newGate(t, origin, &gate{}))
		_, _ = io.WriteString(c, request)
		line, err := r.ReadString('\n')
		if err != nil || line != "HTTP/1.1 100 Continue\r\n" {
			t.Fatalf("visitor got %q, %v", line, err)
		}
		_, _ = r.ReadString('\n')
		_, _ = io.WriteString(c, "abc")
		if res, body := receive(t, r); res.StatusCode != 200 || body != "abc" {
			t.Errorf("status %d %q", res.StatusCode, body)
		}
	})
	t.Run("refused", func(t *testing.T) {
		after := make(chan string, 1)
		origin := rawOrigin(t, func(_ int, c net.Conn, r *bufio.Reader) {
			readHead(r)
			_, _ = io.WriteString(c, "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno")
			rest, _ := io.ReadAll(r)
			after <- string(rest)
		})
		c, r := dial(t, newGate(t, origin, &gate{}))
		_, _ = io.WriteString(c, request+"abc")
		line, err := r.ReadString('\n')
		if err != nil || line != "HTTP/1.1 403 Forbidden\r\n" {
			t.Errorf("visitor got %q, %v, want the refusal and no 100", line, err)
		}
		if rest := wait(t, "the origin's connection to end", after); rest != "" {
			t.Errorf("the origin got %q after it had refused", rest)
		}
	})
}

func TestResponsesWithoutBody(t *testing.T) {
	for _, tt := range []struct{ name, method, answer string }{
		{"HEAD", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 1234\r\nContent-Type: text/html\r\nEtag: \"x\"\r\n\r\n"},
		{"204", "GET", "HTTP/1.1 204 No Content\r\nEtag: \"x\"\r\n\r\n"},
		{"304", "GET", "HTTP/1.1 304 Not Modified\r\nEtag: \"x\"\r\n\r\n"},
		{"200 of nothing", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nEtag: \"x\"\r\n\r\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			origin := rawOrigin(t, func(_ int, c net.Conn, r *bufio.Reader) {
				for readHead(r) != "" {
					_, _ = io.WriteString(c, tt.answer)
				}
			})
			c, r := dial(t, newGate(t, origin, &gate{}))
			for range 2 { // the second shows that the first ended where it should
				_, _ = io.WriteString(c, tt.method+" / HTTP/1.1\r\nHost: a\r\n\r\n")
				head := readHead(r)
				line, _, _ := strings.Cut(tt.answer, "\r\n")
				if !strings.HasPrefix(head, line+"\r\n") {
					t.Fatalf("visitor got %q", head)
				}
				if etag, _ := field(head, "Etag"); etag != `"x"` {
					t.Errorf("Etag: %q", etag)
				}
				want, _ := field(tt.answer, "Content-Length")
				if got, _ := field(head, "Content-Length"); got != want {
					t.Errorf("Content-Length: %q, want %q", got, want)
				}
			}
		})
	}
}

func TestResponseHopByHopHeadersEndHere(t *testing.T) {
	origin := rawOrigin(t, func(_ int, c net.Conn, r *bufio.Reader) {
		readHead(r)
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nConnection: X-Private, Set-Cookie\r\nX-Private: 1\r\nKeep-Alive: timeout=5\r\n"+
			"Proxy-Authenticate: Basic\r\nUpgrade: h2c\r\nAlt-Svc: h3=\"origin.example:443\"\r\nSet-Cookie: a=b\r\nX-Public: 1\r\nContent-Length: 0\r\n\r\n")
	})
	res, _ := send(t, newGate(t, origin, &gate{}), "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	for _, name := range []string{"Connection", "X-Private", "Keep-Alive", "Proxy-Authenticate", "Upgrade", "Alt-Svc"} {
		if v := res.Header.Get(name); v != "" {
			t.Errorf("visitor got %s: %s", name, v)
		}
	}
	if res.Header.Get("Set-Cookie") != "a=b" || res.Header.Get("X-Public") != "1" {
		t.Errorf("visitor got %v", res.Header)
	}
}

func TestOriginIsNotAskedForMoreThanItTakes(t *testing.T) {
	release := make(chan struct{})
	arrived := make(chan struct{}, 2)
	origin := newOrigin(t, func(http.ResponseWriter, *http.Request) {
		arrived <- struct{}{}
		<-release
	})
	g := &gate{}
	address := newGateWith(t, Config{URL: origin, Requests: 1, QueueTimeout: 20 * time.Millisecond}, g)
	done := make(chan struct{})
	go func() {
		defer close(done)
		send(t, address, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	}()
	wait(t, "the first request", arrived)
	if res, _ := send(t, address, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"); res.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("status %d while the origin is busy", res.StatusCode)
	}
	close(release)
	wait(t, "the first response", done)
	if res, _ := send(t, address, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"); res.StatusCode != http.StatusOK {
		t.Errorf("status %d afterwards", res.StatusCode)
	}
}

func TestSlotsComeBackWhateverHappens(t *testing.T) {
	origin := rawOrigin(t, func(_ int, c net.Conn, r *bufio.Reader) {
		head := readHead(r)
		switch {
		case strings.HasPrefix(head, "GET /short"):
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
		case strings.HasPrefix(head, "GET /switch"):
			_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n")
		case strings.HasPrefix(head, "GET /none"):
			_, _ = io.WriteString(c, "HTTP/1.1 204 No Content\r\n\r\n")
		}
	})
	g := &gate{}
	address := newGate(t, origin, g)
	for _, path := range []string{"/short", "/switch", "/none", "/silence"} {
		c, r := dial(t, address)
		_, _ = io.WriteString(c, "GET "+path+" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
		_, _ = io.Copy(io.Discard, r)
	}
	if n := g.up.InFlight(); n != 0 {
		t.Errorf("%d slots were lost", n)
	}
}

func TestEnvironmentProxyIsIgnored(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	t.Setenv("http_proxy", "http://127.0.0.1:1")
	up, err := New(Config{URL: "http://origin.example"})
	if err != nil {
		t.Fatal(err)
	}
	if up.transport.Proxy != nil {
		t.Error("the transport asks the environment for a proxy")
	}
}

func TestCanceledWhileWaitingForASlot(t *testing.T) {
	up, err := New(Config{URL: "http://127.0.0.1:1", Requests: 1})
	if err != nil {
		t.Fatal(err)
	}
	up.origins[0].slots <- struct{}{}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var e *Error
	if err := up.origins[0].enter(ctx, time.Minute); !errors.As(err, &e) || e.Kind != Canceled {
		t.Errorf("error %v", err)
	}
}
