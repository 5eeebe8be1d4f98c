package upstream

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

const (
	atCloudflare = "172.71.1.2:4444"
	stranger     = "203.0.113.9:4444"
	balancer     = "10.0.0.1:4444"
)

// TestCloudflare: what Cloudflare says of a visitor counts from Cloudflare, and
// what it passes on as the visitor wrote it from nobody.
func TestCloudflare(t *testing.T) {
	trusted, err := NewTrusted([]string{"cloudflare", "10.0.0.0/8"})
	if err != nil {
		t.Fatal(err)
	}
	up, err := New(Config{URL: "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, peer   string
		header       http.Header
		client, host string
		header2      string // a header the origin gets
		want         string
	}{
		{"the visitor's address", atCloudflare, http.Header{"Cf-Connecting-Ip": {"198.51.100.7"}},
			"198.51.100.7", "example.org", "Cf-Connecting-Ip", "198.51.100.7"},
		{"spoofed X-Forwarded-For, to which Cloudflare adds", atCloudflare, http.Header{"Cf-Connecting-Ip": {"198.51.100.7"}, "X-Forwarded-For": {"1.1.1.1, 198.51.100.7"}},
			"198.51.100.7", "example.org", "X-Forwarded-For", "198.51.100.7, 172.71.1.2"},
		{"without its own header", atCloudflare, http.Header{"X-Forwarded-For": {"1.1.1.1, 198.51.100.7"}},
			"198.51.100.7", "example.org", "Cf-Connecting-Ip", ""},
		{"two of its own header", atCloudflare, http.Header{"Cf-Connecting-Ip": {"1.1.1.1", "2.2.2.2"}, "X-Forwarded-For": {"198.51.100.7"}},
			"198.51.100.7", "example.org", "X-Forwarded-For", "198.51.100.7, 172.71.1.2"},
		{"a host the visitor made up", atCloudflare, http.Header{"X-Forwarded-Host": {"evil.example"}},
			"172.71.1.2", "example.org", "X-Forwarded-Host", "example.org"},
		{"a path the visitor made up", atCloudflare, http.Header{"X-Original-Url": {"/admin"}},
			"172.71.1.2", "example.org", "X-Original-Url", ""},
		{"an address the visitor made up", atCloudflare, http.Header{"X-Real-Ip": {"1.1.1.1"}, "True-Client-Ip": {"1.1.1.1"}},
			"172.71.1.2", "example.org", "X-Real-Ip", ""},
		{"the scheme", atCloudflare, http.Header{"X-Forwarded-Proto": {"https"}},
			"172.71.1.2", "example.org", "X-Forwarded-Proto", "https"},
		{"a stranger who plays Cloudflare", stranger, http.Header{"Cf-Connecting-Ip": {"198.51.100.7"}, "Cf-Ipcountry": {"XX"}},
			"203.0.113.9", "example.org", "Cf-Connecting-Ip", ""},
		{"a balancer that passes on what a stranger made up", balancer, http.Header{"Cf-Connecting-Ip": {"1.1.1.1"}, "X-Forwarded-For": {"203.0.113.9"}},
			"203.0.113.9", "example.org", "Cf-Connecting-Ip", ""},
		{"a balancer behind Cloudflare", balancer, http.Header{"X-Forwarded-For": {"1.1.1.1, 198.51.100.7, 172.71.1.2"}},
			"198.51.100.7", "example.org", "X-Forwarded-For", "198.51.100.7, 172.71.1.2, 10.0.0.1"},
		{"a balancer's host", balancer, http.Header{"X-Forwarded-Host": {"www.example.org"}},
			"10.0.0.1", "www.example.org", "X-Forwarded-Host", "www.example.org"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "http://example.org/", nil)
			r.RemoteAddr, r.Header = tt.peer, tt.header
			if got := ClientAddr(r, trusted).String(); got != tt.client {
				t.Errorf("ClientAddr = %s, want %s", got, tt.client)
			}
			if got := Host(r, trusted); got != tt.host {
				t.Errorf("Host = %s, want %s", got, tt.host)
			}
			if got := up.Outgoing(r, Outbound{Trusted: trusted}).Header.Get(tt.header2); got != tt.want {
				t.Errorf("the origin gets %s: %q, want %q", tt.header2, got, tt.want)
			}
		})
	}
}

func TestCloudflareIsTrustedOnlyByName(t *testing.T) {
	trusted, err := NewTrusted([]string{"10.0.0.0/8"})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.RemoteAddr, r.Header = atCloudflare, http.Header{"Cf-Connecting-Ip": {"198.51.100.7"}}
	if got := ClientAddr(r, trusted).String(); got != "172.71.1.2" {
		t.Errorf("ClientAddr = %s", got)
	}
}
