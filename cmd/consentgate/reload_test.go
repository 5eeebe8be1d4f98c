package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// metric reads one from the operators' listener.
func (p *program) metric(t *testing.T, series string) float64 {
	t.Helper()
	value, ok := p.series(t)[series]
	if !ok {
		t.Fatalf("no %s", series)
	}
	return value
}

func (p *program) series(t *testing.T) map[string]float64 {
	t.Helper()
	res, err := http.Get("http://" + p.operators + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	all := map[string]float64{}
	for scan := bufio.NewScanner(res.Body); scan.Scan(); {
		line := scan.Text()
		cut := strings.LastIndexByte(line, ' ')
		if cut < 0 || line[0] == '#' {
			continue
		}
		if value, err := strconv.ParseFloat(line[cut+1:], 64); err == nil {
			all[line[:cut]] = value
		}
	}
	return all
}

// restless is an origin with pages, events that never end, and a WebSocket that
// echoes.
func restless(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/events":
		w.Header().Set("Content-Type", "text/event-stream")
		for i := 0; r.Context().Err() == nil; i++ {
			fmt.Fprintf(w, "data: %d\n\n", i)
			w.(http.Flusher).Flush()
			time.Sleep(10 * time.Millisecond)
		}
	case "/socket":
		w.Header().Set("Upgrade", "websocket")
		w.Header().Set("Connection", "Upgrade")
		w.WriteHeader(http.StatusSwitchingProtocols)
		c, b, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer c.Close()
		io.Copy(c, b)
	case "/file":
		io.WriteString(w, strings.Repeat("x", 100_000))
	default:
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, "<!doctype html><title>t</title><script src='https://www.googletagmanager.com/gtag/js'></script>%s", r.URL.Path)
	}
}

// A traffic asks for pages and files until it is told to stop, and notes what went
// wrong.
type traffic struct {
	done   atomic.Int64
	mu     sync.Mutex
	wrong  []string
	stop   context.CancelFunc
	asking sync.WaitGroup
}

func startTraffic(base string, visitors int) *traffic {
	ctx, cancel := context.WithCancel(context.Background())
	l := &traffic{stop: cancel}
	for i := range visitors {
		l.asking.Go(func() {
			client := &http.Client{Transport: &http.Transport{}, Timeout: time.Minute}
			defer client.CloseIdleConnections()
			for n := 0; ctx.Err() == nil; n++ {
				path, want := "/file", 100_000
				if n%4 > 0 {
					path, want = fmt.Sprintf("/page/%d", (n+i)%20), 300
				}
				if err := askWhole(client, base+path, want); err != nil {
					l.mu.Lock()
					l.wrong = append(l.wrong, err.Error())
					l.mu.Unlock()
				}
				l.done.Add(1)
			}
		})
	}
	return l
}

func askWhole(client *http.Client, url string, atLeast int) error {
	r, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	r.Header.Set("Accept", "text/html")
	res, err := client.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	switch {
	case err != nil:
		return err
	case res.StatusCode != http.StatusOK || len(text) < atLeast:
		return fmt.Errorf("%s: %s, %d bytes", url, res.Status, len(text))
	case strings.Contains(string(text), "googletagmanager"):
		return fmt.Errorf("%s: a tracker", url)
	}
	return nil
}

func (l *traffic) end(t *testing.T) {
	t.Helper()
	l.stop()
	l.asking.Wait()
	for i, wrong := range l.wrong {
		if i < 5 {
			t.Error(wrong)
		}
	}
	t.Logf("%d requests, %d failed", l.done.Load(), len(l.wrong))
}

// hello sends a text over a WebSocket's connection and expects it back.
func hello(t *testing.T, c net.Conn, r *bufio.Reader) {
	t.Helper()
	c.SetDeadline(time.Now().Add(time.Minute))
	io.WriteString(c, "hello")
	echo := make([]byte, 5)
	if _, err := io.ReadFull(r, echo); err != nil || string(echo) != "hello" {
		t.Fatalf("the WebSocket says %q, %v", echo, err)
	}
}

// TestReloadUnderLoad reloads fifty times, every tenth time with a broken file,
// and expects no visitor to notice: not who asks, not whose download goes on, not
// who has a WebSocket open.
func TestReloadUnderLoad(t *testing.T) {
	origin := httptest.NewServer(http.HandlerFunc(restless))
	defer origin.CloseClientConnections()
	file := filepath.Join(t.TempDir(), "consentgate.yaml")
	write := func(mode string) {
		writeConfig(t, file, fmt.Sprintf("logging: {level: warn}\nsites:\n  - upstream: {url: '%s'}\n    unknown: %s\n", origin.URL, mode))
	}
	write("block-active")
	p := runConfigured(t, buildProgram(t), file)
	site := "http://" + p.visitors

	socket, err := net.Dial("tcp", p.visitors)
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	io.WriteString(socket, "GET /socket HTTP/1.1\r\nHost: a.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\n\r\n")
	said := bufio.NewReader(socket)
	res, err := http.ReadResponse(said, nil)
	if err != nil || res.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("%v %v", res, err)
	}
	hello(t, socket, said)
	events, err := http.Get(site + "/events")
	if err != nil {
		t.Fatal(err)
	}
	defer events.Body.Close()
	event := bufio.NewReader(events.Body)

	l := startTraffic(site, 4)
	var first, last float64
	for i := range 50 {
		broken := i%10 == 9
		write([]string{"block-all", "block-active"}[i%2])
		if broken {
			write("sometimes")
		}
		res, err := http.Post("http://"+p.operators+"/reload", "", nil)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if broken != (res.StatusCode != http.StatusOK) {
			t.Errorf("reload %d: %s", i, res.Status)
		}
		for range 3 { // every event is there, in the worlds' own time
			if _, err := event.ReadString('\n'); err != nil {
				t.Fatalf("the stream ended: %v", err)
			}
			event.ReadString('\n')
		}
		hello(t, socket, said)
		switch i {
		case 4:
			first = p.metric(t, "go_goroutines")
		case 49:
			last = p.metric(t, "go_goroutines")
		}
	}
	resident := p.metric(t, "process_resident_memory_bytes")
	l.end(t)
	t.Logf("goroutines: %v after 5 reloads, %v after 50; %.0f MiB resident", first, last, resident/(1<<20))
	if last > first+40 {
		t.Errorf("goroutines of old worlds are left: %v, then %v", first, last)
	}
	if ok := p.metric(t, `consentgate_reloads_total{outcome="ok"}`); ok != 46 { // the first is the start
		t.Errorf("%v reloads went well", ok)
	}
	if open := p.metric(t, "consentgate_websockets_open"); open != 1 {
		t.Errorf("%v WebSockets are open", open)
	}
	if err := p.process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(said); err != nil {
		t.Errorf("the WebSocket's end: %v", err)
	}
}
