package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// A fault is a toxic of toxiproxy with its four levels of attributes, from
// harmless to deadly.
type fault struct {
	kind   string
	levels [4]map[string]int
}

func faults() []fault {
	one := func(name string, values ...int) (l [4]map[string]int) {
		for i, v := range values {
			l[i] = map[string]int{name: v}
		}
		return l
	}
	return []fault{
		{"latency", one("latency", 10, 100, 500, 9000)},
		{"bandwidth", one("rate", 1000, 100, 20, 5)}, // KB/s
		{"slicer", [4]map[string]int{
			{"average_size": 1000, "size_variation": 500, "delay": 0}, {"average_size": 100, "size_variation": 50, "delay": 1000},
			{"average_size": 10, "size_variation": 5, "delay": 100}, {"average_size": 1, "size_variation": 0, "delay": 10},
		}},
		{"timeout", one("timeout", 5000, 1000, 100, 0)}, // 0: nothing passes, and nothing is closed
		{"reset_peer", one("timeout", 2000, 100, 10, 0)},
		{"slow_close", one("delay", 10, 100, 1000, 5000)},
		{"limit_data", one("bytes", 1_000_000, 20_000, 1000, 50)}, // closed after so many
	}
}

// longestFault is far beyond all timeouts of the configuration below: what takes
// longer hangs.
const longestFault = 40 * time.Second

const faultTimeouts = "connect_timeout: 5s, header_timeout: 5s, stall_timeout: 5s, tunnel_timeout: 8s"

// TestFaultsOnTheWayToTheOrigin puts a real toxiproxy between the program and
// the origin, with each fault at each level in each direction, and asks for a
// page, an asset, a POST, an event stream and a WebSocket through each.
func TestFaultsOnTheWayToTheOrigin(t *testing.T) {
	t.Parallel() // it waits most of the time
	origin := newFaultOrigin(t)
	toxi := startToxiproxy(t)
	var config strings.Builder
	config.WriteString("sites:\n")
	var hosts []string
	for _, f := range faults() {
		for level, attributes := range f.levels {
			for _, stream := range []string{"downstream", "upstream"} {
				host := fmt.Sprintf("%s-%d-%s.example", strings.ReplaceAll(f.kind, "_", "-"), level, stream)
				address := toxi.proxy(t, host, origin.address)
				toxi.poison(t, host, f.kind, stream, attributes)
				fmt.Fprintf(&config, "  - {hosts: [%s], upstream: {url: 'http://%s', %s}}\n", host, address, faultTimeouts)
				hosts = append(hosts, host)
			}
		}
	}
	p := runProgram(t, config.String())
	var all sync.WaitGroup
	outcomes := newOutcomes()
	for _, host := range hosts {
		for kind, exchange := range exchanges() {
			all.Go(func() {
				start := time.Now()
				outcome, err := exchange(p, host)
				outcomes.add(host, kind+": "+outcome)
				if took := time.Since(start); err != nil || took > longestFault {
					t.Errorf("%s through %s: %s after %v: %v", kind, host, outcome, took.Round(time.Millisecond), err)
				}
			})
		}
	}
	all.Wait()
	t.Logf("%d exchanges\n%s", len(hosts)*len(exchanges()), outcomes)
	origin.noneTwice(t)
	if whole := outcomes.with("latency-0", "page: whole"); whole != 2 {
		t.Errorf("%d of 2 pages arrived whole although nothing was wrong", whole)
	}
	cut := 0
	for _, outcome := range []string{"page: cut before the answer", "page: visibly cut", "asset: visibly cut"} {
		cut += outcomes.with("limit-data-1-downstream", outcome)
	}
	if cut != 2 {
		t.Errorf("%d of 2 bodies that broke off are visibly cut", cut)
	}
	if late := outcomes.with("latency-3", "page: 504"); late != 2 {
		t.Errorf("%d of 2 pages that came too late are 504", late)
	}
}

// exchanges are the kinds of request. Each tells how it ended; the error says
// that it must not end like that.
func exchanges() map[string]func(p *program, host string) (string, error) {
	return map[string]func(*program, string) (string, error){
		"page": func(p *program, host string) (string, error) {
			return fetchThrough(p, host, "GET", "/page", "text/html")
		},
		"asset":     func(p *program, host string) (string, error) { return fetchThrough(p, host, "GET", "/asset", "*/*") },
		"POST":      func(p *program, host string) (string, error) { return fetchThrough(p, host, "POST", "/post", "*/*") },
		"events":    eventsThrough,
		"websocket": webSocketThrough,
	}
}

var (
	faultPage  = "<!doctype html><title>x</title>" + strings.Repeat("<p>some text</p>\n", 1500) + "<p>the end</p>"
	faultAsset = strings.Repeat("a { color: red }\n", 1500) + "/* the end */"
)

// fetchThrough expects an answer that is whole, or that shows that it is not.
func fetchThrough(p *program, host, method, path, accept string) (string, error) {
	conn, err := net.Dial("tcp", p.visitors)
	if err != nil {
		return "no connection", err
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(longestFault))
	body := ""
	if method == "POST" {
		body = strings.Repeat("x", 20_000)
	}
	_, _ = fmt.Fprintf(conn, "%s %s?%s HTTP/1.1\r\nHost: %s\r\nAccept: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", method, path, host, host, accept, len(body), body)
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		if hung(err) {
			return "hung", err
		}
		return "cut before the answer", nil
	}
	got, err := io.ReadAll(res.Body)
	switch {
	case hung(err):
		return "hung", err
	case res.StatusCode == http.StatusBadGateway, res.StatusCode == http.StatusGatewayTimeout:
		return fmt.Sprint(res.StatusCode), nil
	case res.StatusCode != http.StatusOK:
		return fmt.Sprint(res.StatusCode), fmt.Errorf("status %d", res.StatusCode)
	case err != nil:
		return "visibly cut", nil
	case !bytes.Contains(got, []byte("the end")):
		return "silently cut", fmt.Errorf("%d bytes that look whole", len(got))
	}
	return "whole", nil
}

func hung(err error) bool {
	var network net.Error
	return errors.As(err, &network) && network.Timeout()
}

// eventsThrough reads until the stream ends or ten events have come.
func eventsThrough(p *program, host string) (string, error) {
	conn, err := net.Dial("tcp", p.visitors)
	if err != nil {
		return "no connection", err
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(longestFault))
	_, _ = fmt.Fprintf(conn, "GET /events HTTP/1.1\r\nHost: %s\r\nAccept: text/event-stream\r\n\r\n", host)
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	switch {
	case hung(err):
		return "hung", err
	case err != nil:
		return "cut before the answer", nil
	case res.StatusCode != http.StatusOK:
		return fmt.Sprint(res.StatusCode), nil
	}
	lines := bufio.NewScanner(res.Body)
	n := 0
	for n < 10 && lines.Scan() {
		if strings.HasPrefix(lines.Text(), "data:") {
			n++
		}
	}
	switch {
	case n == 10:
		return "whole", nil
	case hung(lines.Err()):
		return "hung", lines.Err()
	case lines.Err() == nil:
		return "silently cut", fmt.Errorf("%d events, and then an end that looks like one", n)
	}
	return "visibly cut", nil
}

// webSocketThrough expects an echo, or the end of the connection.
func webSocketThrough(p *program, host string) (string, error) {
	conn, err := net.Dial("tcp", p.visitors)
	if err != nil {
		return "no connection", err
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(longestFault))
	_, _ = fmt.Fprintf(conn, "GET /websocket HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", host)
	r := bufio.NewReader(conn)
	res, err := http.ReadResponse(r, nil)
	switch {
	case hung(err):
		return "hung", err
	case err != nil:
		return "cut before the answer", nil
	case res.StatusCode != http.StatusSwitchingProtocols:
		return fmt.Sprint(res.StatusCode), nil
	}
	said := []byte{0x81, 0x85, 0, 0, 0, 0, 'h', 'e', 'l', 'l', 'o'} // masked with zeros
	_, _ = conn.Write(said)
	heard := make([]byte, len(said))
	if _, err = io.ReadFull(r, heard); hung(err) {
		return "hung", err
	} else if err != nil {
		return "cut", nil
	}
	return "whole", nil
}

// outcomes counts what became of the exchanges.
type outcomes struct {
	mu   sync.Mutex
	list map[string][]string // by host
}

func newOutcomes() *outcomes { return &outcomes{list: map[string][]string{}} }

func (o *outcomes) add(host, outcome string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.list[host] = append(o.list[host], outcome)
}

// with counts an outcome behind the hosts with this beginning.
func (o *outcomes) with(start, outcome string) (n int) {
	for host, list := range o.list {
		for _, one := range list {
			if strings.HasPrefix(host, start) && one == outcome {
				n++
			}
		}
	}
	return n
}

// String has a line for each kind of fault.
func (o *outcomes) String() string {
	var b strings.Builder
	for _, f := range faults() {
		counted := map[string]int{}
		for host, list := range o.list {
			if !strings.HasPrefix(host, strings.ReplaceAll(f.kind, "_", "-")+"-") {
				continue
			}
			for _, one := range list {
				_, how, _ := strings.Cut(one, ": ")
				counted[how]++
			}
		}
		fmt.Fprintf(&b, "%-11s %v\n", f.kind, counted)
	}
	return b.String()
}

// A faultOrigin answers all five kinds, and counts each POST by its query.
type faultOrigin struct {
	address string
	mu      sync.Mutex
	posts   map[string]int
}

func (o *faultOrigin) noneTwice(t *testing.T) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	for id, n := range o.posts {
		if n > 1 {
			t.Errorf("the POST %s arrived %d times", id, n)
		}
	}
}

func newFaultOrigin(t *testing.T) *faultOrigin {
	o := &faultOrigin{posts: map[string]int{}}
	server := httptest.NewServer(o)
	t.Cleanup(server.Close)
	o.address = server.Listener.Addr().String()
	return o
}

func (o *faultOrigin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/page":
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, faultPage)
	case "/asset":
		w.Header().Set("Content-Type", "text/css")
		_, _ = io.WriteString(w, faultAsset)
	case "/post":
		o.mu.Lock()
		o.posts[r.URL.RawQuery]++
		o.mu.Unlock()
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, "the end")
	case "/events":
		w.Header().Set("Content-Type", "text/event-stream")
		for i := 0; i < 50 && r.Context().Err() == nil; i++ {
			_, _ = io.WriteString(w, "data: something happened\n\n")
			_ = http.NewResponseController(w).Flush()
			time.Sleep(20 * time.Millisecond)
		}
		<-r.Context().Done()
	case "/websocket":
		echoWebSocket(w)
	}
}

func echoWebSocket(w http.ResponseWriter) {
	c, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer func() { _ = c.Close() }()
	_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
	_, _ = io.Copy(c, rw)
}

// A toxiproxy is Shopify's, as a process of its own.
type toxiproxy struct{ api string }

func startToxiproxy(t *testing.T) *toxiproxy {
	t.Helper()
	path := filepath.Join(t.TempDir(), "toxiproxy")
	build := exec.Command("go", "-C", "../../.ci/tools", "build", "-o", path, "github.com/Shopify/toxiproxy/v2/cmd/server")
	if out, err := build.CombinedOutput(); err != nil {
		skipOrFail(t, fmt.Sprintf("toxiproxy cannot be built: no faults on the way to the origin: %v\n%s", err, out))
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().(*net.TCPAddr)
	_ = l.Close()
	cmd := exec.Command(path, "-host", "127.0.0.1", "-port", fmt.Sprint(address.Port))
	cmd.Env = append(cmd.Environ(), "LOG_LEVEL=error")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	toxi := &toxiproxy{"http://" + address.String()}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if res, err := http.Get(toxi.api + "/version"); err == nil {
			_ = res.Body.Close()
			return toxi
		}
		if time.Now().After(deadline) {
			t.Fatal("toxiproxy does not answer")
		}
	}
}

// proxy opens a way to upstream and returns its address.
func (x *toxiproxy) proxy(t *testing.T, name, upstream string) (address string) {
	t.Helper()
	var made struct{ Listen string }
	x.post(t, "/proxies", map[string]any{"name": name, "listen": "127.0.0.1:0", "upstream": upstream, "enabled": true}, &made)
	return made.Listen
}

func (x *toxiproxy) poison(t *testing.T, name, kind, stream string, attributes map[string]int) {
	t.Helper()
	x.post(t, "/proxies/"+name+"/toxics", map[string]any{"name": kind, "type": kind, "stream": stream, "toxicity": 1.0, "attributes": attributes}, nil)
}

func (x *toxiproxy) post(t *testing.T, path string, what, into any) {
	t.Helper()
	text, err := json.Marshal(what)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.Post(x.api+path, "application/json", bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	said, _ := io.ReadAll(res.Body)
	if res.StatusCode > 299 {
		t.Fatalf("toxiproxy %s: %s", path, said)
	}
	if into != nil {
		if err := json.Unmarshal(said, into); err != nil {
			t.Fatal(err)
		}
	}
}
