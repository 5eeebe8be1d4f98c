package upstream

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// A gate is the smallest gateway one can build on this package: what these
// tests say of it holds for every other.
type gate struct {
	up      *Upstream
	out     Outbound
	hints   func(w http.ResponseWriter) Informational
	tunnels Tunnels
	failed  chan error // errors of RoundTrip and CopyBody, if anybody wants them
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if status, reason := Refuse(r); status != 0 {
		http.Error(w, reason, status)
		return
	}
	var hints Informational
	if g.hints != nil {
		hints = g.hints(w)
	}
	res, err := g.up.RoundTrip(g.up.Outgoing(r, g.out), hints)
	if err != nil {
		g.fail(err)
		var e *Error
		if !errors.As(err, &e) {
			panic("RoundTrip returned an error that is no *Error")
		}
		http.Error(w, e.Kind.String(), e.Status())
		return
	}
	defer func() { _ = res.Body.Close() }()
	for name, lines := range res.Header {
		w.Header()[name] = lines
	}
	if res.StatusCode == http.StatusSwitchingProtocols {
		if err := g.tunnels.Serve(w, res); err != nil {
			g.fail(err)
		}
		return
	}
	if len(res.Header["Content-Type"]) == 0 {
		w.Header()["Content-Type"] = nil
	}
	AnnounceTrailers(w.Header(), res)
	w.WriteHeader(res.StatusCode)
	if _, err := CopyBody(w, res, FlushFor(res)); err != nil {
		g.fail(err)
		panic(http.ErrAbortHandler)
	}
	SendTrailers(w, res)
}

func (g *gate) fail(err error) {
	if g.failed != nil {
		g.failed <- err
	}
}

// newGate starts a gate before an origin and returns the gate's address.
func newGate(t testing.TB, origin string, g *gate) (address string) {
	return newGateWith(t, Config{URL: origin}, g)
}

func newGateWith(t testing.TB, c Config, g *gate) (address string) {
	t.Helper()
	up, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	g.up = up
	server := httptest.NewUnstartedServer(g)
	server.Config.ErrorLog = quiet()
	server.Start()
	t.Cleanup(server.Close)
	t.Cleanup(up.Close)
	return server.Listener.Addr().String()
}

func newOrigin(t testing.TB, h http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewUnstartedServer(h)
	server.Config.ErrorLog = quiet()
	server.Start()
	t.Cleanup(server.Close)
	return server.URL
}

// rawOrigin is an origin that speaks no better HTTP than the test wants. serve
// has the connection for itself and is told how many came before.
func rawOrigin(t testing.TB, serve func(n int, c net.Conn, r *bufio.Reader)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for n := 0; ; n++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = c.Close() }()
				serve(n, c, bufio.NewReader(c))
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

// readHead reads one request's head from a connection, "" at its end.
func readHead(r *bufio.Reader) string {
	var b strings.Builder
	for {
		line, err := r.ReadString('\n')
		b.WriteString(line)
		if err != nil {
			return ""
		}
		if strings.TrimSpace(line) == "" {
			return b.String()
		}
	}
}

// recorder is an origin that keeps the heads it got, and answers "ok".
func recorder(t testing.TB) (url string, heads chan string) {
	heads = make(chan string, 100)
	url = rawOrigin(t, func(_ int, c net.Conn, r *bufio.Reader) {
		for head := readHead(r); head != ""; head = readHead(r) {
			heads <- head
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		}
	})
	return url, heads
}

// dial opens a raw connection, which no test can hang on for ever.
func dial(t testing.TB, address string) (net.Conn, *bufio.Reader) {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return c, bufio.NewReader(c)
}

// send writes a raw request and reads one response with its body.
func send(t testing.TB, address, request string) (*http.Response, string) {
	t.Helper()
	c, r := dial(t, address)
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	return receive(t, r)
}

func receive(t testing.TB, r *bufio.Reader) (*http.Response, string) {
	t.Helper()
	res, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatalf("read response: %v", err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("read body: %v", err)
	}
	return res, string(body)
}

func wait[T any](t testing.TB, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(20 * time.Second):
		t.Fatalf("waited 20s for %s", what)
		panic("unreachable")
	}
}

// field gives the value of a header in a raw head, "" and false if it is absent.
func field(head, name string) (value string, ok bool) {
	for line := range strings.SplitSeq(head, "\r\n") {
		if n, v, found := strings.Cut(line, ":"); found && strings.EqualFold(n, name) {
			return strings.TrimSpace(v), true
		}
	}
	return "", false
}

// nginx starts an nginx with the given server block, and returns its URL.
func nginx(t testing.TB, server string) string {
	t.Helper()
	path, err := exec.LookPath("nginx")
	if err != nil {
		path = "/usr/sbin/nginx"
	}
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("nginx is not installed")
		}
		t.Skip("nginx is not installed: no test with a real origin")
	}
	address := freeAddress(t)
	dir := t.TempDir()
	conf := strings.NewReplacer("ADDRESS", address, "DIR", dir, "SERVER", server).Replace(nginxConf)
	if err := os.WriteFile(dir+"/nginx.conf", []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "-p", dir, "-c", dir+"/nginx.conf", "-e", dir+"/error.log")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	})
	awaitListener(t, address, dir)
	return "http://" + address
}

const nginxConf = `daemon off; master_process off; pid DIR/pid; worker_processes 1;
events { worker_connections 256; }
http { access_log off; client_body_temp_path DIR/b; proxy_temp_path DIR/p; fastcgi_temp_path DIR/f; uwsgi_temp_path DIR/u; scgi_temp_path DIR/s;
server { listen ADDRESS; root DIR; SERVER } }`

func freeAddress(t testing.TB) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func awaitListener(t testing.TB, address, dir string) {
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if c, err := net.Dial("tcp", address); err == nil {
			_ = c.Close()
			return
		}
	}
	said, _ := os.ReadFile(dir + "/error.log")
	t.Fatalf("nginx does not listen: %s", said)
}
