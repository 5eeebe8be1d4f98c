package upstream

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"testing"
)

// BenchmarkPassThrough fetches a body through the gate and, for comparison,
// through httputil.ReverseProxy on the same transport, over one connection on
// loopback. Origin and client are as cheap as they can be, and their part is in
// the figures of both.
func BenchmarkPassThrough(b *testing.B) {
	for _, size := range []int{10 << 10, 107 << 10, 4 << 20} {
		answer := append([]byte("HTTP/1.1 200 OK\r\nContent-Type: text/css\r\nContent-Length: "+strconv.Itoa(size)+"\r\nEtag: \"x\"\r\n\r\n"), make([]byte, size)...)
		origin := rawOrigin(b, func(_ int, c net.Conn, r *bufio.Reader) {
			for skipHead(r) {
				_, _ = c.Write(answer)
			}
		})
		b.Run(strconv.Itoa(size>>10)+"KiB/gate", func(b *testing.B) {
			fetch(b, newGate(b, origin, &gate{out: Outbound{Consent: "necessary"}}), size)
		})
		b.Run(strconv.Itoa(size>>10)+"KiB/httputil", func(b *testing.B) {
			fetch(b, newReverseProxy(b, origin), size)
		})
	}
}

// BenchmarkOutgoing is what making the origin's request costs by itself.
func BenchmarkOutgoing(b *testing.B) {
	up, err := New(Config{URL: "http://127.0.0.1:1"})
	if err != nil {
		b.Fatal(err)
	}
	in := httptest.NewRequest(http.MethodGet, "/wp-content/themes/x/style.css?ver=6.1", nil)
	for name, value := range browserHeader {
		in.Header.Set(name, value)
	}
	o := Outbound{Consent: "necessary, statistics"}
	b.ReportAllocs()
	for b.Loop() {
		_ = up.Outgoing(in, o)
	}
}

var browserHeader = map[string]string{
	"Accept": "text/css,*/*;q=0.1", "Accept-Encoding": "gzip, deflate, br, zstd", "Accept-Language": "en-US,en;q=0.9",
	"Cache-Control": "no-cache", "Cookie": "wordpress_test_cookie=1; __Host-consent=abc", "DNT": "1",
	"Referer": "https://example.org/", "Sec-Fetch-Dest": "style", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Site": "same-origin",
	"Sec-GPC": "1", "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
}

func newReverseProxy(b *testing.B, origin string) (address string) {
	up, err := New(Config{URL: origin})
	if err != nil {
		b.Fatal(err)
	}
	to, err := url.Parse(origin)
	if err != nil {
		b.Fatal(err)
	}
	server := httptest.NewServer(&httputil.ReverseProxy{Transport: up.transport, Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.SetXForwarded()
	}})
	b.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func fetch(b *testing.B, address string, size int) {
	c, err := net.Dial("tcp", address)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	var request bytes.Buffer
	request.WriteString("GET /style.css?ver=6.1 HTTP/1.1\r\nHost: example.org\r\n")
	for name, value := range browserHeader {
		request.WriteString(name + ": " + value + "\r\n")
	}
	request.WriteString("\r\n")
	r := bufio.NewReaderSize(c, 64<<10)
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Write(request.Bytes()); err != nil {
			b.Fatal(err)
		}
		if !skipHead(r) {
			b.Fatal("no response")
		}
		if _, err := r.Discard(size); err != nil {
			b.Fatal(err)
		}
	}
}

// skipHead reads to the end of a head without allocating.
func skipHead(r *bufio.Reader) bool {
	for {
		line, err := r.ReadSlice('\n')
		if err != nil && err != io.EOF || len(line) == 0 {
			return false
		}
		if len(bytes.TrimSpace(line)) == 0 {
			return true
		}
	}
}
