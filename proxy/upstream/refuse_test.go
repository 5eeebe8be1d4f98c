package upstream

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// TestAmbiguousRequestsAreRefused sends what smugglers send. Some of it net/http
// refuses, some Refuse; nobody who reads this needs to know which.
func TestAmbiguousRequestsAreRefused(t *testing.T) {
	origin, heads := recorder(t)
	gate := newGate(t, origin, &gate{})
	const rest = " HTTP/1.1\r\nHost: a\r\n\r\n"
	for _, tt := range []struct{ name, request string }{
		{"CONNECT", "CONNECT b.example:443 HTTP/1.1\r\nHost: b.example:443\r\n\r\n"},
		{"CONNECT of a path", "CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n"},
		{"TRACE", "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n"},
		{"space in target", "GET /a b" + rest},
		{"NUL in target", "GET /a\x00b" + rest},
		{"tab in target", "GET /a\tb" + rest},
		{"DEL in target", "GET /a\x7fb" + rest},
		{"raw UTF-8 in path", "GET /\xc3\xa4" + rest},
		{"raw UTF-8 in query", "GET /?\xc3\xa4" + rest},
		{"overlong slash", "GET /\xc0\xaf" + rest},
		{"quote in path", "GET /\"" + rest},
		{"angle bracket in path", "GET /<script>" + rest},
		{"angle bracket in query", "GET /?<script>" + rest},
		{"backslash in path", "GET /\\..\\x" + rest},
		{"fragment", "GET /a#b" + rest},
		{"bad escape in path", "GET /%zz" + rest},
		{"asterisk", "GET *" + rest},
		{"no slash", "GET a.example/x" + rest},
		{"user name in target", "GET http://a@b.example/ HTTP/1.1\r\nHost: b.example\r\n\r\n"},
		{"foreign scheme", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n"},
		{"file scheme", "GET file:///etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n"},
		{"no Host", "GET / HTTP/1.1\r\n\r\n"},
		{"empty Host", "GET / HTTP/1.1\r\nHost: \r\n\r\n"},
		{"two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"},
		{"two equal Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"},
		{"Host list", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"},
		{"Host with path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"},
		{"Host with user", "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n"},
		{"Host with escape", "GET / HTTP/1.1\r\nHost: a%00b\r\n\r\n"},
		{"Host with bad port", "GET / HTTP/1.1\r\nHost: a:80x\r\n\r\n"},
		{"Host with zone", "GET / HTTP/1.1\r\nHost: [fe80::1%25lo]\r\n\r\n"},
		{"space before colon", "GET / HTTP/1.1\r\nHost: a\r\nX-A : b\r\n\r\n"},
		{"space before colon of TE", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n"},
		{"folded first line", "GET / HTTP/1.1\r\n Host: b\r\nHost: a\r\n\r\n"},
		{"NUL in header", "GET / HTTP/1.1\r\nHost: a\r\nX-A: b\x00c\r\n\r\n"},
		{"bare CR in header", "GET / HTTP/1.1\r\nHost: a\r\nX-A: b\rX-B: c\r\n\r\n"},
		{"header without colon", "GET / HTTP/1.1\r\nHost: a\r\nX-A\r\n\r\n"},
		{"empty header name", "GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n"},
		{"two lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"},
		{"length list", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 2\r\n\r\nab"},
		{"signed length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\na"},
		{"negative length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\na"},
		{"hexadecimal length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1\r\n\r\na"},
		{"empty length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \r\n\r\n"},
		{"two transfer codings", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"},
		{"chunked twice", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
		{"identity transfer coding", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\nContent-Length: 1\r\n\r\na"},
		{"vertical tab in TE", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n"},
		{"trailer that frames", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: Content-Length\r\n\r\n0\r\n\r\n"},
		{"HTTP/2.0 by name", "GET / HTTP/2.0\r\nHost: a\r\n\r\n"},
		{"HTTP/1.10", "GET / HTTP/1.10\r\nHost: a\r\n\r\n"},
		{"no version", "GET /\r\nHost: a\r\n\r\n"},
		{"unknown expectation", "POST / HTTP/1.1\r\nHost: a\r\nExpect: payment\r\nContent-Length: 0\r\n\r\n"},
		{"goes in circles", "GET / HTTP/1.1\r\nHost: a\r\nVia: " + strings.Repeat("1.1 consentgate, ", 6) + "1.1 x\r\n\r\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, r := dial(t, gate)
			_, _ = io.WriteString(c, tt.request)
			res, err := http.ReadResponse(r, nil)
			if err == nil && (res.StatusCode < 400 || res.StatusCode == http.StatusBadGateway) {
				t.Errorf("status %d", res.StatusCode)
			}
			select {
			case head := <-heads:
				t.Errorf("the origin got %q", head)
			default:
			}
		})
	}
}

func TestOrdinaryRequestsAreNotRefused(t *testing.T) {
	for _, request := range []string{
		"GET / HTTP/1.1\r\nHost: a.example:8080\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: [2001:db8::1]:8080\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: xn--bcher-kva.example.\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: under_score.example\r\n\r\n",
		"GET / HTTP/1.0\r\n\r\n",
		"PROPFIND /dav HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET HTTP://A.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n",
	} {
		sent(t, &gate{}, request)
	}
}

// TestLengthAndTransferEncodingCannotDisagree: net/http drops the length, which
// RFC 9112 section 6.1 allows; the origin must not see both either.
func TestLengthAndTransferEncodingCannotDisagree(t *testing.T) {
	head := sent(t, &gate{}, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n1\r\na\r\n0\r\n\r\n")
	if _, ok := field(head, "Content-Length"); ok {
		t.Errorf("the origin got %q", head)
	}
	if te, _ := field(head, "Transfer-Encoding"); te != "chunked" {
		t.Errorf("Transfer-Encoding: %q", te)
	}
}

// TestPseudoHeadersCannotSmuggle speaks HTTP/2 by hand: no client library would
// send these.
func TestPseudoHeadersCannotSmuggle(t *testing.T) {
	origin, heads := recorder(t)
	up, err := New(Config{URL: origin})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(&gate{up: up})
	server.EnableHTTP2 = true
	server.Config.ErrorLog = quiet()
	server.StartTLS()
	t.Cleanup(server.Close)
	t.Cleanup(up.Close)
	address := server.Listener.Addr().String()

	fine := []string{":method", "GET", ":scheme", "https", ":authority", "a", ":path", "/?a=1;b=%zz"}
	if status := http2Status(t, address, fine); status != "200" {
		t.Fatalf("an ordinary request got %s", status)
	}
	if head := <-heads; !strings.HasPrefix(head, "GET /?a=1;b=%zz HTTP/1.1\r\nHost: a\r\n") {
		t.Errorf("the origin got %q", head)
	}
	// A length without content is forgiven by net/http; it must end there.
	http2Status(t, address, append(fine, "content-length", "5"))
	if length, ok := field(wait(t, "the request", heads), "Content-Length"); ok {
		t.Errorf("the origin waits for %s bytes that never come", length)
	}
	for name, fields := range map[string][]string{
		"space in path":       {":method", "GET", ":scheme", "https", ":authority", "a", ":path", "/x HTTP/1.1"},
		"CRLF in path":        {":method", "GET", ":scheme", "https", ":authority", "a", ":path", "/\r\nX: y"},
		"tab in query":        {":method", "GET", ":scheme", "https", ":authority", "a", ":path", "/?a\tb"},
		"high byte in path":   {":method", "GET", ":scheme", "https", ":authority", "a", ":path", "/\xe4"},
		"absolute path":       {":method", "GET", ":scheme", "https", ":authority", "a", ":path", "http://b/"},
		"asterisk":            {":method", "GET", ":scheme", "https", ":authority", "a", ":path", "*"},
		"no slash":            {":method", "GET", ":scheme", "https", ":authority", "a", ":path", "x"},
		"method with a space": {":method", "GET /x", ":scheme", "https", ":authority", "a", ":path", "/"},
		"CONNECT":             {":method", "CONNECT", ":authority", "b.example:443"},
		"authority with path": {":method", "GET", ":scheme", "https", ":authority", "a/b", ":path", "/"},
		"authority with user": {":method", "GET", ":scheme", "https", ":authority", "a@b", ":path", "/"},
		"authority and Host":  {":method", "GET", ":scheme", "https", ":authority", "a", ":path", "/", "host", "b"},
		"neither":             {":method", "GET", ":scheme", "https", ":path", "/"},
		"transfer-encoding":   {":method", "GET", ":scheme", "https", ":authority", "a", ":path", "/", "transfer-encoding", "chunked"},
		"connection":          {":method", "GET", ":scheme", "https", ":authority", "a", ":path", "/", "connection", "cookie"},
		"CRLF in value":       {":method", "GET", ":scheme", "https", ":authority", "a", ":path", "/", "x-a", "b\r\nX: y"},
		"upper-case name":     {":method", "GET", ":scheme", "https", ":authority", "a", ":path", "/", "X-A", "b"},
		"colon in name":       {":method", "GET", ":scheme", "https", ":authority", "a", ":path", "/", "x-a:b", "c"},
	} {
		t.Run(name, func(t *testing.T) {
			if status := http2Status(t, address, fields); status == "200" {
				t.Errorf("status %s", status)
			}
			select {
			case head := <-heads:
				t.Errorf("the origin got %q", head)
			default:
			}
		})
	}
}

// http2Status sends one request with the given fields, and returns the status of
// the response or what else became of it.
func http2Status(t *testing.T, address string, fields []string) string {
	t.Helper()
	c, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	framer := startHTTP2(t, c)
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for i := 0; i < len(fields); i += 2 {
		_ = encoder.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	_ = framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block.Bytes(), EndHeaders: true, EndStream: true})
	for {
		f, err := framer.ReadFrame()
		if err != nil {
			return "closed: " + err.Error()
		}
		switch f := f.(type) {
		case *http2.MetaHeadersFrame:
			return f.PseudoValue("status")
		case *http2.RSTStreamFrame:
			return "reset: " + f.ErrCode.String()
		case *http2.GoAwayFrame:
			return "go away: " + f.ErrCode.String()
		}
	}
}

func startHTTP2(t *testing.T, c net.Conn) *http2.Framer {
	t.Helper()
	if _, err := io.WriteString(c, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	framer := http2.NewFramer(c, c)
	framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	framer.AllowIllegalWrites = true
	if err := framer.WriteSettings(); err != nil {
		t.Fatal(err)
	}
	return framer
}

func FuzzValidHost(f *testing.F) {
	for _, s := range []string{"a", "a:80", "[::1]:80", "a,b", "a@b", "[::1%25lo]", "a:b:c", ":80", "a.", "%41"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if validHost(s) && strings.ContainsAny(s, " \t\r\n,/@%?#\\\"<>\x00") {
			t.Errorf("%q is no host", s)
		}
	})
}
