package proxy_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// An internet is every host there is, on one port: it speaks HTTP and TLS and
// remembers which hosts were asked for anything, were it only a handshake.
type internet struct {
	listener net.Listener

	mu    sync.Mutex
	hosts map[string]bool
	last  time.Time // when something was asked for
}

func newInternet(t *testing.T) *internet {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := &internet{listener: l, hosts: map[string]bool{}, last: time.Now()}
	certificate := selfSigned(t)
	config := &tls.Config{GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		n.note(hello.ServerName)
		return &certificate, nil
	}}
	server := &http.Server{Handler: n, ReadHeaderTimeout: 10 * time.Second}
	go server.Serve(eitherListener{l, config})
	t.Cleanup(func() { server.Close() })
	return n
}

func (n *internet) addr() string { return n.listener.Addr().String() }

// ServeHTTP gives whoever asks something of the kind it asks for, and to all who
// ask from another site.
func (n *internet) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if browsersOwn(r) {
		return
	}
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	n.note(host)
	w.Header().Set("Access-Control-Allow-Origin", "*")
	switch r.Header.Get("Sec-Fetch-Dest") {
	case "script", "worker", "sharedworker", "serviceworker", "paintworklet":
		w.Header().Set("Content-Type", "text/javascript")
	case "style":
		w.Header().Set("Content-Type", "text/css")
	case "document", "iframe", "frame":
		w.Header().Set("Content-Type", "text/html")
	default:
		w.Header().Set("Content-Type", "image/svg+xml")
		w.Write([]byte(`<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>`))
	}
}

func (n *internet) note(host string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.hosts[strings.Trim(strings.ToLower(host), "[].")] = true
	n.last = time.Now()
}

// settle waits until nobody has asked for anything in a while, and returns all
// who were asked since the last time. It waits longer for those who are expected:
// browsers delay, for one, WebSockets to where others have failed.
func (n *internet) settle(expected ...string) map[string]bool {
	const quiet, patience = 1500 * time.Millisecond, 15 * time.Second
	n.mu.Lock()
	defer n.mu.Unlock()
	start := time.Now()
	n.last = start
	for time.Since(n.last) < quiet || !n.all(expected) && time.Since(start) < patience {
		n.mu.Unlock()
		time.Sleep(quiet / 10)
		n.mu.Lock()
	}
	asked := n.hosts
	n.hosts = map[string]bool{}
	return asked
}

// forget begins anew.
func (n *internet) forget() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.hosts = map[string]bool{}
}

func (n *internet) all(hosts []string) bool {
	return !slices.ContainsFunc(hosts, func(h string) bool { return !n.hosts[h] })
}

// An eitherListener hands out TLS to those who begin with a handshake.
type eitherListener struct {
	net.Listener
	config *tls.Config
}

func (l eitherListener) Accept() (net.Conn, error) {
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
		plain := readFirst{c.Conn, r}
		c.inner = plain
		if first, err := r.Peek(1); err == nil && first[0] == 22 { // a TLS record with a handshake
			c.inner = tls.Server(plain, c.config)
		}
	})
	return c.inner.Read(p)
}

func (c *eitherConn) Write(p []byte) (int, error) { return c.inner.Write(p) }

type readFirst struct {
	net.Conn
	r *bufio.Reader
}

func (c readFirst) Read(p []byte) (int, error) { return c.r.Read(p) }

func selfSigned(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
