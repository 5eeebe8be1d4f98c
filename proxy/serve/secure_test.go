package serve

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/xml"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/quic-go/quic-go/http3"
)

// startSecure starts a server with a certificate for the hosts in a file, and
// returns who trusts it.
func startSecure(t *testing.T, c Config, h Handlers, hosts ...string) (*running, *x509.CertPool) {
	t.Helper()
	certificate, key := selfSigned(t, t.TempDir(), hosts...)
	c.TLS.Listen = []string{"127.0.0.1:0"}
	c.TLS.Files = []CertificateFile{{certificate, key}}
	return start(t, c, h), trusting(t, certificate)
}

func trusting(t *testing.T, file string) *x509.CertPool {
	t.Helper()
	pool, err := ACMEConfig{CAFile: file}.roots()
	must(t, err)
	return pool
}

// ask sends a request without TLS and returns the answer's header.
func ask(t *testing.T, a net.Addr, host, target string) *http.Response {
	t.Helper()
	c, r := dial(t, a)
	_, _ = fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", target, host)
	res, err := http.ReadResponse(r, nil)
	must(t, err)
	_ = res.Body.Close()
	return res
}

func TestPlainVisitorsAreSentToTLS(t *testing.T) {
	r, _ := startSecure(t, Config{}, Handlers{Site: answer("site")}, "site.example")
	_, port, err := net.SplitHostPort(r.TLS[0].String())
	must(t, err)
	for _, c := range []struct{ host, target, location string }{
		{"site.example", "/a%2fb?c=d&e", "https://site.example/a%2fb?c=d&e"},
		{"SITE.example.", "/", "https://site.example/"},
		{"site.example:80", "/?", "https://site.example/?"},
		{"site.example:8080", "/", "https://site.example:" + port + "/"},
		{"site.example", "//evil.example/", "https://site.example//evil.example/"},
		{"site.example", "/\\evil", "https://site.example/%5Cevil"},
		{"evil.example", "/", ""},
		{"evil.example@site.example", "/", ""},
		{"", "/", ""},
		{"site.example", "http://evil.example/", ""},
	} {
		res := ask(t, r.Site[0], c.host, c.target)
		got := res.Header.Get("Location")
		if got != c.location || (res.StatusCode == http.StatusPermanentRedirect) != (c.location != "") {
			t.Errorf("Host %q, %s: %d to %q, want %q", c.host, c.target, res.StatusCode, got, c.location)
		}
		if res.Header.Get("Strict-Transport-Security") != "" {
			t.Error("HSTS without TLS") // RFC 6797 section 7.2
		}
	}
}

func TestPlainVisitorsCanBeServed(t *testing.T) {
	r, _ := startSecure(t, Config{TLS: TLSConfig{Plain: Serve}}, Handlers{Site: answer("site")}, "site.example")
	if res := ask(t, r.Site[0], "site.example", "/"); res.StatusCode != http.StatusOK {
		t.Errorf("status %d", res.StatusCode)
	}
}

// client visits site.example at an address, over HTTP/2 or HTTP/1.1.
func client(t *testing.T, pool *x509.CertPool, at net.Addr) *http.Client {
	transport := &http.Transport{
		ForceAttemptHTTP2: true,
		TLSClientConfig:   &tls.Config{RootCAs: pool},
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", at.String())
		},
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 20 * time.Second}
}

// TestHSTS is said in place of what the origin says, and with an answer that
// has no body.
func TestHSTS(t *testing.T) {
	hsts := HSTSConfig{MaxAge: 365 * 24 * time.Hour, IncludeSubdomains: true, Preload: true}
	site := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Strict-Transport-Security", "max-age=1")
		switch r.URL.Path {
		case "/empty":
		case "/status":
			w.WriteHeader(http.StatusNoContent)
		case "/flush":
			if err := http.NewResponseController(w).Flush(); err != nil {
				t.Error(err)
			}
		default:
			_, _ = io.WriteString(w, "site")
		}
	})
	r, pool := startSecure(t, Config{TLS: TLSConfig{HSTS: hsts}}, Handlers{Site: site}, "site.example")
	visitor := client(t, pool, r.TLS[0])
	for _, path := range []string{"/", "/empty", "/status", "/flush"} {
		res, err := visitor.Get("https://site.example" + path)
		must(t, err)
		_ = res.Body.Close()
		if got := res.Header.Values("Strict-Transport-Security"); len(got) != 1 || got[0] != "max-age=31536000; includeSubDomains; preload" || res.ProtoMajor != 2 {
			t.Errorf("%s: %s says %q", path, res.Proto, got)
		}
	}
}

func TestHTTP3(t *testing.T) {
	site := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Proto) })
	r, pool := startSecure(t, Config{DrainTimeout: time.Second, TLS: TLSConfig{HTTP3: true}}, Handlers{Site: site}, "site.example")
	visitor := client(t, pool, r.TLS[0])
	_, port, err := net.SplitHostPort(r.TLS[0].String())
	must(t, err)
	for try := 0; ; try++ { // the port of UDP opens a moment later
		res, err := visitor.Get("https://site.example/")
		must(t, err)
		_ = res.Body.Close()
		if strings.Contains(res.Header.Get("Alt-Svc"), `h3=":`+port+`"`) {
			break
		}
		if try == 100 {
			t.Fatalf("Alt-Svc is %q", res.Header.Get("Alt-Svc"))
		}
		time.Sleep(50 * time.Millisecond)
	}
	transport := &http3.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: "site.example"}}
	defer transport.Close()
	res, err := (&http.Client{Transport: transport, Timeout: 20 * time.Second}).Get("https://" + r.TLS[0].String() + "/")
	must(t, err)
	defer res.Body.Close()
	if body, _ := io.ReadAll(res.Body); string(body) != "HTTP/3.0" {
		t.Errorf("asked by %q", body)
	}
}

// TestFilesAreReadAgain renews a certificate under a running server, first with
// files that do not fit each other.
func TestFilesAreReadAgain(t *testing.T) {
	dir := t.TempDir()
	certificate, key := selfSigned(t, dir, "site.example")
	f, err := (&Server{config: Config{TLS: TLSConfig{Files: []CertificateFile{{certificate, key}}}}}).ownFiles()
	must(t, err)
	f.every = 5 * time.Millisecond
	events := make(chan Event, 16)
	go f.watch(t.Context(), func(e Event) { events <- e })
	first := f.leaves()[0]

	secret, err := os.ReadFile(key)
	must(t, err)
	must(t, os.WriteFile(key, []byte("half"), 0o600))
	if e := wait(t, "word of a file", events); e.Level != Error || !f.leaves()[0].Equal(first) {
		t.Errorf("%v", e)
	}
	must(t, os.WriteFile(key, secret, 0o600))
	_ = wait(t, "word of the old files", events)
	selfSigned(t, dir, "site.example")
	for e := wait(t, "word of new files", events); e.Level == Error; {
		e = wait(t, "word of new files", events) // one of the two was new
	}
	if f.leaves()[0].Equal(first) {
		t.Error("the old one is shown")
	}
}

func TestSilentHandshakeIsCut(t *testing.T) {
	r, _ := startSecure(t, Config{HeaderTimeout: 50 * time.Millisecond}, Handlers{Site: answer("site")}, "site.example")
	c, reader := dial(t, r.TLS[0])
	_, _ = c.Write([]byte{22, 3, 1}) // the beginning of a ClientHello
	untilEnd(t, reader)
}

// TestSlowloris opens many connections that send a byte now and then. They are
// all gone when the header timeout is over, and others are served meanwhile.
func TestSlowloris(t *testing.T) {
	const connections, timeout = 300, 2 * time.Second
	r := start(t, Config{HeaderTimeout: timeout}, Handlers{Site: answer("site")})
	ended := make(chan time.Duration, connections)
	for range connections {
		c, reader := dial(t, r.Site[0])
		began := time.Now()
		_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\n")
		gone := make(chan struct{})
		go func() {
			tick := time.NewTicker(timeout / 10)
			defer tick.Stop()
			for {
				select {
				case <-gone:
					return
				case <-tick.C:
					_, _ = io.WriteString(c, "x")
				}
			}
		}()
		go func() {
			_, _ = io.Copy(io.Discard, reader)
			close(gone)
			ended <- time.Since(began)
		}()
	}
	if status, _ := get(t, r.Site[0]); status != http.StatusOK {
		t.Errorf("another visitor got %d", status)
	}
	for range connections {
		if took := wait(t, "a slow connection to be cut", ended); took > 20*time.Second {
			t.Errorf("one lived for %v", took)
		}
	}
}

func TestLogNamesNoVisitor(t *testing.T) {
	var b bytes.Buffer
	for _, line := range []string{
		"http: TLS handshake error from 203.0.113.7:51123: EOF\n",
		"http: panic serving [2001:db8::17]:443: boom\n",
		"http2: server connection error from [fe80::1%eth0]:9: x\n",
	} {
		_, _ = discreet{&b}.Write([]byte(line))
	}
	if want := "http: TLS handshake error from a visitor: EOF\nhttp: panic serving a visitor: boom\nhttp2: server connection error from a visitor: x\n"; b.String() != want {
		t.Errorf("got %s", &b)
	}
}

// notAsH2Spec are the four cases in which Go does not do what h2spec expects.
func notAsH2Spec() []string {
	return []string{
		// Go allows frames of 1 MiB and ends what does not fit its header limit.
		"Sends a large size HEADERS frame that exceeds the SETTINGS_MAX_FRAME_SIZE",
		// It takes a window that shrinks and grows in one frame for an attack.
		"Sends multiple values of SETTINGS_INITIAL_WINDOW_SIZE",
		// It answers these two with a status of 400 rather than an error of the stream.
		"Sends a HEADERS frame that contains the connection-specific header field",
		`Sends a HEADERS frame that contains the TE header field with any value other than "trailers"`,
	}
}

// TestH2Spec runs the conformance tests of HTTP/2.
func TestH2Spec(t *testing.T) {
	t.Parallel() // it waits most of the time
	program := tool(t, "github.com/summerwind/h2spec/cmd/h2spec")
	site := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { // as a gateway does: the body first
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			panic(http.ErrAbortHandler)
		}
		_, _ = io.WriteString(w, strings.Repeat("text ", 1000))
	})
	r, _ := startSecure(t, Config{}, Handlers{Site: site}, "site.example")
	_, port, err := net.SplitHostPort(r.TLS[0].String())
	must(t, err)
	out, _ := exec.CommandContext(t.Context(), program, "-t", "-k", "-h", "127.0.0.1", "-p", port, "-o", "5").CombinedOutput()
	passed := 0
	if m := regexp.MustCompile(`tests, (\d+) passed`).FindSubmatch(out); m != nil {
		passed, err = strconv.Atoi(string(m[1]))
		must(t, err)
	}
	for _, m := range regexp.MustCompile(`(?m)^ *× \d+: (.*)$`).FindAllSubmatch(out, -1) {
		if !slices.Contains(notAsH2Spec(), string(m[1])) {
			t.Errorf("failed: %s", m[1])
		}
	}
	if t.Logf("%d passed", passed); passed < 141 || t.Failed() {
		t.Errorf("h2spec says:\n%s", out)
	}
}

// TestSSLScan reads what an independent scanner finds.
func TestSSLScan(t *testing.T) {
	if _, err := exec.LookPath("sslscan"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("sslscan is not installed (Debian: apt install sslscan)")
	}
	r, _ := startSecure(t, Config{}, Handlers{Site: answer("site")}, "site.example")
	out, err := exec.CommandContext(t.Context(), "sslscan", "--xml=-", "--no-colour", "--sni-name=site.example", r.TLS[0].String()).Output()
	must(t, err)
	var found struct {
		Test struct {
			Protocols []struct {
				Type    string `xml:"type,attr"`
				Version string `xml:"version,attr"`
				Enabled int    `xml:"enabled,attr"`
			} `xml:"protocol"`
			Ciphers []struct {
				Name     string `xml:"cipher,attr"`
				Bits     int    `xml:"bits,attr"`
				Strength string `xml:"strength,attr"`
			} `xml:"cipher"`
			Heartbleed []struct {
				Vulnerable int `xml:"vulnerable,attr"`
			} `xml:"heartbleed"`
			Compression struct {
				Supported int `xml:"supported,attr"`
			} `xml:"compression"`
			Renegotiation struct {
				Supported int `xml:"supported,attr"`
				Secure    int `xml:"secure,attr"`
			} `xml:"renegotiation"`
		} `xml:"ssltest"`
	}
	must(t, xml.Unmarshal(out, &found))
	enabled := map[string]bool{}
	for _, p := range found.Test.Protocols {
		enabled[p.Type+p.Version] = p.Enabled == 1
	}
	for protocol, want := range map[string]bool{"ssl2": false, "ssl3": false, "tls1.0": false, "tls1.1": false, "tls1.2": true, "tls1.3": true} {
		if got, listed := enabled[protocol]; got != want || !listed {
			t.Errorf("%s: %v (looked at: %v)", protocol, got, listed)
		}
	}
	if len(found.Test.Ciphers) == 0 {
		t.Error("no cipher was found: this showed nothing")
	}
	for _, c := range found.Test.Ciphers {
		if c.Bits < 128 || c.Strength != "strong" && c.Strength != "acceptable" {
			t.Errorf("%s (%d bits) is %s", c.Name, c.Bits, c.Strength)
		}
		if c.Strength == "acceptable" {
			t.Logf("%s is acceptable", c.Name)
		}
	}
	for _, h := range found.Test.Heartbleed {
		if h.Vulnerable != 0 {
			t.Error("heartbleed")
		}
	}
	if found.Test.Compression.Supported != 0 || found.Test.Renegotiation.Supported != 0 && found.Test.Renegotiation.Secure == 0 {
		t.Errorf("compression %+v, renegotiation %+v", found.Test.Compression, found.Test.Renegotiation)
	}
}
