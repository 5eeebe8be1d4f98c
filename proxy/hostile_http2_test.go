package proxy_test

import (
	"bytes"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// overHTTP2 serves a gateway as browsers reach it.
func (g *gate) overHTTP2(t *testing.T) (address string) {
	t.Helper()
	server := httptest.NewUnstartedServer(g.server.Config.Handler)
	server.EnableHTTP2 = true
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// A rawHTTP2 is a visitor who writes frames.
type rawHTTP2 struct {
	net.Conn
	*http2.Framer
	block   bytes.Buffer
	encoder *hpack.Encoder
}

func dialHTTP2(t *testing.T, address string) *rawHTTP2 {
	t.Helper()
	c, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	v := &rawHTTP2{Conn: c, Framer: http2.NewFramer(c, c)}
	v.encoder = hpack.NewEncoder(&v.block)
	v.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	v.AllowIllegalWrites = true
	if _, err := io.WriteString(c, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	if err := v.WriteSettings(); err != nil {
		t.Fatal(err)
	}
	return v
}

func (v *rawHTTP2) fields(fields ...string) []byte {
	v.block.Reset()
	for i := 0; i < len(fields); i += 2 {
		_ = v.encoder.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	return v.block.Bytes()
}

// outcome is the status of the first response, or how it was refused.
func (v *rawHTTP2) outcome() string {
	for {
		f, err := v.ReadFrame()
		if err != nil {
			return "closed"
		}
		switch f := f.(type) {
		case *http2.MetaHeadersFrame:
			return f.PseudoValue("status")
		case *http2.RSTStreamFrame:
			return "reset"
		case *http2.GoAwayFrame:
			return "go away"
		}
	}
}

// TestHostileHTTP2: what no request line of HTTP/1.1 could say does not become
// one at the origin.
func TestHostileHTTP2(t *testing.T) {
	var reached atomic.Int32
	o := newOrigin(t)
	o.handle = func(http.ResponseWriter, *http.Request) { reached.Add(1) }
	address := o.gateway(t).overHTTP2(t)
	ordinary := []string{":method", "GET", ":scheme", "https", ":authority", "a", ":path", "/"}
	for name, tt := range map[string]struct {
		fields []string
		passes bool
	}{
		"ordinary":                 {ordinary, true},
		"space in :path":           {[]string{":method", "GET", ":scheme", "https", ":authority", "a", ":path", "/x HTTP/1.1"}, false},
		"CRLF in :path":            {[]string{":method", "GET", ":scheme", "https", ":authority", "a", ":path", "/ HTTP/1.1\r\nHost: a\r\n\r\nGET /smuggled"}, false},
		"raw byte in :path":        {[]string{":method", "GET", ":scheme", "https", ":authority", "a", ":path", "/\xe4"}, false},
		"absolute :path":           {[]string{":method", "GET", ":scheme", "https", ":authority", "a", ":path", "http://b/"}, false},
		"no slash in :path":        {[]string{":method", "GET", ":scheme", "https", ":authority", "a", ":path", "x"}, false},
		"Transfer-Encoding":        {append(ordinary[:8:8], "transfer-encoding", "chunked"), false},
		"Connection":               {append(ordinary[:8:8], "connection", "cookie"), false},
		"Upgrade":                  {append(ordinary[:8:8], "upgrade", "h2c"), false},
		"CRLF in a value":          {append(ordinary[:8:8], "x-a", "b\r\ncookie: c=d"), false},
		"another Host":             {append(ordinary[:8:8], "host", "b"), false},
		"user in :authority":       {[]string{":method", "GET", ":scheme", "https", ":authority", "a@b", ":path", "/"}, false},
		"extended CONNECT":         {[]string{":method", "CONNECT", ":protocol", "websocket", ":scheme", "https", ":authority", "a", ":path", "/"}, false},
		"CONNECT":                  {[]string{":method", "CONNECT", ":authority", "internal:22"}, false},
		"pseudo-header after them": {append(ordinary[:6:6], "x-a", "b", ":path", "/"), false},
	} {
		t.Run(name, func(t *testing.T) {
			before := reached.Load()
			v := dialHTTP2(t, address)
			_ = v.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: v.fields(tt.fields...), EndHeaders: true, EndStream: true})
			how := v.outcome()
			if (how == "200") != tt.passes || (reached.Load() > before) != tt.passes {
				t.Errorf("%s, and the origin got %d requests", how, reached.Load()-before)
			}
		})
	}
}

// TestHostileHTTP2Floods: streams opened to be reset at once, and a header
// without end, cost the origin and other visitors nothing.
func TestHostileHTTP2Floods(t *testing.T) {
	var most, now atomic.Int32
	o := newOrigin(t)
	o.handle = func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/other" {
			return
		}
		most.Store(max(most.Load(), now.Add(1)))
		defer now.Add(-1)
		<-r.Context().Done()
	}
	g := o.gateway(t)
	address := g.overHTTP2(t)
	t.Run("rapid reset", func(t *testing.T) {
		v := dialHTTP2(t, address)
		go func() { _, _ = io.Copy(io.Discard, v.Conn) }()
		for id := uint32(1); id < 4000; id += 2 {
			if v.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: v.fields(":method", "GET", ":scheme", "https", ":authority", "a", ":path", "/slow"), EndHeaders: true, EndStream: true}) != nil ||
				v.WriteRSTStream(id, http2.ErrCodeCancel) != nil {
				break // cut off: as good
			}
		}
		if n := most.Load(); n > 300 {
			t.Errorf("the origin had %d requests at once of one visitor", n)
		}
	})
	t.Run("header without end", func(t *testing.T) {
		v := dialHTTP2(t, address)
		_ = v.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: v.fields(":method", "GET", ":scheme", "https", ":authority", "a", ":path", "/slow"), EndStream: true})
		piece := v.fields("x-a", strings.Repeat("b", 8000))
		sent := 0
		for sent < 64<<20 && v.WriteContinuation(1, false, piece) == nil {
			sent += len(piece)
		}
		if sent >= 64<<20 {
			t.Errorf("%d MB of one header were taken", sent>>20)
		}
	})
	if res := g.do(t, g.request(t, http.MethodGet, "/other", nil)); res.StatusCode != http.StatusOK {
		t.Errorf("another visitor got %d", res.StatusCode)
	}
	for deadline := time.Now().Add(10 * time.Second); now.Load() > 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d requests of visitors who left are still at the origin", now.Load())
		}
	}
}

// TestConsentVariantsAreNotShared: whatever the origin says of its page, no cache
// may give what one visitor got to another.
func TestConsentVariantsAreNotShared(t *testing.T) {
	o := newOrigin(t)
	o.handle = func(w http.ResponseWriter, _ *http.Request) {
		for name, value := range map[string]string{
			"Content-Type": "text/html", "Cache-Control": "public, max-age=600, s-maxage=600", "Cdn-Cache-Control": "max-age=600",
			"Surrogate-Control": "max-age=600", "Expires": "Thu, 01 Jan 2099 00:00:00 GMT", "Etag": `"x"`, "Last-Modified": "Thu, 01 Jan 2015 00:00:00 GMT", "Vary": "Accept-Encoding",
		} {
			w.Header().Set(name, value)
		}
		_, _ = io.WriteString(w, "<!doctype html><title>x</title><p>x</p>")
	}
	h := o.gateway(t)
	res := h.do(t, h.request(t, http.MethodGet, "/", nil))
	if got := res.Header.Get("Cache-Control"); !strings.Contains(got, "private") || strings.Contains(got, "public") || strings.Contains(got, "max-age=6") {
		t.Errorf("Cache-Control: %s", got)
	}
	for _, name := range []string{"Cdn-Cache-Control", "Surrogate-Control", "Expires", "Last-Modified"} {
		if got := res.Header.Get(name); got != "" {
			t.Errorf("%s: %s", name, got)
		}
	}
	for _, name := range []string{"Cookie", "DNT", "Sec-GPC"} {
		if !strings.Contains(res.Header.Get("Vary"), name) {
			t.Errorf("Vary: %s", res.Header.Get("Vary"))
		}
	}
	if res.Header.Get("Etag") == `"x"` {
		t.Error("the page has the validator of the origin's")
	}
}
