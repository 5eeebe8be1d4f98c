package proxy_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/unicode"

	"github.com/numfocus/consentgate/proxy"
)

func TestWhatIsNotADocumentPassesByteForByte(t *testing.T) {
	for _, tt := range []struct{ name, contentType, body string }{
		{"feed", "application/rss+xml", `<?xml version="1.0"?><rss><script src="https://www.googletagmanager.com/gtag/js"/></rss>`},
		{"JSON", "application/json", `{"html":"<html><script src=https://www.googletagmanager.com/gtag/js></script>"}`},
		{"plain text", "text/plain; charset=utf-8", tracked},
		{"script", "text/javascript", `document.write('<script src="https://www.googletagmanager.com/gtag/js"></script>')`},
		{"picture", "image/svg+xml", `<svg xmlns="http://www.w3.org/2000/svg"><script href="https://www.googletagmanager.com/gtag/js"/></svg>`},
		{"download", "application/octet-stream", tracked},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := newOrigin(t)
			o.handle = answer(200, tt.body, "Content-Type", tt.contentType, "Etag", `"v1"`, "Last-Modified", "Tue, 24 Nov 2026 00:00:00 GMT",
				"Cache-Control", "public, max-age=60", "Content-Digest", "sha-256=:x:")
			res, got := o.gateway(t).fetch(t, "/thing", http.Header{"Accept": {"*/*"}})
			if got != tt.body {
				t.Errorf("got %q", got)
			}
			for name, want := range map[string]string{
				"Content-Type": tt.contentType, "Etag": `"v1"`, "Last-Modified": "Tue, 24 Nov 2026 00:00:00 GMT",
				"Cache-Control": "public, max-age=60", "Content-Digest": "sha-256=:x:", "Vary": "", "Tk": "N",
			} {
				if got := res.Header.Get(name); got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
		})
	}
}

func TestRangesAndConditionsOfAssetsReachTheOrigin(t *testing.T) {
	o := newOrigin(t)
	data := bytes.Repeat([]byte("0123456789"), 100)
	o.handle = func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Etag", `"v1"`)
		w.Header().Set("Content-Type", "video/mp4")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	}
	g := o.gateway(t)
	res, got := g.fetch(t, "/film.mp4", http.Header{"Accept": {"*/*"}, "Range": {"bytes=5-9"}})
	if res.StatusCode != http.StatusPartialContent || got != "56789" || res.Header.Get("Content-Range") != "bytes 5-9/1000" {
		t.Errorf("%s %q %q", res.Status, got, res.Header.Get("Content-Range"))
	}
	res, _ = g.fetch(t, "/film.mp4", http.Header{"Accept": {"*/*"}, "If-None-Match": {`"v1"`}})
	if res.StatusCode != http.StatusNotModified || res.Header.Get("Tk") != "N" {
		t.Errorf("%s, Tk %q", res.Status, res.Header.Get("Tk"))
	}
}

func TestFragmentsGetNothingInserted(t *testing.T) {
	const clean = `<div class="comment"><p>Nice.</p></div>`
	const dirty = `<p>Nice.</p><script src="https://www.googletagmanager.com/gtag/js"></script>`
	for _, tt := range []struct {
		name, give, want string
		header           http.Header
	}{
		{"without html", clean, clean, nil},
		{"asked for by a script", "<html><body>" + clean, "<html><body>" + clean, http.Header{"Sec-Fetch-Dest": {"empty"}}},
		{"asked for by an old script", "<html><body>" + clean, "<html><body>" + clean, http.Header{"X-Requested-With": {"XMLHttpRequest"}}},
		{"with a tracker", dirty, "<p>Nice.</p>", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := newOrigin(t)
			o.page = []byte(tt.give)
			if _, got := o.gateway(t).fetch(t, "/comments", tt.header); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func compressed(t *testing.T, coding string, text []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	var w io.WriteCloser
	switch coding {
	case "gzip":
		w = gzip.NewWriter(&b)
	case "br":
		w = brotli.NewWriter(&b)
	case "deflate":
		w = zlib.NewWriter(&b)
	case "zstd":
		z, err := zstd.NewWriter(&b)
		if err != nil {
			t.Fatal(err)
		}
		w = z
	}
	if _, err := w.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestOriginsCodings(t *testing.T) {
	for _, coding := range []string{"gzip", "br", "deflate", "zstd"} {
		o := newOrigin(t)
		o.handle = answer(200, string(compressed(t, coding, []byte(tracked))), "Content-Type", "text/html", "Content-Encoding", coding)
		res, page := o.gateway(t).fetch(t, "/", nil)
		if hasTracker(page) || !strings.Contains(page, "<p>Hello.</p>") || res.Header.Get("Content-Encoding") != "" {
			t.Errorf("%s: Content-Encoding %q:\n%.200q", coding, res.Header.Get("Content-Encoding"), page)
		}
	}
}

func TestVisitorsCodings(t *testing.T) {
	g := trackedOrigin(t).gateway(t)
	for accept, want := range map[string]string{"gzip": "gzip", "br, gzip": "br", "zstd": "zstd", "gzip;q=0": "", "identity": ""} {
		for range 2 { // made, and remembered
			res, page := g.fetch(t, "/", http.Header{"Accept-Encoding": {accept}})
			if got := res.Header.Get("Content-Encoding"); got != want {
				t.Errorf("%s: Content-Encoding %q, want %q", accept, got, want)
			}
			if plain := decode(t, want, page); hasTracker(plain) || !strings.Contains(plain, `id="cg-banner"`) {
				t.Errorf("%s: %.200q", accept, plain)
			}
			if !strings.Contains(res.Header.Get("Vary"), "Accept-Encoding") {
				t.Errorf("%s: Vary %q", accept, res.Header.Get("Vary"))
			}
		}
	}
}

func decode(t *testing.T, coding, body string) string {
	t.Helper()
	var r io.Reader = strings.NewReader(body)
	switch coding {
	case "gzip":
		z, err := gzip.NewReader(r)
		if err != nil {
			t.Fatal(err)
		}
		r = z
	case "br":
		r = brotli.NewReader(r)
	case "zstd":
		z, err := zstd.NewReader(r)
		if err != nil {
			t.Fatal(err)
		}
		defer z.Close()
		r = z
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(plain)
}

func TestCharsets(t *testing.T) {
	const head = `<!doctype html><html><head>%s<script src="https://www.googletagmanager.com/gtag/js"></script></head><body><p>`
	for _, tt := range []struct {
		name, contentType, meta, text string
		charset                       encoding.Encoding
	}{
		{"UTF-8", "text/html; charset=utf-8", "", "Привет, 世界", unicode.UTF8},
		{"UTF-16 by its BOM", "text/html", "", "Привет, 世界", unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)},
		{"UTF-16 by the header", "text/html; charset=utf-16be", "", "Привет, 世界", unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)},
		{"windows-1251 by meta", "text/html", `<meta charset="windows-1251">`, "Привет", charmap.Windows1251},
		{"Shift_JIS by meta", "text/html", `<meta http-equiv="Content-Type" content="text/html; charset=shift_jis">`, "表示", japanese.ShiftJIS},
		{"ISO-2022-JP by the header", "text/html; charset=iso-2022-jp", "", "世界", japanese.ISO2022JP},
	} {
		t.Run(tt.name, func(t *testing.T) {
			page, err := tt.charset.NewEncoder().String(fmt.Sprintf(head, tt.meta) + tt.text + "</p></body></html>")
			if err != nil {
				t.Fatal(err)
			}
			o := newOrigin(t)
			o.handle = answer(200, page, "Content-Type", tt.contentType)
			_, sent := o.gateway(t).fetch(t, "/", nil)
			got, err := tt.charset.NewDecoder().String(sent)
			if err != nil {
				t.Fatal(err)
			}
			if hasTracker(got) || !strings.Contains(got, `id="cg-banner"`) || !strings.Contains(got, "<p>"+tt.text+"</p>") {
				t.Errorf("the page is not clean, not asked, or not whole:\n%q", got)
			}
		})
	}
}

// TestXHTMLIsReadAsWeReadIt: a browser reads application/xhtml+xml by other
// rules, under which a script element may end where it begins.
func TestXHTMLIsReadAsWeReadIt(t *testing.T) {
	o := newOrigin(t)
	o.handle = answer(200, `<html xmlns="http://www.w3.org/1999/xhtml"><head><script src="/a.js"/><script src="https://www.googletagmanager.com/gtag/js"/></head><body/></html>`,
		"Content-Type", "application/xhtml+xml; charset=utf-8")
	res, _ := o.gateway(t).fetch(t, "/", nil)
	if got := res.Header.Get("Content-Type"); got != "text/html; charset=utf-8" {
		t.Errorf("Content-Type %q", got)
	}
}

func TestWhatCannotBeUnderstoodIsFenced(t *testing.T) {
	for _, tt := range []struct {
		name   string
		header []string
		strict bool
	}{
		{"a coding nobody knows", []string{"Content-Type", "text/html", "Content-Encoding", "x-secret"}, true},
		{"a charset nobody knows", []string{"Content-Type", "text/html; charset=x-klingon"}, true},
		{"no-transform", []string{"Content-Type", "text/html", "Cache-Control", "max-age=60, no-transform"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := newOrigin(t)
			o.handle = answer(200, tracked, tt.header...)
			res, got := o.gateway(t).fetch(t, "/", nil)
			if got != tracked {
				t.Errorf("the body was changed: %q", got)
			}
			policy := strings.Join(res.Header["Content-Security-Policy"], ", ")
			if policy == "" || strings.Contains(policy, "script-src 'none'") != tt.strict {
				t.Errorf("Content-Security-Policy %q, strict = %t", policy, tt.strict)
			}
		})
	}
}

func TestOddContentTypesThatABrowserShowsAsHTML(t *testing.T) {
	for _, types := range [][]string{nil, {"unknown/unknown"}, {"*/*"}, {"text/plain, text/html"}, {"text/plain", "text/html"}, {"application/xhtml+xml"}, {"TEXT/HTML"}} {
		o := newOrigin(t)
		o.handle = func(w http.ResponseWriter, r *http.Request) {
			w.Header()["Content-Type"] = types
			io.WriteString(w, tracked)
		}
		res, page := o.gateway(t).fetch(t, "/", nil)
		if hasTracker(page) {
			t.Errorf("%q: the tracker is there", types)
		}
		if got := res.Header["Content-Type"]; len(types) == 0 && len(got) > 0 {
			t.Errorf("none: %q was invented", got)
		}
	}
}

func TestHeadHasTheHeaderOfGet(t *testing.T) {
	g := trackedOrigin(t).gateway(t)
	get, _ := g.fetch(t, "/", nil)
	head := g.do(t, g.request(t, http.MethodHead, "/", nil))
	for name := range get.Header {
		switch name {
		case "Date", "Content-Length", "Etag": // known only with the body
			continue
		}
		if a, b := get.Header[name], head.Header[name]; strings.Join(a, "\n") != strings.Join(b, "\n") {
			t.Errorf("%s: GET %q, HEAD %q", name, a, b)
		}
	}
	if head.ContentLength > 0 {
		t.Errorf("HEAD has the origin's length %d", head.ContentLength)
	}
}

func TestVisitorsCopyIsNotSentAgain(t *testing.T) {
	o := trackedOrigin(t)
	g := o.gateway(t)
	g.fetch(t, "/", nil) // the gateway learns what the site uses, and tells of that from then on
	g.later(2 * time.Second)
	g.fetch(t, "/", nil)
	res, _ := g.fetch(t, "/", nil)
	tag := res.Header.Get("Etag")
	if !strings.HasPrefix(tag, `W/"`) {
		t.Fatalf("Etag %q", tag)
	}
	again, _ := g.fetch(t, "/", http.Header{"If-None-Match": {`"x", ` + tag}})
	if again.StatusCode != http.StatusNotModified || again.Header.Get("Etag") != tag || again.Header.Get("Tk") != "N" {
		t.Errorf("%s, Etag %q, Tk %q", again.Status, again.Header.Get("Etag"), again.Header.Get("Tk"))
	}
	if o.asked.Header.Get("If-None-Match") != "" {
		t.Error("our tag was sent to the origin")
	}
	refused, _ := g.fetch(t, "/", http.Header{"If-None-Match": {tag}, "Dnt": {"1"}})
	if refused.StatusCode != http.StatusOK {
		t.Errorf("another decision's page was taken for this one: %s", refused.Status)
	}
	o.page = append(o.page, ' ')
	if changed, _ := g.fetch(t, "/", http.Header{"If-None-Match": {tag}}); changed.StatusCode != http.StatusOK {
		t.Errorf("a changed page was not sent: %s", changed.Status)
	}
}

// TestWhatHasArrivedIsSentOn stalls the origin in the middle of a page.
func TestWhatHasArrivedIsSentOn(t *testing.T) {
	// What comes when: zstd holds its compressor, so streams do without it.
	for accepted, coding := range map[string]string{"": "", "gzip": "gzip", "br": "br", "zstd": "", "zstd, gzip": "gzip"} {
		t.Run("accepts "+accepted, func(t *testing.T) {
			o := newOrigin(t)
			more := make(chan struct{})
			o.handle = func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "text/html; charset=utf-8")
				io.WriteString(w, `<!doctype html><html><head><title>t</title></head><body><p>First.</p>`)
				w.(http.Flusher).Flush()
				<-more
				io.WriteString(w, `<script src="https://www.googletagmanager.com/gtag/js"></script><p>Second.</p></body></html>`)
			}
			g := o.gateway(t)
			res := g.do(t, g.request(t, http.MethodGet, "/", http.Header{"Accept-Encoding": {accepted}}))
			if got := res.Header.Get("Content-Encoding"); got != coding {
				t.Fatalf("it comes as %q, want %q", got, coding)
			}
			r := reader(t, coding, res.Body)
			got := readUntil(t, r, "First.")
			close(more)
			rest, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			if page := got + string(rest); hasTracker(page) || !strings.Contains(page, "Second.") {
				t.Errorf("got %q", page)
			}
		})
	}
}

func reader(t *testing.T, coding string, r io.Reader) io.Reader {
	t.Helper()
	switch coding {
	case "gzip":
		z, err := gzip.NewReader(r)
		if err != nil {
			t.Fatal(err)
		}
		return z
	case "br":
		return brotli.NewReader(r)
	case "zstd":
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(z.Close)
		return z
	}
	return r
}

func readUntil(t *testing.T, r io.Reader, text string) string {
	t.Helper()
	var got strings.Builder
	p := make([]byte, 512)
	for !strings.Contains(got.String(), text) {
		n, err := r.Read(p)
		got.Write(p[:n])
		if err != nil {
			t.Fatalf("no %q before %v: %q", text, err, got.String())
		}
	}
	return got.String()
}

func TestTruncationStaysVisible(t *testing.T) {
	for _, page := range []string{tracked[:100], strings.Repeat("<p>x</p>", 100_000)} {
		o := newOrigin(t)
		o.handle = func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.Header().Set("Content-Length", fmt.Sprint(len(page)+1000))
			io.WriteString(w, page)
		}
		g := o.gateway(t)
		res, err := g.client.Do(g.request(t, http.MethodGet, "/", nil))
		if err == nil {
			_, err = io.ReadAll(res.Body)
			res.Body.Close()
		}
		if err == nil {
			t.Errorf("%d bytes of more looked whole", len(page))
		}
	}
}

func TestVisitorWhoLeavesEndsTheRequestToTheOrigin(t *testing.T) {
	o := newOrigin(t)
	ended := make(chan struct{})
	o.handle = func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		io.WriteString(w, "<!doctype html><html>")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		close(ended)
	}
	g := o.gateway(t)
	ctx, cancel := context.WithCancel(context.Background())
	r := g.request(t, http.MethodGet, "/", nil).WithContext(ctx)
	res := g.do(t, r)
	readUntil(t, res.Body, "<!doctype")
	cancel()
	<-ended
}

func TestEarlyHintsAreFiltered(t *testing.T) {
	o := newOrigin(t)
	o.handle = func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Link"] = []string{
			"<https://www.googletagmanager.com/gtag/js>; rel=preload; as=script", "</style.css>; rel=preload; as=style",
		}
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, tracked)
	}
	g := o.gateway(t)
	var hints []string
	trace := &httptrace.ClientTrace{Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
		hints = append(hints, h["Link"]...)
		return nil
	}}
	r := g.request(t, http.MethodGet, "/", nil)
	res := g.do(t, r.WithContext(httptrace.WithClientTrace(r.Context(), trace)))
	want := "</style.css>; rel=preload; as=style"
	if got := strings.Join(hints, ", "); got != want {
		t.Errorf("hinted were %q, want %q", got, want)
	}
	if got := strings.Join(res.Header["Link"], ", "); got != want {
		t.Errorf("linked were %q, want %q", got, want)
	}
}

func TestServerSentEventsArriveAtOnce(t *testing.T) {
	o := newOrigin(t)
	more := make(chan struct{})
	o.handle = func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		io.WriteString(w, "data: one\n\n")
		w.(http.Flusher).Flush()
		<-more
	}
	g := o.gateway(t)
	res := g.do(t, g.request(t, http.MethodGet, "/events", http.Header{"Accept": {"text/event-stream"}}))
	readUntil(t, res.Body, "data: one\n\n")
	close(more)
}

func TestWebSocketsGoThrough(t *testing.T) {
	o := newOrigin(t)
	o.handle = func(w http.ResponseWriter, r *http.Request) {
		c, b, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer c.Close()
		io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSet-Cookie: _ga=1\r\n\r\n")
		io.Copy(c, io.LimitReader(b, 5))
	}
	g := o.gateway(t)
	c, err := net.Dial("tcp", strings.TrimPrefix(g.server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, "GET /ws HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: eA==\r\nSec-WebSocket-Version: 13\r\n\r\n")
	r := bufio.NewReader(c)
	res, err := http.ReadResponse(r, nil)
	if err != nil || res.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("%v, error %v", res, err)
	}
	if got := res.Header["Set-Cookie"]; len(got) > 0 {
		t.Errorf("a withheld cookie came with the switch: %q", got)
	}
	io.WriteString(c, "hello")
	echo := make([]byte, 5)
	if _, err := io.ReadFull(r, echo); err != nil || string(echo) != "hello" {
		t.Errorf("%q, error %v", echo, err)
	}
}

func TestPanicDoesNotReachTheVisitor(t *testing.T) {
	o := newOrigin(t)
	o.handle = func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	g := o.gateway(t)
	res, err := g.client.Do(g.request(t, http.MethodGet, "/", nil))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusBadGateway {
		t.Errorf("%s", res.Status)
	}
}

// TestQueryAndPathArriveUntouched guards against net/http's own ideas of order
// and escaping.
func TestQueryAndPathArriveUntouched(t *testing.T) {
	o := newOrigin(t)
	var target string
	o.handle = func(w http.ResponseWriter, r *http.Request) { target = r.RequestURI }
	g := o.gateway(t)
	for _, want := range []string{"/?a=1;b=2&c=%zz", "/?", "/a%2Fb//c?x=1&x=2", "/%E2%82%AC?q=%E2%82%AC+a"} {
		c, err := net.Dial("tcp", strings.TrimPrefix(g.server.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n", want)
		if _, err := io.Copy(io.Discard, c); err != nil && !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
		c.Close()
		if target != want {
			t.Errorf("asked for %s, the origin was asked for %s", want, target)
		}
	}
}

func TestCrossOriginChoiceIsRefused(t *testing.T) {
	g := trackedOrigin(t).gateway(t, func(c *proxy.Config) {})
	r, err := http.NewRequest(http.MethodPost, g.server.URL+"/_consent/choice", strings.NewReader("choice=accept&revision=1"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", "https://evil.example")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	if res := g.do(t, r); res.StatusCode != http.StatusForbidden || len(res.Header["Set-Cookie"]) > 0 {
		t.Errorf("%s, cookies %q", res.Status, res.Header["Set-Cookie"])
	}
}
