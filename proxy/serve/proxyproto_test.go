package serve

import (
	"crypto/tls"
	"encoding/binary"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// v2 is a PROXY header of version 2 for TCP over IPv4 (section 2.2 of its
// specification).
func v2(command byte, source [4]byte, port uint16) string {
	b := []byte("\r\n\r\n\x00\r\nQUIT\n")
	b = append(b, 0x20|command, 0x11, 0, 12)
	b = append(b, source[:]...)
	b = append(b, 127, 0, 0, 1)
	b = binary.BigEndian.AppendUint16(b, port)
	return string(binary.BigEndian.AppendUint16(b, 80))
}

// TestProxyHeader sends what load balancers send, and what others do.
func TestProxyHeader(t *testing.T) {
	const trusted, stranger = "127.0.0.0/8", "192.0.2.0/24"
	for _, c := range []struct{ name, from, header, want string }{
		{"version 1", trusted, "PROXY TCP4 203.0.113.7 127.0.0.1 5000 80\r\n", "203.0.113.7:5000"},
		{"version 1 with IPv6", trusted, "PROXY TCP6 2001:db8::7 ::1 5000 80\r\n", "[2001:db8::7]:5000"},
		{"version 2", trusted, v2(1, [4]byte{203, 0, 113, 7}, 5000), "203.0.113.7:5000"},
		{"version 2 of a balancer's own check", trusted, v2(0, [4]byte{}, 0), "127.0.0.1"},
		{"version 1 of nobody known", trusted, "PROXY UNKNOWN\r\n", "127.0.0.1"},
		{"absent", trusted, "", ""},
		{"bad", trusted, "PROXY TCP4 203.0.113.700 127.0.0.1 5000 80\r\n", ""},
		{"too long", trusted, "PROXY " + strings.Repeat("A", 200) + "\r\n", ""},
		{"broken version 2", trusted, "\r\n\r\n\x00\r\nQUIT\n\x31\x11\x00\x0c", ""},
		{"absent, of somebody else", stranger, "", "127.0.0.1"},
		{"of somebody else", stranger, "PROXY TCP4 203.0.113.7 127.0.0.1 5000 80\r\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := start(t, Config{ProxyProtocol: []string{c.from}, HeaderTimeout: 5 * time.Second}, Handlers{Site: peerName})
			conn, reader := dial(t, r.Site[0])
			_, _ = io.WriteString(conn, c.header+"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
			res, err := http.ReadResponse(reader, nil)
			if err != nil || res.StatusCode != http.StatusOK {
				if c.want != "" {
					t.Errorf("%v, %v", res, err)
				}
				return
			}
			body, _ := io.ReadAll(res.Body)
			if c.want == "" || !strings.HasPrefix(string(body), c.want) {
				t.Errorf("the visitor is %s, want %q", body, c.want)
			}
		})
	}
}

var peerName = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.RemoteAddr) })

func TestProxyHeaderBeforeTLS(t *testing.T) {
	r, pool := startSecure(t, Config{ProxyProtocol: []string{"127.0.0.1"}}, Handlers{Site: peerName}, "site.example")
	raw, _ := dial(t, r.TLS[0])
	_, _ = io.WriteString(raw, v2(1, [4]byte{203, 0, 113, 7}, 5000))
	c := tls.Client(raw, &tls.Config{ServerName: "site.example", RootCAs: pool})
	_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: site.example\r\nConnection: close\r\n\r\n")
	all, err := io.ReadAll(c)
	if !strings.HasSuffix(string(all), "203.0.113.7:5000") {
		t.Errorf("%q, %v", all, err)
	}
}

// TestSlowProxyHeaderIsCut holds one connection, and no other.
func TestSlowProxyHeaderIsCut(t *testing.T) {
	r := start(t, Config{ProxyProtocol: []string{"127.0.0.1"}, HeaderTimeout: 100 * time.Millisecond}, Handlers{Site: peerName})
	slow, reader := dial(t, r.Site[0])
	_, _ = io.WriteString(slow, "PROXY TCP4 203.0.")
	c, other := dial(t, r.Site[0])
	_, _ = io.WriteString(c, "PROXY UNKNOWN\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	if res, err := http.ReadResponse(other, nil); err != nil || res.StatusCode != http.StatusOK {
		t.Errorf("%v, %v", res, err)
	}
	untilEnd(t, reader)
}
