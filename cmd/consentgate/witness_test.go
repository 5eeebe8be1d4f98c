package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// dialProgram opens a raw connection, which no test can hang on for ever.
func dialProgram(t testing.TB, address string) (net.Conn, *bufio.Reader) {
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

// A witness is an origin that answers with the target it was asked for, and
// remembers a line for each request that reached it.
type witness struct {
	url string
	all func() []string
	n   int // lines told of already
}

// facts are what a witness writes down of a request, in this order.
var facts = [...]string{"Host", "Cookie", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip", "Transfer-Encoding",
	"Content-Length", "Upgrade", "Connection", "Proxy", "Te", "Consent", "X-Original-Url"}

// fact gives one of them from a line.
func fact(line, name string) string {
	for i, known := range facts {
		if known == name {
			return strings.Split(line, "|")[1+i]
		}
	}
	panic("no witness writes down " + name)
}

// before tells of the requests that came before the one for target.
func (w *witness) before(t testing.TB, target string) []string {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		lines := w.all()
		for i := w.n; i < len(lines); i++ {
			if strings.HasPrefix(lines[i], "GET "+target+" ") {
				got := lines[w.n:i]
				w.n = i + 1
				return got
			}
		}
	}
	t.Fatalf("the origin was never asked for %s", target)
	return nil
}

func goWitness(t testing.TB) *witness {
	var mu sync.Mutex
	var lines []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		lines = append(lines, witnessLine(r))
		mu.Unlock()
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/plain")
		_, _ = io.WriteString(w, r.RequestURI)
	}))
	t.Cleanup(server.Close)
	return &witness{url: server.URL, all: func() []string {
		mu.Lock()
		defer mu.Unlock()
		return append([]string(nil), lines...)
	}}
}

func witnessLine(r *http.Request) string {
	line := []string{fmt.Sprintf("%s %s %s", r.Method, r.RequestURI, r.Proto)}
	for _, name := range facts {
		switch name {
		case "Host":
			line = append(line, r.Host)
		case "Transfer-Encoding":
			line = append(line, strings.Join(r.TransferEncoding, ","))
		default:
			line = append(line, strings.Join(r.Header.Values(name), ", "))
		}
	}
	return strings.Join(line, "|")
}

// nginxWitness is Debian's nginx, as gullible as it can be set up: it takes
// headers with underscores for their twins.
func nginxWitness(t testing.TB) *witness {
	t.Helper()
	path, err := exec.LookPath("nginx")
	if err != nil {
		path = "/usr/sbin/nginx"
	}
	if _, err := os.Stat(path); err != nil {
		skipOrFail(t, "nginx is not installed: nothing is tried on a real origin")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	dir := t.TempDir()
	conf := strings.NewReplacer("ADDRESS", address, "DIR", dir, "FORMAT", nginxFormat()).Replace(nginxWitnessConf)
	if err := os.WriteFile(dir+"/nginx.conf", []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "-p", dir, "-c", dir+"/nginx.conf", "-e", dir+"/error.log")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if c, err := net.Dial("tcp", address); err == nil {
			_ = c.Close()
			break
		}
		if time.Now().After(deadline) {
			said, _ := os.ReadFile(dir + "/error.log")
			t.Fatalf("nginx does not listen: %s", said)
		}
	}
	return &witness{url: "http://" + address, all: func() []string {
		text, _ := os.ReadFile(dir + "/seen.log")
		return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	}}
}

func nginxFormat() string {
	f := "$request"
	for _, name := range facts {
		f += "|$http_" + strings.ToLower(strings.ReplaceAll(name, "-", "_"))
	}
	return f
}

const nginxWitnessConf = `daemon off; master_process off; pid DIR/pid; worker_processes 1;
events { worker_connections 256; }
http { log_format seen escape=none 'FORMAT'; access_log DIR/seen.log seen; default_type text/plain;
underscores_in_headers on; ignore_invalid_headers off; merge_slashes off;
client_body_temp_path DIR/b; proxy_temp_path DIR/p; fastcgi_temp_path DIR/f; uwsgi_temp_path DIR/u; scgi_temp_path DIR/s;
server { listen ADDRESS; client_max_body_size 2g; location / { return 200 "$request_uri"; } } }`
