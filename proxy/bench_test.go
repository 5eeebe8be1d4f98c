package proxy_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/rs/zerolog"

	"github.com/numfocus/consentgate/consent/ledger/ledgertest"
	"github.com/numfocus/consentgate/consent/token"
	"github.com/numfocus/consentgate/proxy"
	"github.com/numfocus/consentgate/proxy/upstream"
)

// A cheapOrigin answers with as little work as can be, so that a benchmark
// measures the gateway: /same with one page, /new with another one each time,
// everything else with an asset of 10 KB.
type cheapOrigin struct {
	page  []byte
	asset []byte
	count *atomic.Int64 // of new pages
}

func newCheapOrigin(b *testing.B) string {
	o := cheapOrigin{page: benchPage(), asset: bytes.Repeat([]byte("var a=1;\n"), 1137), count: new(atomic.Int64)}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go o.serve(c)
		}
	}()
	return "http://" + l.Addr().String()
}

// benchPage has the proportions of a WordPress home page: 110 KB, some forty
// third-party elements.
func benchPage() []byte {
	var page bytes.Buffer
	page.WriteString(`<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Tides</title>` +
		`<script async src="https://www.googletagmanager.com/gtag/js?id=G-1"></script><script>gtag('config','G-1');</script><!--serial 0000000000-->`)
	for i := range 30 {
		fmt.Fprintf(&page, "<link rel='stylesheet' id='p-%d' href='/wp-content/plugins/p%d/style.css?ver=6' media='all' />\n", i, i)
	}
	page.WriteString("</head><body class=\"home\">\n")
	for i := range 160 {
		fmt.Fprintf(&page, `<article id="post-%d" class="post type-post hentry"><h2><a href="/%d/" rel="bookmark">The %dth tide</a></h2><p>%x %x</p>`+
			`<img loading="lazy" width="1024" src="/wp-content/uploads/%d.jpg" srcset="/u/%d-1.jpg 1024w, /u/%d-2.jpg 300w"></article>`+"\n",
			i, i, i, i*i*7919, strings.Repeat(fmt.Sprint(i*31), 60), i, i, i)
		if i%8 == 0 {
			fmt.Fprintf(&page, `<iframe src="https://www.youtube.com/embed/%d" width="560" height="315"></iframe>`, i)
		}
	}
	page.WriteString("</body></html>")
	return page.Bytes()
}

func (o cheapOrigin) serve(c net.Conn) {
	defer c.Close()
	r := bufio.NewReaderSize(c, 16<<10)
	page := bytes.Clone(o.page)
	serial := page[bytes.Index(page, []byte("serial ")):]
	head := func(kind string, n int) []byte {
		return fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nDate: Tue, 24 Nov 2026 15:00:00 GMT\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n", kind, n)
	}
	html, script := head("text/html; charset=UTF-8", len(page)), head("text/javascript", len(o.asset))
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return
		}
		same, fresh := bytes.HasPrefix(line, []byte("GET /same")), bytes.HasPrefix(line, []byte("GET /new"))
		for len(line) > 2 {
			if line, err = r.ReadSlice('\n'); err != nil {
				return
			}
		}
		answer := net.Buffers{script, o.asset}
		switch {
		case same:
			answer = net.Buffers{html, o.page}
		case fresh:
			copy(serial[7:], fmt.Sprintf("%010d", o.count.Add(1)))
			answer = net.Buffers{html, page}
		}
		if _, err := answer.WriteTo(c); err != nil {
			return
		}
	}
}

// A sink is a ResponseWriter that keeps nothing.
type sink struct {
	header http.Header
	status int
	bytes  int
}

func (s *sink) Header() http.Header { return s.header }
func (s *sink) WriteHeader(n int)   { s.status = n }
func (s *sink) FlushError() error   { return nil }
func (s *sink) Write(p []byte) (int, error) {
	s.bytes += len(p)
	return len(p), nil
}

func benchGateway(b *testing.B, sites ...proxy.SiteConfig) *proxy.Gateway {
	b.Helper()
	tokens, err := token.New([]token.Key{token.NewKey()})
	if err != nil {
		b.Fatal(err)
	}
	g, err := proxy.New(proxy.Config{Sites: sites},
		proxy.Parts{Ledger: ledgertest.New(), Tokens: tokens, Log: zerolog.New(io.Discard).Level(zerolog.WarnLevel)})
	if err != nil {
		b.Fatal(err)
	}
	return g
}

// BenchmarkNew is what a reload costs, by the number of sites.
func BenchmarkNew(b *testing.B) {
	for _, n := range []int{1, 10, 1000} {
		b.Run(fmt.Sprintf("sites=%d", n), func(b *testing.B) {
			sites := make([]proxy.SiteConfig, n)
			for i := range sites {
				sites[i] = proxy.SiteConfig{Hosts: []string{fmt.Sprintf("site%d.example", i)}, Upstream: upstream.Config{URL: "http://127.0.0.1:1"}}
			}
			b.ReportAllocs()
			for b.Loop() {
				benchGateway(b, sites...)
			}
		})
	}
}

// BenchmarkGateway is the path of one request, without the visitor's
// connection.
func BenchmarkGateway(b *testing.B) {
	g := benchGateway(b, proxy.SiteConfig{Upstream: upstream.Config{URL: newCheapOrigin(b)}})
	defer g.Close(context.Background())
	for _, c := range []struct{ name, path, accept string }{
		{"asset", "/asset.js", "gzip, br"},
		{"seen/br", "/same", "gzip, br"},
		{"seen/identity", "/same", ""},
		{"new/br", "/new", "gzip, br"},
		{"new/gzip", "/new", "gzip"},
		{"new/identity", "/new", ""},
	} {
		b.Run(c.name, func(b *testing.B) {
			r, err := http.NewRequest("GET", "http://example.org"+c.path, nil)
			if err != nil {
				b.Fatal(err)
			}
			r.RemoteAddr, r.RequestURI = "192.0.2.1:1234", c.path
			r.Header = http.Header{
				"Accept": {"text/html,application/xhtml+xml,*/*;q=0.8"}, "Accept-Language": {"en-US,en;q=0.5"},
				"User-Agent": {"Mozilla/5.0"}, "Sec-Fetch-Dest": {"document"}, "Cookie": {"session=1; theme=dark"},
			}
			if c.path == "/asset.js" {
				r.Header["Sec-Fetch-Dest"] = []string{"script"}
			}
			if c.accept != "" {
				r.Header["Accept-Encoding"] = []string{c.accept}
			}
			b.ReportAllocs()
			for b.Loop() {
				w := sink{header: http.Header{}}
				g.ServeHTTP(&w, r)
				if w.status != http.StatusOK || w.bytes == 0 {
					b.Fatalf("status %d, %d bytes", w.status, w.bytes)
				}
			}
		})
	}
}
