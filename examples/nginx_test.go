package examples_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// startNginx runs nginx with one of the example's files for conf.d, and the
// listening sockets, certificates and neighbours of the test in place of the
// example's.
func startNginx(t *testing.T, file string, pairs ...string) {
	t.Helper()
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "site.conf"), replaced(t, readFile(t, file), pairs...))
	writeFile(t, filepath.Join(dir, "nginx.conf"), fmt.Sprintf(`pid %[1]s/pid;
error_log stderr warn;
daemon off;
worker_processes 1;
events {}
http {
  access_log off;
  client_body_temp_path %[1]s/body;
  proxy_temp_path %[1]s/proxy;
  fastcgi_temp_path %[1]s/fastcgi;
  uwsgi_temp_path %[1]s/uwsgi;
  scgi_temp_path %[1]s/scgi;
  include %[1]s/site.conf;
}
`, dir))
	said := new(lines)
	cmd := exec.Command("nginx", "-p", dir, "-c", filepath.Join(dir, "nginx.conf"), "-e", "stderr")
	cmd.Stderr = said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGQUIT)
		if err := cmd.Wait(); err != nil {
			t.Errorf("nginx: %v\n%s", err, said)
		}
	})
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

func waitFor(t *testing.T, addr string) {
	t.Helper()
	eventually(t, "somebody listens on "+addr, func() bool {
		c, err := net.DialTimeout("tcp", addr, time.Second)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

// certificate makes one for example.org that only this test believes in.
func certificate(t *testing.T) (certFile, keyFile string, roots *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "example.org"}, DNSNames: []string{"example.org"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	writeFile(t, certFile, string(cert))
	writeFile(t, keyFile, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})))
	roots = x509.NewCertPool()
	roots.AppendCertsFromPEM(cert)
	return certFile, keyFile, roots
}

// events is an origin with a page, a stream of events, and a WebSocket that
// says back what it is told; what it was asked is in seen.
func events(seen chan<- http.Header, release <-chan struct{}) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		seen <- r.Header.Clone()
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		io.WriteString(w, `<!doctype html><html lang="en"><head><title>t</title>`+
			`<script src="https://www.googletagmanager.com/gtag/js?id=G-X"></script></head><body>hello</body></html>`)
	})
	mux.HandleFunc("/events", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		io.WriteString(w, "data: one\n\n")
		w.(http.Flusher).Flush()
		select {
		case <-release:
			io.WriteString(w, "data: two\n\n")
		case <-r.Context().Done():
		}
	})
	mux.HandleFunc("/socket", func(w http.ResponseWriter, _ *http.Request) {
		conn, rw, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
		io.Copy(conn, rw)
	})
	return mux
}

// TestBetweenTwoNginx is a visit by HTTPS: nginx, the gateway, nginx, the site.
func TestBetweenTwoNginx(t *testing.T) {
	need(t, "nginx")
	seen, release := make(chan http.Header, 16), make(chan struct{})
	origin := serve(t, events(seen, release))
	cert, key, roots := certificate(t)
	front, behind := freePort(t), freePort(t)

	startNginx(t, "behind-nginx/origin.conf", "127.0.0.1:8081", "127.0.0.1:"+behind, "http://127.0.0.1:8082", origin.URL)
	g := startGateway(t, replaced(t, readFile(t, "behind-nginx/consentgate.yaml"), "http://127.0.0.1:8081", "http://127.0.0.1:"+behind))
	startNginx(t, "behind-nginx/front.conf", "listen 443 ssl", "listen 127.0.0.1:"+front+" ssl", "    listen [::]:443 ssl;\n", "",
		"/etc/ssl/example.org.pem", cert, "/etc/ssl/private/example.org.key", key, "127.0.0.1:8080", strings.TrimPrefix(g.url, "http://"))
	waitFor(t, "127.0.0.1:"+behind)
	waitFor(t, "127.0.0.1:"+front)

	// The visitor's address is one of this computer, but not that of the proxies.
	transport := to("127.0.0.1:" + front)
	transport.TLSClientConfig = &tls.Config{RootCAs: roots}
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 77, 88, 99)}}
	transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return dialer.DialContext(ctx, network, "127.0.0.1:"+front)
	}
	v := newVisitor(t, transport)
	v.header.Set("X-Forwarded-For", "203.0.113.9") // a lie
	v.header.Set("X-Forwarded-Proto", "http")

	t.Run("page", func(t *testing.T) {
		resp, page := v.get("https://example.org/?q=private")
		if resp.StatusCode != http.StatusOK || !strings.Contains(page, `id="cg-banner"`) || strings.Contains(page, "googletagmanager") {
			t.Errorf("%s\n%s", resp.Status, page)
		}
		asked := <-seen
		if got := asked.Get("X-Forwarded-For"); !strings.HasPrefix(got, "127.77.88.99") || strings.Contains(got, "203.0.113.9") {
			t.Errorf("X-Forwarded-For at the origin: %q", got)
		}
		if got := asked.Get("X-Forwarded-Proto"); got != "https" {
			t.Errorf("X-Forwarded-Proto at the origin: %q", got)
		}
		eventually(t, "the visit is in the log", func() bool { return strings.Contains(g.said.String(), `"client":"127.77.88.0"`) })
		if log := g.said.String(); strings.Contains(log, "127.77.88.99") || strings.Contains(log, "private") {
			t.Errorf("the log says too much:\n%s", log)
		}
	})
	t.Run("choice", func(t *testing.T) {
		v.header.Set("Sec-Fetch-Site", "same-origin")
		resp, _ := v.do(http.MethodPost, "https://example.org/_consent/choice", "choice=accept&revision=1&return=/")
		if cookie := resp.Header.Get("Set-Cookie"); resp.StatusCode != http.StatusSeeOther || !strings.HasPrefix(cookie, "__Host-consent=") {
			t.Errorf("%s, %q", resp.Status, cookie)
		}
		if _, page := v.get("https://example.org/"); !strings.Contains(page, "googletagmanager") || strings.Contains(page, `id="cg-banner"`) {
			t.Errorf("after yes:\n%s", page)
		}
	})
	t.Run("events", func(t *testing.T) { checkEvents(t, v, release) })
	t.Run("socket", func(t *testing.T) { checkSocket(t, transport) })
}

// checkEvents reads the first event while the second has not been sent.
func checkEvents(t *testing.T, v *visitor, release chan<- struct{}) {
	resp, err := v.client.Get("https://example.org/events")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	read := bufio.NewReader(resp.Body)
	for _, want := range []string{"data: one\n", "\n", "data: two\n"} {
		if want == "\n" {
			close(release)
		}
		got, err := read.ReadString('\n')
		if err != nil || want != "\n" && got != want {
			t.Fatalf("got %q, %v; want %q", got, err, want)
		}
	}
}

// checkSocket upgrades a connection by hand and has its words said back.
func checkSocket(t *testing.T, transport *http.Transport) {
	plain, err := transport.DialContext(t.Context(), "tcp", "")
	if err != nil {
		t.Fatal(err)
	}
	conn := tls.Client(plain, &tls.Config{RootCAs: transport.TLSClientConfig.RootCAs, ServerName: "example.org"})
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	io.WriteString(conn, "GET /socket HTTP/1.1\r\nHost: example.org\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
	read := bufio.NewReader(conn)
	resp, err := http.ReadResponse(read, nil)
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("%v, %v", resp, err)
	}
	// A masked text frame; what comes back is the same bytes.
	const frame = "\x81\x82\x00\x00\x00\x00hi"
	io.WriteString(conn, frame)
	back := make([]byte, len(frame))
	if _, err := io.ReadFull(read, back); err != nil || string(back) != frame {
		t.Fatalf("%q, %v", back, err)
	}
}
