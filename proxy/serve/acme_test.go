package serve

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"
)

// balance passes TCP connections on, as what stands in front of gateways does:
// the authority does not know which of them has asked it.
type balance struct {
	port int
	mu   sync.Mutex
	to   []net.Addr
	n    int
}

func newBalance(t *testing.T) *balance {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { _ = l.Close() })
	b := &balance{port: l.Addr().(*net.TCPAddr).Port}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go b.pass(c)
		}
	}()
	return b
}

func (b *balance) set(to ...net.Addr) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.to = to
}

// next takes turns, once there is somebody.
func (b *balance) next() net.Addr {
	for range 1000 {
		b.mu.Lock()
		if len(b.to) > 0 {
			b.n++
			to := b.to[b.n%len(b.to)]
			b.mu.Unlock()
			return to
		}
		b.mu.Unlock()
		time.Sleep(10 * time.Millisecond)
	}
	return nil
}

func (b *balance) pass(c net.Conn) {
	defer c.Close()
	to := b.next()
	if to == nil {
		return
	}
	d, err := net.Dial("tcp", to.String())
	if err != nil {
		return
	}
	defer d.Close()
	go func() { _, _ = io.Copy(d, c) }()
	_, _ = io.Copy(c, d)
}

// An internet is an authority and what stands in front of the gateways.
type internet struct {
	*pebble
	plain, secure *balance
}

// season is so long that no certificate is renewed during a test: the time for that
// which the authority proposes lies within a day of two thirds of it.
const season = 90 * 24 * time.Hour

// newInternet has certificates that hold for so long. The challenge that is not
// wanted meets a closed door.
func newInternet(t *testing.T, validity time.Duration, challenges string) *internet {
	t.Helper()
	n := &internet{plain: newBalance(t), secure: newBalance(t)}
	httpPort, tlsPort := n.plain.port, n.secure.port
	closed := freeAddress(t)
	_, port, _ := net.SplitHostPort(closed)
	number, err := net.LookupPort("tcp", port)
	must(t, err)
	switch challenges {
	case "HTTP-01":
		tlsPort = number
	case "TLS-ALPN-01":
		httpPort = number
	}
	n.pebble = startPebble(t, httpPort, tlsPort, validity)
	return n
}

// A gateway is a process of its own: certmagic keeps what it is about in
// variables of the process.
type gateway struct {
	plain, secure net.Addr
	end           func()
}

// gateway starts one that keeps its certificates at p.
func (n *internet) gateway(t *testing.T, p place, hosts ...string) gateway {
	t.Helper()
	text, err := json.Marshal(gatewayOrder{TLS: n.config(), Place: p.name, At: p.at, Hosts: hosts})
	must(t, err)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), gatewayVariable+"="+string(text))
	said := &logged{}
	cmd.Stderr = said
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	var once sync.Once
	end := func() {
		once.Do(func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		})
	}
	t.Cleanup(func() {
		end()
		if t.Failed() {
			t.Logf("a gateway said:\n%s", said)
		}
	})
	var at [2]*net.TCPAddr
	must(t, json.NewDecoder(out).Decode(&at))
	return gateway{at[0], at[1], end}
}

// gatewayVariable makes the test binary a gateway: a gatewayOrder.
const gatewayVariable = "CONSENTGATE_TEST_GATEWAY"

type gatewayOrder struct {
	TLS       TLSConfig
	Place, At string
	Hosts     []string
}

// beGateway is what such a process does.
func beGateway(text string) error {
	var o gatewayOrder
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return err
	}
	p, err := place{o.Place, o.At}.open()
	if err != nil {
		return err
	}
	p.Log, p.Tell = os.Stderr, func(e Event) { fmt.Fprintln(os.Stderr, e.Level, e.Text, e.Fields) }
	s, err := New(Config{Listen: []string{"127.0.0.1:0"}, TLS: o.TLS}, p)
	if err != nil {
		return err
	}
	return s.Run(context.Background(), Handlers{Site: answer("site"), Hosts: func() []string { return o.Hosts }}, func(a Addrs) {
		_ = json.NewEncoder(os.Stdout).Encode([]net.Addr{a.Site[0], a.TLS[0]})
	})
}

// certificate visits a host at a gateway and returns what that shows, or nil.
func (n *internet) certificate(a net.Addr, host string) (*x509.Certificate, error) {
	d := &net.Dialer{Timeout: 20 * time.Second}
	c, err := tls.DialWithDialer(d, "tcp", a.String(), &tls.Config{ServerName: host, RootCAs: n.roots})
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0], nil
}

// eventually visits until there is a certificate.
func (n *internet) eventually(t *testing.T, a net.Addr, host string) *x509.Certificate {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; {
		c, err := n.certificate(a, host)
		if err == nil {
			return c
		}
		if time.Now().After(end) {
			t.Fatalf("%s: %v", host, err)
		}
		time.Sleep(200 * time.Millisecond)
	}
}

func TestCertificateByEachChallenge(t *testing.T) {
	t.Parallel()
	for _, challenge := range []string{"HTTP-01", "TLS-ALPN-01"} {
		t.Run(challenge, func(t *testing.T) {
			t.Parallel()
			n := newInternet(t, season, challenge)
			g := n.gateway(t, place{"folder", t.TempDir()}, "site.example")
			n.plain.set(g.plain)
			n.secure.set(g.secure)
			n.eventually(t, g.secure, "site.example")
			client := &http.Client{Transport: &http.Transport{
				ForceAttemptHTTP2: true,
				TLSClientConfig:   &tls.Config{ServerName: "site.example", RootCAs: n.roots},
			}}
			res, err := client.Get("https://" + g.secure.String() + "/")
			must(t, err)
			defer res.Body.Close()
			if res.ProtoMajor != 2 || res.TLS.Version != tls.VersionTLS13 {
				t.Errorf("%s, TLS %x", res.Proto, res.TLS.Version)
			}
			if c, err := n.certificate(g.secure, "stranger.example"); err == nil {
				t.Errorf("a host of nobody's has a certificate for %v", c.DNSNames)
			}
		})
	}
}

// TestCertificateIsAskedForOnce restarts a gateway, and has two share a place.
func TestCertificateIsAskedForOnce(t *testing.T) {
	t.Parallel()
	for _, p := range places(t) {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			n := newInternet(t, season, "both")
			a := n.gateway(t, p, "site.example", "www.site.example")
			b := n.gateway(t, p, "site.example", "www.site.example")
			n.plain.set(a.plain, b.plain) // the other one answers for whoever has asked
			n.secure.set(a.secure, b.secure)
			for _, host := range []string{"site.example", "www.site.example"} {
				first := n.eventually(t, a.secure, host)
				second := n.eventually(t, b.secure, host)
				if !first.Equal(second) {
					t.Errorf("two certificates for %s", host)
				}
			}
			a.end()
			again := n.gateway(t, p, "site.example", "www.site.example")
			n.eventually(t, again.secure, "site.example")
			if got := n.ordered(); got != 2 {
				t.Errorf("%d orders for two hosts", got)
			}
		})
	}
}

// TestCertificateIsRenewed goes on visiting: the old one is shown until the new
// one is there.
func TestCertificateIsRenewed(t *testing.T) {
	t.Parallel()
	n := newInternet(t, 20*time.Second, "HTTP-01")
	g := n.gateway(t, place{"folder", t.TempDir()}, "site.example")
	n.plain.set(g.plain)
	n.secure.set(g.secure)
	first := n.eventually(t, g.secure, "site.example")
	for end := time.Now().Add(40 * time.Second); ; {
		c, err := n.certificate(g.secure, "site.example")
		if err != nil {
			t.Errorf("a visitor was not served: %v", err)
		} else if c.SerialNumber.Cmp(first.SerialNumber) != 0 {
			if time.Now().After(first.NotAfter) {
				t.Error("the old one had run out")
			}
			return
		}
		if time.Now().After(end) {
			t.Fatal("it was not renewed")
		}
		time.Sleep(300 * time.Millisecond)
	}
}

// TestRefusedCertificateIsNotAskedForAgainAndAgain: what visitors do must not
// use up what an authority allows.
func TestRefusedCertificateIsNotAskedForAgainAndAgain(t *testing.T) {
	t.Parallel()
	n := newInternet(t, season, "HTTP-01")
	nowhere := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}
	n.plain.set(nowhere)
	n.secure.set(nowhere)
	g := n.gateway(t, place{"folder", t.TempDir()}, "site.example")
	for end := time.Now().Add(time.Minute); n.refused() == 0; {
		if time.Now().After(end) {
			t.Fatal("nothing was asked for")
		}
		time.Sleep(100 * time.Millisecond)
	}
	_, _ = n.certificate(g.secure, "site.example") // until the gateway knows it as well
	before := n.ordered()
	for range 5 {
		if _, err := n.certificate(g.secure, "site.example"); err == nil {
			t.Error("there is a certificate")
		}
	}
	if after := n.ordered(); after != before || before == 0 {
		t.Errorf("%d orders, and then %d", before, after)
	}
}

// TestAnotherOrdersWhereOneWasKilled kills a gateway that holds the lock of an
// order.
func TestAnotherOrdersWhereOneWasKilled(t *testing.T) {
	t.Parallel()
	for _, p := range places(t) {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			n := newInternet(t, season, "both")
			killHolder(t, p, "issue_cert_site.example")
			began := time.Now()
			g := n.gateway(t, p, "site.example")
			n.plain.set(g.plain)
			n.secure.set(g.secure)
			n.eventually(t, g.secure, "site.example")
			if took := time.Since(began); took > 2*time.Minute {
				t.Errorf("it took %v", took)
			}
			if got := n.ordered(); got != 1 {
				t.Errorf("%d orders", got)
			}
		})
	}
}
