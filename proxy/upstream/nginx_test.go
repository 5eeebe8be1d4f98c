package upstream

import (
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
)

// These tests have another HTTP implementation at the origin than the one the
// gateway is built on.

func TestNginxOrigin(t *testing.T) {
	origin := nginx(t, `
		gzip on; gzip_types text/css; gzip_min_length 1;
		location /echo { default_type text/plain; return 200 "$request|$http_x_forwarded_for|$http_consent|$http_cookie|$http_via"; }
		location /style { default_type text/css; return 200 "a { color: red; color: red; color: red; color: red; }"; }
		location /none { return 204; }
		location /upload { client_max_body_size 1m; return 200; }`)
	off := false
	silent := newGateWith(t, Config{URL: origin, Via: &off}, &gate{})
	g := &gate{out: Outbound{Consent: "necessary"}}
	gate := newGate(t, origin, g)

	t.Run("request", func(t *testing.T) {
		_, body := send(t, gate, "GET /echo//x%2Fy?a=1;b=2&c=%zz HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 1.2.3.4\r\nX_Forwarded_For: 1.2.3.4\r\nCookie: a=b\r\nCookie: c=d\r\n\r\n")
		if want := "GET /echo//x%2Fy?a=1;b=2&c=%zz HTTP/1.1|127.0.0.1|necessary|a=b; c=d|1.1 consentgate"; body != want {
			t.Errorf("nginx got %q\nwant      %q", body, want)
		}
	})
	t.Run("204", func(t *testing.T) {
		if res, body := send(t, gate, "GET /none HTTP/1.1\r\nHost: a\r\n\r\n"); res.StatusCode != 204 || body != "" {
			t.Errorf("status %d %q", res.StatusCode, body)
		}
	})
	t.Run("HEAD has the length of GET", func(t *testing.T) {
		c, r := dial(t, gate)
		_, _ = io.WriteString(c, "HEAD /style HTTP/1.1\r\nHost: a\r\n\r\n")
		if length, _ := field(readHead(r), "Content-Length"); length != "53" {
			t.Errorf("Content-Length: %q", length)
		}
	})
	t.Run("Via turns its compression off", func(t *testing.T) {
		const request = "GET /style HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n"
		with, _ := send(t, gate, request)
		without, _ := send(t, silent, request)
		if with.Header.Get("Content-Encoding") != "" || without.Header.Get("Content-Encoding") != "gzip" {
			t.Errorf("Content-Encoding: %q with Via and %q without: the docs of Config.Via are wrong", with.Header.Get("Content-Encoding"), without.Header.Get("Content-Encoding"))
		}
	})
	t.Run("upload too large is refused before it comes", func(t *testing.T) {
		res, _ := send(t, gate, "POST /upload HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2000000\r\n\r\n")
		if res.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("status %d", res.StatusCode)
		}
	})
	t.Run("upload too large is refused while it comes", func(t *testing.T) {
		req, _ := http.NewRequest(http.MethodPost, "http://"+gate+"/upload", strings.NewReader(strings.Repeat("x", 2_000_000)))
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("status %d", res.StatusCode)
		}
	})
}

// TestNginxRefusesWhoDoesNotKnowTheSecret has the line of OPERATIONS.md.
func TestNginxRefusesWhoDoesNotKnowTheSecret(t *testing.T) {
	const secret = "0123456789abcdef"
	operations, err := os.ReadFile("../../OPERATIONS.md")
	if err != nil {
		t.Fatal(err)
	}
	line := `if ($http_x_origin_secret != "the value") { return 403; }`
	if !strings.Contains(string(operations), line) {
		t.Fatalf("OPERATIONS.md does not say %s", line)
	}
	origin := nginx(t, strings.Replace(line, "the value", secret, 1)+` location / { return 200 "in"; }`)
	t.Setenv("ORIGIN_SECRET", secret)
	config := Config{URL: origin, Secret: Secret{Header: "X-Origin-Secret", Env: "ORIGIN_SECRET"}}
	for name, tt := range map[string]struct {
		address string
		status  int
	}{
		"through the gateway": {newGateWith(t, config, &gate{}), http.StatusOK},
		"past it":             {strings.TrimPrefix(origin, "http://"), http.StatusForbidden},
	} {
		if res, _ := send(t, tt.address, "GET / HTTP/1.1\r\nHost: a\r\nX-Origin-Secret: guessed\r\n\r\n"); res.StatusCode != tt.status {
			t.Errorf("%s: status %d, want %d", name, res.StatusCode, tt.status)
		}
	}
}
