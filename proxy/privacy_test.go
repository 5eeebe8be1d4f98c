package proxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/numfocus/consentgate/consent/ledger"
)

// A failingLedger stores nothing, for a reason that names the visitor, as those of
// the network do.
type failingLedger struct {
	ledger.Ledger
	err error
}

func (f failingLedger) Append(context.Context, ledger.Receipt) error { return f.err }

// asFrom serves requests as if they came from an address, over a connection
// whose errors name it.
func asFrom(g http.Handler, address string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.RemoteAddr = address
		g.ServeHTTP(w, r)
	})
}

// TestLogsNameNobody asks for everything that is logged, failures included, and
// expects neither the visitor's address nor a query, a cookie or any other of
// the visitor's words but the path.
func TestLogsNameNobody(t *testing.T) {
	for _, addresses := range []Addresses{"", NoAddresses} {
		for _, from := range []string{"203.0.113.77:50123", "[2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:50123"} {
			t.Run(fmt.Sprint(from, " ", addresses), func(t *testing.T) { logsNameNobody(t, addresses, from) })
		}
	}
}

func logsNameNobody(t *testing.T, addresses Addresses, from string) {
	peer := netip.MustParseAddrPort(from).Addr().String()
	behind := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/cut":
			w.Header().Set("Content-Length", "1000")
			io.WriteString(w, "short")
		case "/broken":
			panic(http.ErrAbortHandler)
		default:
			w.Header().Set("Content-Type", "text/html")
			io.WriteString(w, widget)
		}
	}))
	defer behind.Close()
	c := Config{Sites: []SiteConfig{{Hosts: []string{"127.0.0.1"}}}, TrustedProxies: []string{"10.0.0.0/8"}}
	c.Sites[0].Upstream.URL = behind.URL
	notes := new(notebook)
	parts := insideParts(t, notes)
	parts.Addresses = addresses
	gone := &net.OpError{Op: "write", Net: "tcp", Addr: net.TCPAddrFromAddrPort(netip.MustParseAddrPort(from)), Err: errors.New("broken pipe")}
	parts.Ledger = failingLedger{parts.Ledger, gone}
	g, err := New(c, parts)
	if err != nil {
		t.Fatal(err)
	}
	direct := httptest.NewServer(asFrom(g, from))
	defer direct.Close()
	proxied := httptest.NewServer(asFrom(g, "10.0.0.1:4000"))
	defer proxied.Close()
	leaving := httptest.NewServer(asFrom(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.ServeHTTP(deaf{w, gone}, r)
	}), from))
	defer leaving.Close()

	ask := func(method, url, host string) {
		r, err := http.NewRequest(method, url+"?email=secret", strings.NewReader("choice=accept&secret"))
		if err != nil {
			t.Fatal(err)
		}
		r.Host = host
		r.Header = http.Header{
			"Accept": {"text/html"}, "Cookie": {"id=secret"}, "User-Agent": {"secret"}, "Referer": {"http://secret/"},
			"X-Forwarded-For": {peer}, "Content-Type": {"application/x-www-form-urlencoded"}, "Sec-Fetch-Site": {"same-origin"},
		}
		if res, err := http.DefaultClient.Do(r); err == nil {
			io.Copy(io.Discard, res.Body)
			res.Body.Close()
		}
	}
	for _, base := range []string{direct.URL, proxied.URL, leaving.URL} {
		for _, path := range []string{"/", "/cut", "/broken", "/_consent/", "/_consent/receipt", "/_consent/nothing"} {
			ask("GET", base+path, "127.0.0.1")
		}
		ask("POST", base+"/_consent/choice", "127.0.0.1")
		ask("GET", base+"/", "elsewhere.example")
	}
	g.breakJudge()
	ask("GET", direct.URL+"/bug", "127.0.0.1")
	behind.Close()
	ask("GET", direct.URL+"/", "127.0.0.1")

	log := notes.String()
	if n := strings.Count(log, "\n"); n < 20 {
		t.Errorf("only %d lines:\n%s", n, log)
	}
	if !strings.Contains(log, "broken pipe") {
		t.Errorf("nobody's leaving was logged:\n%s", log)
	}
	for line := range strings.Lines(log) {
		if strings.Contains(line, peer) || strings.Contains(line, "50123") || strings.Contains(line, "secret") {
			t.Errorf("it names the visitor: %s", line)
		}
		if addresses == NoAddresses && (strings.Contains(line, "203.0.113") || strings.Contains(line, "2001:db8")) {
			t.Errorf("it has the visitor's network: %s", line)
		}
	}
}

// deaf is a visitor who leaves: every write fails with an error that names both
// ends of the connection.
type deaf struct {
	http.ResponseWriter
	err error
}

func (d deaf) Write([]byte) (int, error) { return 0, d.err }
