package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"text/tabwriter"
	"time"
)

// giantsVariable makes TestGiants use the full sizes: CONSENTGATE_GIANTS=full.
const giantsVariable = "CONSENTGATE_GIANTS"

// A giant is an exchange that is too large to be held, and should not be.
type giant struct {
	name string
	// full and bounded are the sizes with and without giantsVariable.
	full, bounded int64
	// send writes size bytes as the origin; nil: the visitor sends them.
	send func(w http.ResponseWriter, size int64)
	// slow is who sends or reads a byte every tenth of a second, for two seconds.
	slow slowness
	// many are as many of the same at once; 0: one.
	many int
}

type slowness string

const (
	slowReader slowness = "reader"
	slowOrigin slowness = "origin"
	slowSender slowness = "sender"
	idle       slowness = "idle"
)

func giants() []giant {
	const filler = "<p>The quick brown fox jumps over the lazy dog.</p>\n"
	return []giant{
		{name: "bomb: gzip of", full: 10 << 30, bounded: 256 << 20, send: sendBomb},
		{name: "page of", full: 2 << 30, bounded: 128 << 20, send: func(w http.ResponseWriter, size int64) {
			sendRepeated(w, "<!doctype html><title>x</title>", filler, size)
		}},
		{name: "inline script of", full: 50 << 20, bounded: 50 << 20, send: func(w http.ResponseWriter, size int64) {
			sendRepeated(w, "<!doctype html><title>x</title><script>", "var a = 'gtag'; // x\n", size)
			_, _ = io.WriteString(w, "</script><p>after</p>")
		}},
		{name: "tag that never closes, of", full: 1 << 30, bounded: 64 << 20, send: func(w http.ResponseWriter, size int64) {
			sendRepeated(w, `<!doctype html><title>x</title><iframe class="`, "never closes ", size)
		}},
		{name: "100,000 attributes,", full: 3 << 20, bounded: 3 << 20, send: sendAttributes},
		{name: "comment that never closes, of", full: 1 << 30, bounded: 64 << 20, send: func(w http.ResponseWriter, size int64) {
			sendRepeated(w, `<!doctype html><title>x</title><!-- `, "never closes ", size)
		}},
		{name: "download of", full: 2 << 30, bounded: 128 << 20, send: func(w http.ResponseWriter, size int64) {
			w.Header().Set("Content-Type", "application/octet-stream")
			sendRepeated(w, "", filler, size)
		}},
		{name: "upload of", full: 1 << 30, bounded: 128 << 20},
		{name: "slow visitor of a page of", full: 64 << 20, bounded: 64 << 20, slow: slowReader, send: func(w http.ResponseWriter, size int64) {
			sendRepeated(w, "<!doctype html><title>x</title>", filler, size)
		}},
		{name: "slow origin,", slow: slowOrigin, send: func(w http.ResponseWriter, _ int64) { _, _ = io.Copy(flushed{w}, new(drip)) }},
		{name: "slow upload,", slow: slowSender},
		{name: "twenty pages at once, each of", full: 64 << 20, bounded: 8 << 20, many: 20, send: func(w http.ResponseWriter, size int64) {
			sendRepeated(w, "<!doctype html><title>x</title>", filler, size)
		}},
		{name: "a thousand idle connections,", slow: idle, many: 1000},
	}
}

// sendBomb sends what one member of gzip becomes, again and again: 64 MiB of
// page in 64 KiB each time.
func sendBomb(w http.ResponseWriter, size int64) {
	const once = 64 << 20
	var member bytes.Buffer
	z := gzip.NewWriter(&member)
	sendRepeated(z, "", strings.Repeat(" ", 1<<20), once)
	_ = z.Close()
	w.Header().Set("Content-Encoding", "gzip")
	w.Header().Set("Content-Type", "text/html")
	for ; size > 0; size -= once {
		if _, err := w.Write(member.Bytes()); err != nil {
			return
		}
	}
}

func sendAttributes(w http.ResponseWriter, _ int64) {
	b := bufio.NewWriter(w)
	_, _ = io.WriteString(b, "<!doctype html><title>x</title><iframe")
	for i := range 100_000 {
		_, _ = fmt.Fprintf(b, ` data-attribute-%d="%d"`, i, i)
	}
	_, _ = io.WriteString(b, ` src="https://www.youtube.com/embed/x"></iframe><p>after</p>`)
	_ = b.Flush()
}

func sendRepeated(w io.Writer, start, filler string, size int64) {
	block := []byte(strings.Repeat(filler, max(1, (64<<10)/len(filler))))
	if _, err := io.WriteString(w, start); err != nil {
		return
	}
	for ; size > 0; size -= int64(len(block)) {
		if _, err := w.Write(block); err != nil {
			return
		}
	}
}

// mostGrowth is how much more memory the program may take for a giant, and for
// many at once.
func (g giant) mostGrowth() int64 {
	if g.many > 0 {
		return 64 << 20
	}
	return 32 << 20
}

// TestGiants sends each giant through the program and prints what the program
// took for it, and how long another visitor had to wait meanwhile.
func TestGiants(t *testing.T) {
	cases := giants()
	origin := newGiantOrigin(t, cases)
	p := runBinary(t, buildProgram(t), "sites: [{upstream: {url: "+origin.url+"}}]\n")
	meet := func(path string) { _, _ = io.Copy(io.Discard, openPage(t, p, path)) }
	for range 20 { // what is made once is no giant's
		meet("/other")
	}
	var table strings.Builder
	out := tabwriter.NewWriter(&table, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(out, "giant\tsize\tto the visitor\ttook\tmemory before\tgrowth\tothers waited at most\t")
	for i, g := range cases {
		size := g.bounded
		if os.Getenv(giantsVariable) == "full" {
			size = g.full
		}
		origin.size.Store(size)
		before := residentMemory(t, p)
		watch := watchMemory(t, p)
		other := keepAsking(t, p)
		start := time.Now()
		received := g.meetAll(t, p, i, size, origin)
		took := time.Since(start)
		slowest, peak := other(), watch()
		growth := max(0, peak-before)
		fmt.Fprintf(out, "%s\t%d MB\t%d KB\t%v\t%d MB\t%d MB\t%v\t\n", g.name, size>>20, received>>10, took.Round(10*time.Millisecond), before>>20, growth>>20, slowest.Round(time.Millisecond))
		if most := g.mostGrowth(); growth > most {
			t.Errorf("%s %d MB: the program grew by %d MB, want %d at most", g.name, size>>20, growth>>20, most>>20)
		}
	}
	_ = out.Flush()
	t.Logf("\n%s", table.String())
}

// A giantOrigin sends giants, and a small page for everybody else.
type giantOrigin struct {
	url      string
	size     atomic.Int64
	uploaded atomic.Int64
}

func newGiantOrigin(t *testing.T, cases []giant) *giantOrigin {
	o := new(giantOrigin)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		n, err := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/giant/"))
		switch {
		case err != nil:
			_, _ = io.WriteString(w, "<!doctype html><title>other</title><p>other</p>")
		case cases[n].send == nil:
			uploaded, _ := io.Copy(io.Discard, r.Body)
			o.uploaded.Store(uploaded)
		default:
			cases[n].send(w, o.size.Load())
		}
	}))
	t.Cleanup(server.Close)
	o.url = server.URL
	return o
}

// meetAll lets as many through as there are.
func (g giant) meetAll(t *testing.T, p *program, n int, size int64, o *giantOrigin) (received int64) {
	t.Helper()
	if g.slow == idle {
		stayIdle(t, p, g.many)
		return 0
	}
	var crowd sync.WaitGroup
	var all atomic.Int64
	for range max(1, g.many) {
		crowd.Go(func() { all.Add(g.meet(t, p, n, size, o)) })
	}
	crowd.Wait()
	return all.Load()
}

// stayIdle asks for something on each of n connections and keeps them open for a
// second.
func stayIdle(t *testing.T, p *program, n int) {
	t.Helper()
	for range n {
		c, err := net.Dial("tcp", p.visitors)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		_ = c.SetDeadline(time.Now().Add(30 * time.Second))
		_, _ = io.WriteString(c, "GET /other HTTP/1.1\r\nHost: a\r\n\r\n")
		if res, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("connection: %v", err)
		}
	}
	time.Sleep(time.Second)
}

// meet lets one giant through and returns how many bytes reached the visitor.
func (g giant) meet(t *testing.T, p *program, n int, size int64, o *giantOrigin) (received int64) {
	t.Helper()
	path := "/giant/" + strconv.Itoa(n)
	if g.send == nil {
		body := io.LimitReader(zeros{}, size)
		if g.slow == slowSender {
			body, size = new(drip), dripped
		}
		res, err := http.Post("http://"+p.visitors+path, "application/octet-stream", body)
		if err != nil {
			t.Errorf("%s: %v", g.name, err)
			return 0
		}
		_ = res.Body.Close()
		if got := o.uploaded.Load(); res.StatusCode != 200 || got != size {
			t.Errorf("%s: status %d, %d of %d bytes arrived", g.name, res.StatusCode, got, size)
		}
		return 0
	}
	body := openPage(t, p, path)
	defer func() { _ = body.Close() }()
	if g.slow == slowReader {
		return readSlowly(body)
	}
	received, err := io.Copy(io.Discard, body)
	if err != nil {
		t.Errorf("%s: the visitor got %d bytes and then: %v", g.name, received, err)
	}
	return received
}

// readSlowly takes a few bytes every now and then, and leaves before the end.
func readSlowly(body io.Reader) (n int64) {
	one := make([]byte, 1)
	for range 20 {
		got, err := body.Read(one)
		if n += int64(got); err != nil {
			return n
		}
		time.Sleep(100 * time.Millisecond)
	}
	return n
}

// dripped is how many bytes come of a drip, one every tenth of a second.
const dripped = 20

type drip struct{ n int }

func (d *drip) Read(p []byte) (int, error) {
	if d.n++; d.n > dripped {
		return 0, io.EOF
	}
	time.Sleep(100 * time.Millisecond)
	p[0] = 'x'
	return 1, nil
}

// flushed pushes each write.
type flushed struct{ w http.ResponseWriter }

func (f flushed) Write(p []byte) (int, error) {
	n, err := f.w.Write(p)
	if err == nil {
		err = http.NewResponseController(f.w).Flush()
	}
	return n, err
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// openPage asks as a browser that compresses, on a connection of its own, and leaves
// the body as it comes.
func openPage(t *testing.T, p *program, path string) io.ReadCloser {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, "http://"+p.visitors+path, nil)
	if err != nil {
		t.Errorf("%s: %v", path, err)
		return http.NoBody
	}
	req.Header.Set("Accept", "text/html")
	req.Header.Set("Accept-Encoding", "gzip")
	res, err := (&http.Transport{DisableCompression: true, DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		t.Errorf("%s: %v", path, err)
		return http.NoBody
	}
	if res.StatusCode != http.StatusOK {
		t.Errorf("%s: status %d", path, res.StatusCode)
	}
	return res.Body
}

// keepAsking is another visitor, who asks for a small page again and again. What
// it returns ends that and tells the longest wait.
func keepAsking(t *testing.T, p *program) (end func() time.Duration) {
	stop, done := make(chan struct{}), make(chan time.Duration)
	go func() {
		var slowest time.Duration
		for {
			start := time.Now()
			res, err := http.Get("http://" + p.visitors + "/other")
			if err != nil {
				t.Errorf("the other visitor: %v", err)
			} else {
				body, _ := io.ReadAll(res.Body)
				_ = res.Body.Close()
				if !bytes.Contains(body, []byte("<p>other</p>")) {
					t.Errorf("the other visitor got %d %q", res.StatusCode, body)
				}
			}
			slowest = max(slowest, time.Since(start))
			select {
			case <-stop:
				done <- slowest
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	return func() time.Duration {
		close(stop)
		return <-done
	}
}

// residentMemory is what the program takes of the computer's, in bytes.
func residentMemory(t testing.TB, p *program) int64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.process.Pid))
	if err != nil {
		skipOrFail(t, "no /proc here to measure memory by")
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kilobytes, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kilobytes << 10
		}
	}
	t.Fatal("no VmRSS in /proc")
	return 0
}

// watchMemory looks at it all the time; what it returns ends that and tells the
// most.
func watchMemory(t testing.TB, p *program) (end func() int64) {
	stop, done := make(chan struct{}), make(chan int64)
	go func() {
		var peak int64
		for {
			peak = max(peak, residentMemory(t, p))
			select {
			case <-stop:
				done <- peak
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
	}()
	return func() int64 {
		close(stop)
		return <-done
	}
}
