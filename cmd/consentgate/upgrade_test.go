//go:build unix

package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// upgrades is how often a gateway under load is upgraded.
const upgrades = 10

// TestUpgradeUnderLoad replaces the program again and again while visitors ask
// for pages: none may notice, and a WebSocket and a stream that began before the
// first upgrade live through all of them.
func TestUpgradeUnderLoad(t *testing.T) {
	origin := newLiveOrigin(t)
	p := startProgram(t, buildProgram(t), "run", "--config", upgradeConfig(t, origin.URL))
	address := strings.TrimPrefix(p.address(t, "visitors"), "http://")
	stream, socket := openStream(t, address), openSocket(t, address)

	load := startLoad(address)
	pid := p.cmd.Process.Pid
	for range upgrades {
		load.atLeast(100)
		must(t, syscall.Kill(pid, syscall.SIGUSR2))
		pid = p.nextPID(t)
	}
	load.atLeast(100)
	done, failed := load.stop()
	t.Logf("%d requests during %d upgrades", done, upgrades)
	for _, err := range failed {
		t.Error(err)
	}
	socket.echo(t, "still here")
	stream.more(t)
	_ = socket.Close()
	_ = stream.Close()
	must(t, syscall.Kill(pid, syscall.SIGTERM))
	p.waitForAll(t)
}

// TestUpgradeThatFails leaves the old process serving, which says why.
func TestUpgradeThatFails(t *testing.T) {
	origin := newLiveOrigin(t)
	program := buildProgram(t)
	config := upgradeConfig(t, origin.URL)
	p := startProgram(t, program, "run", "--config", config)
	address := p.address(t, "visitors")
	good, err := os.ReadFile(config)
	must(t, err)
	for name, spoil := range map[string]func(){
		"a program that is none": func() { replace(t, program, "no program") },
		"a program that ends":    func() { replace(t, program, "#!/bin/sh\necho cannot >&2\nexit 3\n") },
		"a wrong configuration":  func() { must(t, os.WriteFile(config, []byte("sites: 1\n"), 0o600)) },
	} {
		t.Run(name, func(t *testing.T) {
			must(t, os.Rename(program, program+".good"))
			must(t, copyProgram(program+".good", program))
			spoil()
			must(t, syscall.Kill(p.cmd.Process.Pid, syscall.SIGUSR2))
			p.says(t, "this process goes on")
			if status := statusOf(t, address); status != http.StatusOK {
				t.Errorf("status %d", status)
			}
			must(t, os.Rename(program+".good", program))
			must(t, os.WriteFile(config, good, 0o600))
		})
	}
	must(t, syscall.Kill(p.cmd.Process.Pid, syscall.SIGUSR2))
	pid := p.nextPID(t)
	if status := statusOf(t, address); status != http.StatusOK {
		t.Errorf("status %d after an upgrade", status)
	}
	must(t, syscall.Kill(pid, syscall.SIGTERM))
	p.waitForAll(t)
}

// TestUnderSystemd starts the program as systemd does: with a socket, and with
// another one on which it tells how it is.
func TestUnderSystemd(t *testing.T) {
	origin := newLiveOrigin(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	file, err := l.(*net.TCPListener).File()
	must(t, err)
	config := filepath.Join(t.TempDir(), "consentgate.yaml")
	must(t, os.WriteFile(config, fmt.Appendf(nil, "listen: [systemd]\ndata: %s\nsites: [{upstream: {url: %q}}]\n", t.TempDir(), origin.URL), 0o600))
	bus, told := notifySocket(t)

	cmd := exec.Command("/bin/sh", "-c", `LISTEN_PID=$$ exec "$0" "$@"`, buildProgram(t), "run", "--config", config)
	cmd.ExtraFiles = []*os.File{file}
	cmd.Env = append(os.Environ(), "LISTEN_FDS=1", "NOTIFY_SOCKET="+bus, "WATCHDOG_USEC=600000")
	p := startCommand(t, cmd)
	must(t, file.Close())
	must(t, l.Close())
	told.hears(t, "READY=1")
	told.hears(t, "WATCHDOG=1")
	if status := statusOf(t, "http://"+l.Addr().String()); status != http.StatusOK {
		t.Errorf("status %d at systemd's socket", status)
	}
	must(t, syscall.Kill(cmd.Process.Pid, syscall.SIGHUP))
	told.hears(t, "RELOADING=1")
	told.hears(t, "READY=1")
	must(t, syscall.Kill(cmd.Process.Pid, syscall.SIGUSR2))
	pid := p.nextPID(t)
	told.hears(t, fmt.Sprintf("MAINPID=%d", pid))
	if status := statusOf(t, "http://"+l.Addr().String()); status != http.StatusOK {
		t.Errorf("status %d after an upgrade", status)
	}
	must(t, syscall.Kill(pid, syscall.SIGTERM))
	told.hears(t, "STOPPING=1")
	p.waitForAll(t)
}

// An upgradable is a process, and those that took its place.
type upgradable struct {
	cmd   *exec.Cmd
	lines chan string // of standard output and error; closed when all have ended
	mu    sync.Mutex
	said  strings.Builder
}

func startProgram(t *testing.T, name string, args ...string) *upgradable {
	t.Helper()
	return startCommand(t, exec.Command(name, args...))
}

func startCommand(t *testing.T, cmd *exec.Cmd) *upgradable {
	t.Helper()
	hear, tell, err := os.Pipe()
	must(t, err)
	p := &upgradable{cmd: cmd, lines: make(chan string, 4096)}
	cmd.Stdout, cmd.Stderr = tell, tell
	must(t, cmd.Start())
	must(t, tell.Close())
	go func() { _ = cmd.Wait() }()
	go p.listen(hear)
	t.Cleanup(func() {
		if t.Failed() {
			p.mu.Lock()
			defer p.mu.Unlock()
			t.Logf("the program said:\n%s", p.said.String())
		}
		_ = cmd.Process.Kill()
	})
	return p
}

func (p *upgradable) listen(hear io.ReadCloser) {
	defer hear.Close()
	defer close(p.lines)
	for scan := bufio.NewScanner(hear); scan.Scan(); {
		if strings.Contains(scan.Text(), `"method":`) {
			continue // one for each request
		}
		p.mu.Lock()
		fmt.Fprintln(&p.said, scan.Text())
		p.mu.Unlock()
		p.lines <- scan.Text()
	}
}

// says waits for a line with these words.
func (p *upgradable) says(t *testing.T, words string) string {
	t.Helper()
	for deadline := time.After(time.Minute); ; {
		select {
		case line, ok := <-p.lines:
			if !ok {
				t.Fatalf("the program ended before it said %q", words)
			}
			if strings.Contains(line, words) {
				return line
			}
		case <-deadline:
			t.Fatalf("the program did not say %q", words)
		}
	}
}

func (p *upgradable) address(t *testing.T, what string) string {
	t.Helper()
	return strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(p.says(t, "  "+what)), what))
}

// nextPID is who serves now.
func (p *upgradable) nextPID(t *testing.T) int {
	t.Helper()
	var line struct{ PID int }
	must(t, json.Unmarshal([]byte(p.says(t, "the new process serves")), &line))
	t.Cleanup(func() { _ = syscall.Kill(line.PID, syscall.SIGKILL) })
	return line.PID
}

func (p *upgradable) waitForAll(t *testing.T) {
	t.Helper()
	for deadline := time.After(time.Minute); ; {
		select {
		case _, ok := <-p.lines:
			if !ok {
				return
			}
		case <-deadline:
			t.Fatal("a process did not end")
		}
	}
}

func upgradeConfig(t *testing.T, origin string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "consentgate.yaml")
	must(t, os.WriteFile(name, fmt.Appendf(nil,
		"listen: ['127.0.0.1:0']\nops: '127.0.0.1:0'\ndata: %s\nupgrade_timeout: 2m\nsites: [{upstream: {url: %q}}]\n", t.TempDir(), origin), 0o600))
	return name
}

func replace(t *testing.T, name, content string) {
	t.Helper()
	must(t, os.Remove(name))
	must(t, os.WriteFile(name, []byte(content), 0o700))
}

func copyProgram(from, to string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o700)
}

func statusOf(t *testing.T, url string) int {
	t.Helper()
	res, err := http.Get(url)
	must(t, err)
	_ = res.Body.Close()
	return res.StatusCode
}

// A notices is what systemd would hear.
type notices chan string

func notifySocket(t *testing.T) (path string, heard notices) {
	t.Helper()
	dir, err := os.MkdirTemp("", "bus") // a socket's path cannot be long
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	path = filepath.Join(dir, "s")
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	must(t, err)
	t.Cleanup(func() { _ = c.Close() })
	heard = make(notices, 1024)
	go func() {
		b := make([]byte, 4096)
		for {
			n, err := c.Read(b)
			if err != nil {
				return
			}
			heard <- string(b[:n])
		}
	}()
	return path, heard
}

func (n notices) hears(t *testing.T, words string) {
	t.Helper()
	for deadline := time.After(time.Minute); ; {
		select {
		case state := <-n:
			if strings.Contains(state, words) {
				return
			}
		case <-deadline:
			t.Fatalf("systemd does not hear %s", words)
		}
	}
}

// newLiveOrigin has a page, a stream and a WebSocket.
func newLiveOrigin(t *testing.T) *httptest.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, "<!doctype html><title>page</title><p>text")
	})
	mux.HandleFunc("/stream", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for r.Context().Err() == nil {
			_, _ = io.WriteString(w, "data: tick\n\n")
			_ = http.NewResponseController(w).Flush()
			time.Sleep(20 * time.Millisecond)
		}
	})
	mux.HandleFunc("/socket", func(w http.ResponseWriter, _ *http.Request) {
		c, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer c.Close()
		_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
		for {
			text, err := readFrame(rw.Reader)
			if err != nil {
				return
			}
			_, _ = c.Write(append([]byte{0x81, byte(len(text))}, text...))
		}
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
}

// readFrame reads a short frame of text (RFC 6455 section 5.2).
func readFrame(r *bufio.Reader) (string, error) {
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return "", err
	}
	if head[0] != 0x81 {
		return "", fmt.Errorf("a frame of kind %#x", head[0])
	}
	var mask [4]byte
	if head[1]&0x80 != 0 {
		if _, err := io.ReadFull(r, mask[:]); err != nil {
			return "", err
		}
	}
	text := make([]byte, head[1]&0x7f)
	_, err := io.ReadFull(r, text)
	for i := range text {
		text[i] ^= mask[i%4]
	}
	return string(text), err
}

// A live is a connection that lasts.
type live struct {
	net.Conn
	r *bufio.Reader
}

func openLive(t *testing.T, address, request string) *live {
	t.Helper()
	c, err := net.Dial("tcp", address)
	must(t, err)
	t.Cleanup(func() { _ = c.Close() })
	must(t, c.SetDeadline(time.Now().Add(5*time.Minute)))
	_, err = io.WriteString(c, request)
	must(t, err)
	l := &live{c, bufio.NewReader(c)}
	for {
		line, err := l.r.ReadString('\n')
		must(t, err)
		if line == "\r\n" {
			return l
		}
	}
}

func openStream(t *testing.T, address string) *live {
	l := openLive(t, address, "GET /stream HTTP/1.1\r\nHost: a\r\n\r\n")
	l.more(t)
	return l
}

// more reads what has come in the meantime, and what comes now.
func (l *live) more(t *testing.T) {
	t.Helper()
	for began := time.Now(); time.Since(began) < 100*time.Millisecond; {
		if _, err := l.r.ReadString('\n'); err != nil {
			t.Fatalf("the stream has ended: %v", err)
		}
	}
}

func openSocket(t *testing.T, address string) *live {
	l := openLive(t, address, "GET /socket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	l.echo(t, "hello")
	return l
}

func (l *live) echo(t *testing.T, text string) {
	t.Helper()
	_, err := l.Write(append([]byte{0x81, 0x80 | byte(len(text)), 0, 0, 0, 0}, text...))
	must(t, err)
	got, err := readFrame(l.r)
	if got != text || err != nil {
		t.Fatalf("the WebSocket answers %q, %v", got, err)
	}
}

// A visitors is a load: some keep their connection, some do not.
type visitors struct {
	done   atomic.Int64
	quit   chan struct{}
	all    sync.WaitGroup
	mu     sync.Mutex
	failed []error
}

func startLoad(address string) *visitors {
	v := &visitors{quit: make(chan struct{})}
	for i := range 6 {
		client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DisableKeepAlives: i%2 == 0}}
		v.all.Go(func() {
			for {
				select {
				case <-v.quit:
					return
				default:
				}
				if err := visit(client, "http://"+address+"/"); err != nil {
					v.mu.Lock()
					v.failed = append(v.failed, err)
					v.mu.Unlock()
				}
				v.done.Add(1)
			}
		})
	}
	return v
}

func visit(client *http.Client, url string) error {
	res, err := client.Get(url)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err == nil && (res.StatusCode != http.StatusOK || !strings.Contains(string(text), "<p>text")) {
		err = errors.New(res.Status)
	}
	return err
}

// atLeast returns once so many more visits have been made.
func (v *visitors) atLeast(n int64) {
	for until := v.done.Load() + n; v.done.Load() < until; {
		time.Sleep(time.Millisecond)
	}
}

func (v *visitors) stop() (done int64, failed []error) {
	close(v.quit)
	v.all.Wait()
	return v.done.Load(), v.failed
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
