package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// An attack is bytes that somebody sends to the program on a connection of its
// own, and what may come of it.
type attack struct {
	name, request string
	// status of the first response; refused: any of 4xx and 5xx that says that the
	// request was not passed on, or no response at all.
	status int
	// origin are the request lines that may reach the origin, HTTP version aside.
	origin []string
	// closes says that nothing else may be asked on this connection.
	closes bool
	// check looks at what the origin was told in the first request.
	check map[string]string
}

const (
	refused  = 0
	whatever = -1 // the body is broken: the origin may have answered before it came to that
)

// smuggled is a request of 35 bytes, 23 in hexadecimal.
const smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"

func attacks() []attack {
	post := func(fields, body string) string { return "POST /p HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n" + body }
	get := func(fields string) string { return "GET /g HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n" }
	return append([]attack{
		// One message or two?
		{name: "CL.TE", request: post("Content-Length: 40\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"+smuggled),
			status: 200, origin: []string{"POST /p"}, closes: true},
		{name: "TE.CL", request: post("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", "23\r\n"+smuggled+"\r\n0\r\n\r\n"),
			status: 200, origin: []string{"POST /p"}, closes: true},
		{name: "CL.0 of a GET", request: get("Content-Length: 35\r\n") + smuggled,
			status: 200, origin: []string{"GET /g"}},
		{name: "TE.TE, unknown coding", request: post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"+smuggled), closes: true},
		{name: "TE.TE, twice", request: post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "0\r\n\r\n"+smuggled), closes: true},
		{name: "TE.TE, list", request: post("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n"+smuggled), closes: true},
		{name: "TE.TE, space before the colon", request: post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n"+smuggled), closes: true},
		{name: "TE.TE, vertical tab", request: post("Transfer-Encoding: \x0bchunked\r\n", "0\r\n\r\n"+smuggled), closes: true},
		{name: "TE.TE, quoted", request: post("Transfer-Encoding: \"chunked\"\r\n", "0\r\n\r\n"+smuggled), closes: true},
		{name: "TE.TE, folded", request: post("Transfer-Encoding:\r\n chunked\r\n", "0\r\n\r\n"+smuggled),
			status: 200, origin: []string{"POST /p"}, closes: true},
		{name: "TE.TE, hidden behind a bare LF", request: post("X-A: b\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"+smuggled),
			status: 200, origin: []string{"POST /p"}, closes: true},
		{name: "TE.TE, hidden behind a bare CR", request: post("X-A: b\rTransfer-Encoding: chunked\r\n", "0\r\n\r\n"+smuggled), closes: true},
		{name: "TE in HTTP/1.0", request: "POST /p HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + smuggled,
			status: 200, origin: []string{"POST /p"}, closes: true},
		{name: "two lengths", request: post("Content-Length: 0\r\nContent-Length: 35\r\n", smuggled), closes: true},
		{name: "list of lengths", request: post("Content-Length: 0, 35\r\n", smuggled), closes: true},
		{name: "signed length", request: post("Content-Length: +0\r\n", smuggled), closes: true},
		{name: "hexadecimal length", request: post("Content-Length: 0x23\r\n", smuggled), closes: true},
		{name: "a length beyond all numbers", request: post("Content-Length: 99999999999999999999\r\n", smuggled), closes: true},
		{name: "bare LF after a chunk's size", request: post("Transfer-Encoding: chunked\r\n", "3\nabc\r\n0\r\n\r\n"+smuggled),
			status: whatever, origin: []string{"POST /p"}, closes: true},
		{name: "chunk extension", request: post("Transfer-Encoding: chunked\r\n", "3;a=\"b\"\r\nabc\r\n0;x\r\n\r\n"+smuggled),
			status: 200, origin: []string{"POST /p"}, closes: true},
		{name: "bare LF in a chunk extension", request: post("Transfer-Encoding: chunked\r\n", "3;a\nabc\r\n0\r\n\r\n"+smuggled),
			status: whatever, origin: []string{"POST /p"}, closes: true},
		{name: "endless chunk extension", request: post("Transfer-Encoding: chunked\r\n", "3;"+strings.Repeat("a", 20_000)+"\r\nabc\r\n0\r\n\r\n"+smuggled),
			status: whatever, origin: []string{"POST /p"}, closes: true},
		{name: "a chunk's size beyond all numbers", request: post("Transfer-Encoding: chunked\r\n", "fffffffffffffffff\r\nabc\r\n0\r\n\r\n"+smuggled),
			status: whatever, origin: []string{"POST /p"}, closes: true},
		{name: "trailers that frame, and that lie", request: post("Transfer-Encoding: chunked\r\nTrailer: X-Real-IP\r\n", "0\r\nContent-Length: 9\r\nX-Real-IP: 1.2.3.4\r\nCookie: a=b\r\n\r\n"+smuggled),
			status: 200, origin: []string{"POST /p"}, closes: true, check: map[string]string{"X-Real-Ip": "", "Cookie": ""}},
		{name: "Expect, and a body that follows at once", request: post("Expect: 100-continue\r\nContent-Length: 35\r\n", smuggled),
			status: 200, origin: []string{"POST /p"}},

		// Lines.
		{name: "bare LF everywhere", request: "GET /g HTTP/1.1\nHost: a\nX-A: b\n\n", status: 200, origin: []string{"GET /g"}},
		{name: "folded line", request: get("X-A: b\r\n Cookie: injected=1\r\n"), status: 200, origin: []string{"GET /g"}, check: map[string]string{"Cookie": ""}},
		{name: "folded first line", request: "GET /g HTTP/1.1\r\n Host: b\r\nHost: a\r\n\r\n", closes: true},
		{name: "no version", request: "GET /g\r\n\r\n", closes: true},
		{name: "HTTP/2.0 by name", request: "GET /g HTTP/2.0\r\nHost: a\r\n\r\n", closes: true},
		{name: "four words", request: "GET /g /h HTTP/1.1\r\nHost: a\r\n\r\n", closes: true},
		{name: "a tab for a space", request: "GET\t/g\tHTTP/1.1\r\nHost: a\r\n\r\n", closes: true},
		{name: "NUL in a header", request: get("X-A: b\x00c\r\n"), closes: true},
		{name: "a header without a name", request: get(": b\r\n"), closes: true},
		{name: "space before a colon", request: get("Cookie : a=b\r\n"), closes: true},
		{name: "oversize: one header of 100 KB", request: get("X-A: " + strings.Repeat("b", 100_000) + "\r\n"), status: 431, closes: true},
		{name: "oversize: 10,000 headers", request: get(strings.Repeat("X-A: 123456\r\n", 10_000)), status: 431, closes: true},
		{name: "oversize: a target of 100 KB", request: "GET /" + strings.Repeat("a", 100_000) + " HTTP/1.1\r\nHost: a\r\n\r\n", status: 431, closes: true},

		// Names of the next hop, and what strangers say of themselves.
		{name: "Connection names Cookie", request: get("Connection: close, Cookie\r\nCookie: wordpress_x=1\r\n"), status: 200, origin: []string{"GET /g"}, check: map[string]string{"Cookie": "wordpress_x=1"}},
		{name: "Connection names X-Forwarded-For", request: get("Connection: X-Forwarded-For, X-Forwarded-Proto, X-Forwarded-Host\r\n"), status: 200, origin: []string{"GET /g"},
			check: map[string]string{"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Proto": "http", "X-Forwarded-Host": "a", "Connection": ""}},
		{name: "Connection names Consent", request: get("Connection: Consent\r\nConsent: necessary, marketing\r\n"), status: 200, origin: []string{"GET /g"}, check: map[string]string{"Consent": "necessary"}},
		{name: "Connection names Content-Length", request: post("Connection: Content-Length\r\nContent-Length: 35\r\n", smuggled), status: 200, origin: []string{"POST /p"}, check: map[string]string{"Content-Length": "35"}},
		{name: "spoofed forwarded headers", request: get("X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: evil\r\nX-Real-IP: 1.2.3.4\r\nX-Original-URL: /admin\r\nForwarded: for=1.2.3.4\r\nCF-Connecting-IP: 1.2.3.4\r\n"),
			status: 200, origin: []string{"GET /g"}, check: map[string]string{"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Proto": "http", "X-Forwarded-Host": "a", "X-Real-Ip": "", "X-Original-Url": ""}},
		{name: "the same with underscores", request: get("X_Forwarded_For: 1.2.3.4\r\nX-Forwarded_Host: evil\r\nX_Real_IP: 1.2.3.4\r\nX_Original_URL: /admin\r\n"),
			status: 200, origin: []string{"GET /g"}, check: map[string]string{"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Host": "a", "X-Real-Ip": "", "X-Original-Url": ""}},
		{name: "httpoxy", request: get("Proxy: http://evil.example\r\n"), status: 200, origin: []string{"GET /g"}, check: map[string]string{"Proxy": ""}},
		{name: "TE of a visitor", request: get("TE: gzip, trailers\r\nConnection: TE\r\n"), status: 200, origin: []string{"GET /g"}, check: map[string]string{"Te": "trailers"}},

		// Tunnels.
		{name: "h2c upgrade", request: get("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n"),
			status: 200, origin: []string{"GET /g"}, check: map[string]string{"Upgrade": "", "Connection": ""}},
		{name: "h2c by prior knowledge", request: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00", closes: true},
		{name: "upgrade to something else", request: get("Connection: Upgrade\r\nUpgrade: foo, websocket\r\n"), status: 200, origin: []string{"GET /g"}, check: map[string]string{"Upgrade": ""}},
		{name: "WebSocket with a body", request: get("Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 35\r\n") + smuggled,
			status: 200, origin: []string{"GET /g"}, check: map[string]string{"Upgrade": ""}},
		{name: "CONNECT", request: "CONNECT internal:22 HTTP/1.1\r\nHost: internal:22\r\n\r\n", closes: true},
		{name: "TRACE", request: "TRACE /g HTTP/1.1\r\nHost: a\r\n\r\n", closes: true},
	}, targetAttacks()...)
}

func targetAttacks() []attack {
	list := []attack{
		{name: "absolute form wins over Host", request: "GET http://b/g HTTP/1.1\r\nHost: a\r\n\r\n", status: 200, origin: []string{"GET /g"}, check: map[string]string{"Host": "b", "X-Forwarded-Host": "b"}},
		{name: "absolute form with a user", request: "GET http://a@b/g HTTP/1.1\r\nHost: b\r\n\r\n", closes: true},
		{name: "absolute form of another scheme", request: "GET gopher://a/g HTTP/1.1\r\nHost: a\r\n\r\n", closes: true},
		{name: "two slashes", request: "GET //evil.example/g HTTP/1.1\r\nHost: a\r\n\r\n", status: 200, origin: []string{"GET //evil.example/g"}, check: map[string]string{"Host": "a"}},
		{name: "dots and escapes pass as they are", request: "GET /a/..%2f/./b;/%7e?x=%0d%0a HTTP/1.1\r\nHost: a\r\n\r\n", status: 200, origin: []string{"GET /a/..%2f/./b;/%7e?x=%0d%0a"}},
		{name: "OPTIONS * is for the gateway itself", request: "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", status: 200},
	}
	for name, line := range map[string]string{
		"no slash": "g", "space": "/a b", "NUL": "/a\x00", "CR": "/a\rb", "raw UTF-8": "/\xc3\xa4", "fragment": "/a#b", "tag": "/<script>", "bad escape": "/%zz", "backslash": "/\\evil",
	} {
		list = append(list, attack{name: "target with " + name, request: "GET " + line + " HTTP/1.1\r\nHost: a\r\n\r\n", closes: true})
	}
	for name, host := range map[string]string{
		"none": "", "empty": "Host: \r\n", "two": "Host: a\r\nHost: b\r\n", "list": "Host: a, b\r\n", "path": "Host: a/b\r\n", "user": "Host: a@b\r\n", "escape": "Host: a%00b\r\n",
		"odd port": "Host: a:80@b\r\n", "space": "Host: a b\r\n", "quote": "Host: a\"b\r\n", "tag": "Host: <script>\r\n",
	} {
		list = append(list, attack{name: "Host: " + name, request: "GET /g HTTP/1.1\r\n" + host + "\r\n", closes: true})
	}
	return list
}

// TestHostileHTTP1 sends every attack to the program in front of a Go origin and
// in front of nginx, and asks the origin what reached it. After each one, an
// honest visitor must get their own answer.
func TestHostileHTTP1(t *testing.T) {
	t.Parallel()
	for name, origin := range map[string]func(testing.TB) *witness{"go": goWitness, "nginx": nginxWitness} {
		t.Run(name, func(t *testing.T) {
			w := origin(t)
			p := runProgram(t, "sites: [{upstream: {url: "+w.url+"}}]\n")
			for i, a := range attacks() {
				t.Run(a.name, func(t *testing.T) { a.try(t, p, w, fmt.Sprintf("/honest-%d", i)) })
			}
		})
	}
}

func (a attack) try(t *testing.T, p *program, w *witness, honest string) {
	c, r := dialProgram(t, p.visitors)
	go func() { _, _ = io.WriteString(c, a.request) }() // some are refused before they are read
	status, body := readAnswer(r)
	if a.status > 0 && status != a.status || a.status == refused && status != 0 && (status < 400 || status == http.StatusBadGateway) {
		t.Errorf("status %d %q, want %d", status, body, a.status)
	}
	if a.closes && status != 0 {
		if next, said := readAnswer(r); next != 0 {
			t.Errorf("the connection went on: %d %q", next, said)
		}
	}
	_ = c.Close()
	if got := askHonestly(t, p, honest); got != honest {
		t.Errorf("an honest visitor got %q for %s", got, honest)
	}
	got := w.before(t, honest)
	if len(got) != len(a.origin) {
		t.Fatalf("the origin got %d requests, want %d:\n%s", len(got), len(a.origin), strings.Join(got, "\n"))
	}
	for i, line := range a.origin {
		if !strings.HasPrefix(got[i], line+" HTTP/1.1|") {
			t.Errorf("the origin got %q, want %q", got[i], line)
		}
	}
	for name, want := range a.check {
		if value := fact(got[0], name); value != want {
			t.Errorf("the origin was told %s: %q, want %q", name, value, want)
		}
	}
}

// readAnswer reads a response that is not informational; the status is 0 if there
// is none.
func readAnswer(r *bufio.Reader) (status int, body string) {
	for {
		res, err := http.ReadResponse(r, nil)
		if err != nil {
			return 0, ""
		}
		text, _ := io.ReadAll(res.Body)
		if res.StatusCode >= 200 {
			return res.StatusCode, string(text)
		}
	}
}

// askHonestly is an honest visitor's request.
func askHonestly(t *testing.T, p *program, target string) (body string) {
	t.Helper()
	c, r := dialProgram(t, p.visitors)
	_, _ = io.WriteString(c, "GET "+target+" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	_, body = readAnswer(r)
	return body
}

// TestGo80942ConnectionEndsAfterLengthAndCoding: net/http itself goes on reading
// requests from a connection on which one had both (Go 1.26.8), and whoever sits
// in front may have split them elsewhere.
func TestGo80942ConnectionEndsAfterLengthAndCoding(t *testing.T) {
	w := goWitness(t)
	p := runProgram(t, "sites: [{upstream: {url: "+w.url+"}}]\n")
	c, r := dialProgram(t, p.visitors)
	_, _ = io.WriteString(c, "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
	res, err := http.ReadResponse(r, nil)
	if err != nil || !res.Close {
		t.Fatalf("%+v, %v: the visitor is not told that the connection ends", res, err)
	}
	_, _ = io.Copy(io.Discard, res.Body)
	_, _ = io.WriteString(c, smuggled)
	if rest, err := io.ReadAll(r); err == nil && len(rest) > 0 {
		t.Errorf("it was answered: %q", rest)
	}
	if got := askHonestly(t, p, "/honest"); got != "/honest" {
		t.Errorf("an honest visitor got %q", got)
	}
	if got := w.before(t, "/honest"); len(got) != 1 {
		t.Errorf("the origin got %q", got)
	}
}
