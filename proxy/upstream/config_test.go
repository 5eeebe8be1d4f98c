package upstream

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/numfocus/consentgate/consent"
)

func TestCheckReportsAllMistakes(t *testing.T) {
	c := Config{URL: "ftp://x/y", Host: "a b", Protocol: "spdy", TLS: TLSConfig{ServerName: "x/y", CA: "/nowhere"},
		Secret: Secret{Header: "Cookie", File: "/nowhere"}, Health: Health{Path: "healthz", Interval: -1}, HeaderTimeout: -1, Requests: -1}
	err := c.Check()
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		t.Fatalf("Check() = %v", err)
	}
	var fields []string
	for _, e := range joined.Unwrap() {
		var m consent.Mistake
		if !errors.As(e, &m) || m.Cure == "" {
			t.Errorf("%v is no Mistake with a cure", e)
		}
		fields = append(fields, m.Field)
	}
	if got := strings.Join(fields, " "); got != "url host protocol tls.server_name tls.ca secret.header secret.file health.path health.interval header_timeout " {
		t.Errorf("mistakes in %q", got)
	}
}

func TestCheckURL(t *testing.T) {
	for url, fine := range map[string]bool{
		"http://127.0.0.1:8080":   true,
		"https://origin.example/": true,
		"http://[::1]:80":         true,
		"":                        false,
		"127.0.0.1:8080":          false,
		"http://":                 false,
		"http://a/blog":           false,
		"http://a?x":              false,
		"http://u:p@a":            false,
		"http://a b":              false,
		"unix:/run/x":             false,
	} {
		if err := (Config{URL: url}).Check(); (err == nil) != fine {
			t.Errorf("Check of %q: %v", url, err)
		}
		if _, err := New(Config{URL: url}); (err == nil) != fine {
			t.Errorf("New with %q: %v", url, err)
		}
	}
}

func TestConfigIsReadFromYAML(t *testing.T) {
	var c Config
	d := yaml.NewDecoder(strings.NewReader("url: http://a\nhost: upstream\ntls: {server_name: b}\nvia: false\nheader_timeout: 1m30s\nrequests: 7\n"))
	d.KnownFields(true)
	if err := d.Decode(&c); err != nil {
		t.Fatal(err)
	}
	if c.URL != "http://a" || c.Host != "upstream" || c.TLS.ServerName != "b" || c.Via == nil || *c.Via || c.HeaderTimeout != 90*time.Second || c.Requests != 7 {
		t.Errorf("%+v", c)
	}
}

func TestTLSOriginIsVerified(t *testing.T) {
	origin := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Proto", r.Proto)
		w.Header().Set("X-SNI", r.TLS.ServerName)
	}))
	origin.Config.ErrorLog = quiet()
	origin.EnableHTTP2 = true
	origin.StartTLS()
	t.Cleanup(origin.Close)
	ca := writeCA(t, origin.Certificate())
	for _, tt := range []struct {
		name   string
		config Config
		status int
	}{
		{"known authority", Config{TLS: TLSConfig{CA: ca, ServerName: "example.com"}}, 200},
		{"known authority, by address", Config{TLS: TLSConfig{CA: ca}}, 200},
		{"unknown authority", Config{TLS: TLSConfig{ServerName: "example.com"}}, 502},
		{"another name", Config{TLS: TLSConfig{CA: ca, ServerName: "other.example"}}, 502},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.config.URL = origin.URL
			res, _ := send(t, newGateWith(t, tt.config, &gate{}), "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
			if res.StatusCode != tt.status {
				t.Errorf("status %d", res.StatusCode)
			}
			if tt.status == 200 && (res.Header.Get("X-Proto") != "HTTP/2.0" || res.Header.Get("X-SNI") != tt.config.TLS.ServerName) {
				t.Errorf("origin was asked by %s for %q", res.Header.Get("X-Proto"), res.Header.Get("X-SNI"))
			}
		})
	}
}

// TestWebSocketToHTTP2Origin: an origin that speaks HTTP/2 is asked by HTTP/1.1
// for a WebSocket, and the silence on it is the tunnel's business.
func TestWebSocketToHTTP2Origin(t *testing.T) {
	origin := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		c, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Errorf("the origin was not asked by HTTP/1.1: %v", err)
			return
		}
		defer func() { _ = c.Close() }()
		_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: abc\r\nSet-Cookie: a=b\r\n\r\n")
		_, _ = io.Copy(c, rw)
	}))
	origin.EnableHTTP2 = true
	origin.StartTLS()
	t.Cleanup(origin.Close)
	config := Config{URL: origin.URL, TLS: TLSConfig{CA: writeCA(t, origin.Certificate())}, StallTimeout: time.Millisecond, HeaderTimeout: 50 * time.Millisecond}
	address := newGateWith(t, config, &gate{})
	c, r := openWebSocket(t, address)
	<-time.After(1200 * time.Millisecond) // beyond the header timeout and its second
	_, _ = c.Write(frame(1, []byte("still here"), nil))
	if _, got, err := readFrame(r); string(got) != "still here" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

func writeCA(t *testing.T, cert *x509.Certificate) (file string) {
	t.Helper()
	var b bytes.Buffer
	if err := pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}); err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
