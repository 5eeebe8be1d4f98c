package wordpress

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// A recorder stands for every host of the internet: it speaks HTTP and TLS on
// one port and remembers who was asked for what.
type recorder struct {
	listener net.Listener

	mu   sync.Mutex
	seen []string // "host/path", without query
}

func newRecorder(t *testing.T) *recorder {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	rec := &recorder{listener: l}
	server := &http.Server{Handler: rec, ReadHeaderTimeout: 10 * time.Second}
	go server.Serve(bothKinds{l, &tls.Config{Certificates: []tls.Certificate{selfSigned(t)}}})
	t.Cleanup(func() { server.Close() })
	return rec
}

func (rec *recorder) addr() string { return rec.listener.Addr().String() }

// ServeHTTP answers like the vendor would, as far as a page notices: Google's
// tag sets its cookie.
func (rec *recorder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !browsersOwn(r) {
		rec.mu.Lock()
		rec.seen = append(rec.seen, r.Host+r.URL.Path)
		rec.mu.Unlock()
	}
	switch {
	case strings.HasPrefix(r.URL.Path, "/gtag/js"):
		w.Header().Set("Content-Type", "text/javascript")
		io.WriteString(w, `document.cookie = "_ga=GA1.1.1.1; path=/; max-age=63072000"; document.cookie = "_ga_EXAMPLE001=GS1; path=/; max-age=63072000";`)
	case strings.HasSuffix(r.URL.Path, ".js"):
		w.Header().Set("Content-Type", "text/javascript")
	case strings.Contains(r.URL.Path, "css"):
		w.Header().Set("Content-Type", "text/css")
	case r.Header.Get("Sec-Fetch-Dest") == "image":
		w.Header().Set("Content-Type", "image/gif")
	default:
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, "<!doctype html><title>%s</title>", r.Host)
	}
}

// browsersOwn recognises what Chromium fetches for itself, whatever page is
// open: signed-in accounts, form hints, the clock, updates. No page sends "none"
// for a request that is not a navigation (Fetch Metadata section 2.4).
func browsersOwn(r *http.Request) bool {
	switch r.Host + r.URL.Path {
	case "update.googleapis.com/service/update2/json", "clients2.google.com/time/1/current":
		return true
	}
	return r.Header.Get("Sec-Fetch-Site") == "none" && r.Header.Get("Sec-Fetch-Mode") != "navigate"
}

// quiet waits until nobody has asked for anything in a second and a half.
func (rec *recorder) quiet() {
	const quiet = 1500 * time.Millisecond
	for last, since := -1, time.Now(); time.Since(since) < quiet; pause() {
		rec.mu.Lock()
		asked := len(rec.seen)
		rec.mu.Unlock()
		if asked != last {
			last, since = asked, time.Now()
		}
	}
}

// take returns what was asked for since the last call.
func (rec *recorder) take() []string {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	seen := rec.seen
	rec.seen = nil
	slices.Sort(seen)
	return slices.Compact(seen)
}

// bothKinds hands out TLS connections to those who start with a handshake.
type bothKinds struct {
	net.Listener
	config *tls.Config
}

func (l bothKinds) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &eitherConn{Conn: c, config: l.config}, nil
}

type eitherConn struct {
	net.Conn
	config *tls.Config
	once   sync.Once
	inner  net.Conn
}

func (c *eitherConn) Read(p []byte) (int, error) {
	c.once.Do(func() {
		r := bufio.NewReader(c.Conn)
		plain := bufferedConn{c.Conn, r}
		c.inner = plain
		if first, err := r.Peek(1); err == nil && first[0] == 0x16 {
			c.inner = tls.Server(plain, c.config)
		}
	})
	return c.inner.Read(p)
}

func (c *eitherConn) Write(p []byte) (int, error) { return c.inner.Write(p) }

type bufferedConn struct {
	net.Conn
	r *bufio.Reader
}

func (c bufferedConn) Read(p []byte) (int, error) { return c.r.Read(p) }

func selfSigned(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "everybody"},
		DNSNames:     []string{"*.com", "*.net", "*.org"},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
