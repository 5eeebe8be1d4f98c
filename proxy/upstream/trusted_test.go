package upstream

import (
	"crypto/tls"
	"net/http"
	"net/netip"
	"strings"
	"testing"
)

func TestClientAddr(t *testing.T) {
	trusted, err := NewTrusted([]string{"10.0.0.0/8", "2001:db8::/32", "192.0.2.7"})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, peer string
		forwarded  []string
		want       string
	}{
		{"stranger", "203.0.113.9:1", nil, "203.0.113.9"},
		{"stranger who lies", "203.0.113.9:1", []string{"1.2.3.4"}, "203.0.113.9"},
		{"trusted, silent", "10.0.0.1:1", nil, "10.0.0.1"},
		{"trusted", "10.0.0.1:1", []string{"1.2.3.4"}, "1.2.3.4"},
		{"trusted single address", "192.0.2.7:1", []string{"1.2.3.4"}, "1.2.3.4"},
		{"neighbour of a single address", "192.0.2.8:1", []string{"1.2.3.4"}, "192.0.2.8"},
		{"trusted by IPv6", "[2001:db8::1]:1", []string{"2001:db9::2"}, "2001:db9::2"},
		{"IPv4 in IPv6", "[::ffff:10.0.0.1]:1", []string{"::ffff:1.2.3.4"}, "1.2.3.4"},
		{"what the visitor wrote stands left", "10.0.0.1:1", []string{"9.9.9.9, 1.2.3.4"}, "1.2.3.4"},
		{"two proxies", "10.0.0.1:1", []string{"9.9.9.9, 1.2.3.4, 10.9.9.9"}, "1.2.3.4"},
		{"two lines", "10.0.0.1:1", []string{"9.9.9.9", "1.2.3.4,10.2.2.2"}, "1.2.3.4"},
		{"all trusted", "10.0.0.1:1", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		{"nonsense", "10.0.0.1:1", []string{"1.2.3.4, unknown"}, "10.0.0.1"},
		{"nonsense left of a proxy", "10.0.0.1:1", []string{"unknown, 10.0.0.2"}, "10.0.0.2"},
		{"with port", "10.0.0.1:1", []string{"1.2.3.4:5678"}, "1.2.3.4"},
		{"with port and brackets", "10.0.0.1:1", []string{"[2001:db9::2]:5678"}, "2001:db9::2"},
		{"empty", "10.0.0.1:1", []string{""}, "10.0.0.1"},
		{"no address", "@", []string{"1.2.3.4"}, "invalid IP"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := &http.Request{RemoteAddr: tt.peer, Header: http.Header{"X-Forwarded-For": tt.forwarded}}
			if got := ClientAddr(r, trusted).String(); got != tt.want {
				t.Errorf("ClientAddr = %s, want %s", got, tt.want)
			}
		})
	}
}

func TestIsTLS(t *testing.T) {
	trusted, err := NewTrusted([]string{"10.0.0.0/8"})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, peer string
		tls        bool
		proto      []string
		want       bool
	}{
		{"plain", "1.2.3.4:1", false, nil, false},
		{"TLS", "1.2.3.4:1", true, nil, true},
		{"stranger says https", "1.2.3.4:1", false, []string{"https"}, false},
		{"stranger says http", "1.2.3.4:1", true, []string{"http"}, true},
		{"proxy says https", "10.0.0.1:1", false, []string{"HTTPS"}, true},
		{"proxy says http", "10.0.0.1:1", true, []string{"http"}, false},
		{"proxy says nonsense", "10.0.0.1:1", false, []string{"wss"}, false},
		{"proxy says both", "10.0.0.1:1", false, []string{"http", "https"}, false},
		{"proxy says nothing", "10.0.0.1:1", true, nil, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := &http.Request{RemoteAddr: tt.peer, Header: http.Header{"X-Forwarded-Proto": tt.proto}}
			if tt.tls {
				r.TLS = &tls.ConnectionState{}
			}
			if got := IsTLS(r, trusted); got != tt.want {
				t.Errorf("IsTLS = %v", got)
			}
		})
	}
}

func TestTruncate(t *testing.T) {
	for in, want := range map[string]string{
		"203.0.113.77":                "203.0.113.0",
		"::ffff:203.0.113.77":         "203.0.113.0",
		"2001:db8:1:2:3:4:5:6":        "2001:db8:1::",
		"fe80::1%eth0":                "fe80::",
		"2001:db8:ffff:ffff:ffff::ff": "2001:db8:ffff::",
	} {
		if got := Truncate(netip.MustParseAddr(in)).String(); got != want {
			t.Errorf("Truncate(%s) = %s, want %s", in, got, want)
		}
	}
	if got := Truncate(netip.Addr{}); got.IsValid() {
		t.Errorf("Truncate of nothing = %s", got)
	}
}

func TestNewTrustedReportsAllMistakes(t *testing.T) {
	_, err := NewTrusted([]string{"10.0.0.1", "ten", "10.0.0.0/33"})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"trusted_proxies[1]", `"ten"`, "trusted_proxies[2]", "10.0.0.0/8"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %v", want, err)
		}
	}
}
