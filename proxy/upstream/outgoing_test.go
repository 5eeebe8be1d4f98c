package upstream

import (
	"bufio"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// sent sends a raw request through a gate and returns what the origin got.
func sent(t *testing.T, g *gate, request string) string {
	t.Helper()
	origin, heads := recorder(t)
	res, body := send(t, newGate(t, origin, g), request)
	if res.StatusCode != http.StatusOK {
		t.Fatalf("status %d %s", res.StatusCode, body)
	}
	return wait(t, "the request at the origin", heads)
}

func TestTargetArrivesUntouched(t *testing.T) {
	for _, target := range []string{
		"/",
		"/?",
		"/??",
		"/?a=1;b=2&c=%zz",
		"/?z=1&a=2&z=3&&=&a",
		"/?q=%E2%82%AC+%20'{}|\\^`[]",
		"/?" + strings.Repeat("a=b&", 4000),
		"/a%2Fb",
		"/a%2fb/%7Euser/~user/%41",
		"/a%2Fb|c^d[e]",
		"//twice//slashed",
		"//example.org/%2F..%2F",
		"/./../a/../b/.",
		"/a;p=1,2:3@4!$&'()*+=",
		"/wp-json/wp/v2/posts/?filter[tag]=x&_fields=id,title",
		"/index.php/path%3Fquestion?x=/?y",
	} {
		name := target[:min(len(target), 40)]
		t.Run(name, func(t *testing.T) {
			head := sent(t, &gate{}, "GET "+target+" HTTP/1.1\r\nHost: a.example\r\n\r\n")
			if line, _, _ := strings.Cut(head, "\r\n"); line != "GET "+target+" HTTP/1.1" {
				t.Errorf("origin got %.200q", line)
			}
		})
	}
}

func TestAbsoluteTargetAndHostCannotDisagree(t *testing.T) {
	head := sent(t, &gate{}, "GET http://a.example/x?y HTTP/1.1\r\nHost: b.example\r\n\r\n")
	if !strings.HasPrefix(head, "GET /x?y HTTP/1.1\r\nHost: a.example\r\n") {
		t.Errorf("origin got %q", head)
	}
	if got, _ := field(head, "X-Forwarded-Host"); got != "a.example" {
		t.Errorf("X-Forwarded-Host: %q", got)
	}
}

// headerCase says what becomes of one header line of a visitor's request.
type headerCase struct {
	name, line string // sent as it is, "\r\n" between lines
	field      string // looked for at the origin
	want       string // "" = absent
}

func checkHeaders(t *testing.T, g Outbound, cases []headerCase) {
	t.Helper()
	for _, tt := range cases {
		t.Run(tt.name, func(t *testing.T) {
			head := sent(t, &gate{out: g}, "GET / HTTP/1.1\r\nHost: a.example\r\n"+tt.line+"\r\n\r\n")
			got, ok := field(head, tt.field)
			if got != tt.want || ok != (tt.want != "") {
				t.Errorf("origin got %s: %q (present: %v), want %q\n%s", tt.field, got, ok, tt.want, head)
			}
		})
	}
}

func TestHopByHopHeadersEndHere(t *testing.T) {
	checkHeaders(t, Outbound{}, []headerCase{
		{"Keep-Alive", "Keep-Alive: timeout=5", "Keep-Alive", ""},
		{"Proxy-Connection", "Proxy-Connection: close", "Proxy-Connection", ""},
		{"Proxy-Authorization", "Proxy-Authorization: Basic eDp5", "Proxy-Authorization", ""},
		{"TE other than trailers", "TE: gzip", "TE", ""},
		{"TE trailers", "TE: gzip, trailers", "TE", "trailers"},
		{"named by Connection", "Connection: close, X-Secret\r\nX-Secret: 1", "X-Secret", ""},
		{"named in a second line", "Connection: keep-alive\r\nConnection: x-secret\r\nX-Secret: 1", "X-Secret", ""},
		{"h2c settings", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__", "HTTP2-Settings", ""},
		{"h2c", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__", "Upgrade", ""},
		{"h2c beside websocket", "Connection: Upgrade\r\nUpgrade: websocket, h2c", "Upgrade", ""},
		{"websocket without Connection", "Upgrade: websocket", "Upgrade", ""},
		{"websocket", "Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket", "Upgrade", "websocket"},
	})
}

func TestConnectionCannotRemoveEndToEndHeaders(t *testing.T) {
	g := Outbound{Consent: "necessary"}
	checkHeaders(t, g, []headerCase{
		{"Cookie", "Connection: Cookie\r\nCookie: a=b", "Cookie", "a=b"},
		{"DNT", "Connection: DNT\r\nDNT: 1", "DNT", "1"},
		{"Sec-GPC", "Connection: sec-gpc\r\nSec-GPC: 1", "Sec-GPC", "1"},
		{"Authorization", "Connection: authorization\r\nAuthorization: Basic eDp5", "Authorization", "Basic eDp5"},
		{"X-Forwarded-For", "Connection: X-Forwarded-For", "X-Forwarded-For", "127.0.0.1"},
		{"X-Forwarded-Proto", "Connection: X-Forwarded-Proto", "X-Forwarded-Proto", "http"},
		{"X-Forwarded-Host", "Connection: X-Forwarded-Host", "X-Forwarded-Host", "a.example"},
		{"Consent", "Connection: Consent", "Consent", "necessary"},
		{"Host", "Connection: Host", "Host", "a.example"},
	})
}

func TestForwardedHeadersOfStrangersAreReplaced(t *testing.T) {
	checkHeaders(t, Outbound{}, []headerCase{
		{"X-Forwarded-For", "X-Forwarded-For: 1.2.3.4", "X-Forwarded-For", "127.0.0.1"},
		{"X-Forwarded-For twice", "X-Forwarded-For: 1.2.3.4\r\nx-forwarded-for: 5.6.7.8", "X-Forwarded-For", "127.0.0.1"},
		{"X-Forwarded-Host", "X-Forwarded-Host: evil.example", "X-Forwarded-Host", "a.example"},
		{"X-Forwarded-Proto", "X-Forwarded-Proto: https", "X-Forwarded-Proto", "http"},
		{"X-Forwarded-Port", "X-Forwarded-Port: 1", "X-Forwarded-Port", ""},
		{"X-Forwarded-Prefix", "X-Forwarded-Prefix: /evil", "X-Forwarded-Prefix", ""},
		{"X-Forwarded-Server", "X-Forwarded-Server: evil", "X-Forwarded-Server", ""},
		{"Forwarded", "Forwarded: for=1.2.3.4", "Forwarded", ""},
		{"X-Real-IP", "X-Real-IP: 1.2.3.4", "X-Real-IP", ""},
		{"X-Original-URL", "X-Original-URL: /admin", "X-Original-URL", ""},
		{"X-Rewrite-URL", "X-Rewrite-URL: /admin", "X-Rewrite-URL", ""},
		{"CF-Connecting-IP", "CF-Connecting-IP: 1.2.3.4", "CF-Connecting-IP", ""},
		{"True-Client-IP", "True-Client-IP: 1.2.3.4", "True-Client-IP", ""},
		{"X-Client-IP", "X-Client-IP: 1.2.3.4", "X-Client-IP", ""},
	})
}

func TestForwardedHeadersOfTrustedProxiesAreKept(t *testing.T) {
	trusted, err := NewTrusted([]string{"127.0.0.0/8"})
	if err != nil {
		t.Fatal(err)
	}
	checkHeaders(t, Outbound{Trusted: trusted}, []headerCase{
		{"X-Forwarded-For", "X-Forwarded-For: 1.2.3.4", "X-Forwarded-For", "1.2.3.4, 127.0.0.1"},
		{"X-Forwarded-For twice", "X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-For: 5.6.7.8", "X-Forwarded-For", "5.6.7.8, 127.0.0.1"},
		{"X-Forwarded-For of three", "X-Forwarded-For: 1.2.3.4, 5.6.7.8\r\nX-Forwarded-For: 127.9.9.9", "X-Forwarded-For", "5.6.7.8, 127.9.9.9, 127.0.0.1"},
		{"X-Forwarded-Host", "X-Forwarded-Host: b.example", "X-Forwarded-Host", "b.example"},
		{"X-Forwarded-Proto", "X-Forwarded-Proto: https", "X-Forwarded-Proto", "https"},
		{"X-Forwarded-Proto of nonsense", "X-Forwarded-Proto: gopher", "X-Forwarded-Proto", "http"},
		{"X-Forwarded-Port", "X-Forwarded-Port: 443", "X-Forwarded-Port", "443"},
		{"CF-Connecting-IP", "CF-Connecting-IP: 1.2.3.4", "CF-Connecting-IP", ""},
		{"underscores are nobody's", "X_Forwarded_For: 1.2.3.4", "X_Forwarded_For", ""},
		{"not removed by Connection", "Connection: X-Real-IP\r\nX-Real-IP: 1.2.3.4", "X-Real-IP", "1.2.3.4"},
	})
}

func TestForgeableHeadersNeverArrive(t *testing.T) {
	checkHeaders(t, Outbound{}, []headerCase{
		{"underscore", "X_Forwarded_For: 1.2.3.4", "X_Forwarded_For", ""},
		{"one underscore", "X-Forwarded_For: 1.2.3.4", "X-Forwarded_For", ""},
		{"a cookie with underscores in its name is no header", "Cookie: wp_x=1", "Cookie", "wp_x=1"},
		{"Proxy", "Proxy: http://evil.example", "Proxy", ""},
		{"Consent", "Consent: necessary, marketing", "Consent", ""},
	})
	checkHeaders(t, Outbound{Consent: "necessary, statistics"}, []headerCase{
		{"Consent replaced", "Consent: necessary, marketing", "Consent", "necessary, statistics"},
	})
}

func TestSignalsAndOddHeadersArriveUnchanged(t *testing.T) {
	checkHeaders(t, Outbound{}, []headerCase{
		{"DNT", "DNT: 1abc", "DNT", "1abc"},
		{"Sec-GPC", "Sec-GPC: 1", "Sec-GPC", "1"},
		{"cookies in several lines", "Cookie: a=\"b c\"\r\nCookie: =x; $Version=1", "Cookie", "a=\"b c\"; =x; $Version=1"},
		{"no User-Agent is invented", "X-A: b", "User-Agent", ""},
		{"User-Agent", "User-Agent: me/1", "User-Agent", "me/1"},
		{"no Accept-Encoding is invented", "X-A: b", "Accept-Encoding", ""},
		{"Accept-Encoding", "Accept-Encoding: zstd;q=0.5, br", "Accept-Encoding", "zstd;q=0.5, br"},
		{"folded line", "X-A: b\r\n c", "X-A", "b c"},
		{"conditions of an asset", "If-None-Match: \"x\"", "If-None-Match", "\"x\""},
		{"range of an asset", "Range: bytes=0-1", "Range", "bytes=0-1"},
	})
}

func TestPageIsAskedForWhole(t *testing.T) {
	checkHeaders(t, Outbound{Page: true, AcceptEncoding: "identity"}, []headerCase{
		{"If-None-Match", "If-None-Match: \"x\"", "If-None-Match", ""},
		{"If-Modified-Since", "If-Modified-Since: Sat, 01 Jan 2000 00:00:00 GMT", "If-Modified-Since", ""},
		{"If-Match", "If-Match: *", "If-Match", ""},
		{"If-Range", "If-Range: \"x\"", "If-Range", ""},
		{"Range", "Range: bytes=0-1", "Range", ""},
		{"Accept-Encoding", "Accept-Encoding: br", "Accept-Encoding", "identity"},
	})
}

func TestConditionOfAnUploadIsKept(t *testing.T) {
	head := sent(t, &gate{out: Outbound{Page: true}}, "PUT / HTTP/1.1\r\nHost: a\r\nIf-Match: \"x\"\r\nContent-Length: 0\r\n\r\n")
	if got, _ := field(head, "If-Match"); got != `"x"` {
		t.Errorf("If-Match: %q", got)
	}
}

func TestVia(t *testing.T) {
	off := false
	for _, tt := range []struct {
		name, line, want string
		via              *bool
	}{
		{"on by default", "", "1.1 consentgate", nil},
		{"added to what is there", "Via: 1.0 a, 2 b\r\n", "1.0 a, 2 b, 1.1 consentgate", nil},
		{"off", "", "", &off},
		{"off says nothing and removes nothing", "Via: 1.0 a\r\n", "1.0 a", &off},
	} {
		t.Run(tt.name, func(t *testing.T) {
			origin, heads := recorder(t)
			gate := newGateWith(t, Config{URL: origin, Via: tt.via}, &gate{})
			send(t, gate, "GET / HTTP/1.1\r\nHost: a\r\n"+tt.line+"\r\n")
			if got, _ := field(wait(t, "request", heads), "Via"); got != tt.want {
				t.Errorf("Via: %q, want %q", got, tt.want)
			}
		})
	}
}

func TestHostForTheOrigin(t *testing.T) {
	for _, tt := range []struct{ config, want string }{
		{"", "visited.example"},
		{"pass", "visited.example"},
		{"visitor", "visited.example"},
		{"upstream", "ORIGIN"},
		{"site.wpengine.example", "site.wpengine.example"},
	} {
		t.Run(tt.config, func(t *testing.T) {
			origin, heads := recorder(t)
			gate := newGateWith(t, Config{URL: origin, Host: tt.config}, &gate{})
			send(t, gate, "GET / HTTP/1.1\r\nHost: visited.example\r\n\r\n")
			head := wait(t, "request", heads)
			want := strings.Replace(tt.want, "ORIGIN", strings.TrimPrefix(origin, "http://"), 1)
			if got, _ := field(head, "Host"); got != want {
				t.Errorf("Host: %q, want %q", got, want)
			}
			if got, _ := field(head, "X-Forwarded-Host"); got != "visited.example" {
				t.Errorf("X-Forwarded-Host: %q", got)
			}
		})
	}
}

func TestOutgoingLeavesTheVisitorsRequestAlone(t *testing.T) {
	up, err := New(Config{URL: "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	in := httptest.NewRequest(http.MethodGet, "/x?y", nil)
	in.Header["Via"] = append(make([]string, 0, 8), "1.0 a")
	in.Header["Cookie"] = []string{"a=b", "c=d"}
	out := up.Outgoing(in, Outbound{Consent: "necessary"})
	out.Header.Set("Cookie", "e=f")
	out.Header.Add("Via", "1.1 other")
	if got := in.Header["Cookie"]; len(got) != 2 || got[0] != "a=b" || in.Header["Via"][0] != "1.0 a" || len(in.Header) != 2 {
		t.Errorf("in.Header = %v", in.Header)
	}
	if in.RequestURI != "/x?y" || in.Host != "example.com" {
		t.Errorf("in = %q %q", in.RequestURI, in.Host)
	}
}

func TestRequestTrailersArriveUnlessForged(t *testing.T) {
	got := make(chan http.Header, 1)
	origin := newOrigin(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		got <- r.Trailer
	})
	send(t, newGate(t, origin, &gate{}), "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"+
		"Trailer: X-Sum, Cookie, X-Forwarded-For, X_Y\r\n\r\n3\r\nabc\r\n0\r\n"+
		"X-Sum: 1\r\nCookie: a=b\r\nX-Forwarded-For: 1.2.3.4\r\nX_Y: z\r\n\r\n")
	trailer := wait(t, "trailers", got)
	if len(trailer) != 1 || trailer.Get("X-Sum") != "1" {
		t.Errorf("origin got trailers %v, want X-Sum alone", trailer)
	}
}

// FuzzOutgoing: whatever a stranger sends, the origin hears about the visitor
// from the gateway alone, and what browsers say of themselves gets through.
func FuzzOutgoing(f *testing.F) {
	f.Add("Connection: Cookie, X-Forwarded-For, te\r\nCookie: a=b\r\nTE: trailers\r\n")
	f.Add("Connection: dnt\r\nconnection: UPGRADE\r\nUpgrade: h2c\r\nDNT: 1\r\nX_Forwarded_For: 1.2.3.4\r\n")
	f.Add("Forwarded: for=x\r\nX-Real-IP: y\r\nProxy: z\r\nConsent: marketing\r\nx-forwarded-proto: https\r\n")
	up, err := New(Config{URL: "http://127.0.0.1:1"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, lines string) {
		in, err := http.ReadRequest(bufio.NewReader(strings.NewReader("GET / HTTP/1.1\r\nHost: a\r\n" + lines + "\r\n")))
		if err != nil {
			return
		}
		in.RemoteAddr = "203.0.113.9:1"
		out := up.Outgoing(in, Outbound{Consent: "necessary"}).Header
		for name, want := range map[string]string{
			"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Host": in.Host, "X-Forwarded-Proto": "http", "Consent": "necessary",
			"Cookie": strings.Join(in.Header["Cookie"], "; "), "Dnt": in.Header.Get("Dnt"), "Sec-Gpc": in.Header.Get("Sec-Gpc"),
		} {
			if got := out.Get(name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		for name, values := range out {
			hop := name == "Keep-Alive" || name == "Proxy-Connection" || name == "Proxy" || name == "Forwarded" || name == "X-Real-Ip"
			if hop || strings.Contains(name, "_") || name == "Upgrade" && values[0] != "websocket" {
				t.Errorf("%s: %q arrived", name, values)
			}
		}
	})
}
