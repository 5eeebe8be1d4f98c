// Package examples_test runs every example of this folder that is not a Go
// program of its own: the configurations, the packages, the servers in front of
// the gateway and behind it. What is tested is the program as it is shipped.
package examples_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// top is the root of the project.
const top = ".."

func TestMain(m *testing.M) {
	folder, err := os.MkdirTemp("", "consentgate-examples-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	buildOnce = sync.OnceValues(func() (string, error) {
		name := filepath.Join(folder, "consentgate")
		return name, buildRelease(top, name)
	})
	nfpmOnce = sync.OnceValues(func() (string, error) {
		name := filepath.Join(folder, "nfpm")
		return name, buildTool("tools", "github.com/goreleaser/nfpm/v2/cmd/nfpm", name)
	})
	code := m.Run()
	os.RemoveAll(folder)
	os.Exit(code)
}

// Built by whoever asks first.
var buildOnce, nfpmOnce func() (string, error)

// buildTool builds a program that only tests need, from one of the modules in .ci.
func buildTool(module, path, name string) error {
	out, err := exec.Command("go", "-C", filepath.Join(top, ".ci", module), "build", "-o", name, path).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s of .ci/%s cannot be built: %w\n%s", path, module, err, out)
	}
	return nil
}

// program is the binary as the Dockerfile builds it.
func program(t *testing.T) string {
	t.Helper()
	name, err := buildOnce()
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// need skips a test for want of a program, and fails it in CI, where all of
// them are installed.
func need(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			missing(t, p+" is not installed; `make install` installs it where it can")
		}
	}
}

// needRoot is need for tests that mount and change root.
func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		missing(t, "only root can do this")
	}
}

func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(what)
	}
	t.Skip("skipped: " + what)
}

// output runs a program and returns what it said; a failure ends the test.
func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func writeFile(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// A gateway is a running consentgate.
type gateway struct {
	url string // for visitors
	ops string // for those who run it; empty where it has none

	said *lines // stderr
}

// startGateway runs the program with a configuration, whose listen is replaced
// by a free port of this computer and whose data by a folder of the test.
func startGateway(t *testing.T, configuration string, env ...string) gateway {
	t.Helper()
	file := filepath.Join(t.TempDir(), "consentgate.yaml")
	writeFile(t, file, configuration)
	cmd := exec.Command(program(t), "run", "--config", file,
		"--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--data", filepath.Join(t.TempDir(), "data"))
	cmd.Env = append(os.Environ(), env...)
	return startProcess(t, cmd)
}

// addressLine is how the program says where it listens.
var addressLine = regexp.MustCompile(`^  (visitors|operators) +(https?://[^/\s]+)`)

// startProcess starts a command that ends in consentgate run, and waits until
// it listens.
func startProcess(t *testing.T, cmd *exec.Cmd) gateway {
	t.Helper()
	g := gateway{said: new(lines)}
	cmd.Stderr = g.said
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	read := make(chan struct{})
	t.Cleanup(func() { end(t, cmd, read, g.said) })
	listens := make(chan struct{})
	go func() {
		defer close(read)
		scan := bufio.NewScanner(stdout)
		if g.whereItListens(scan) {
			close(listens)
		}
		for scan.Scan() { // one that takes over says it all again
		}
	}()
	select {
	case <-listens:
	case <-read:
		t.Fatalf("%v ended before it listened:\n%s", cmd.Args, g.said)
	case <-time.After(2 * time.Minute): // a loaded machine may take long to start
		t.Fatalf("%v does not listen:\n%s", cmd.Args, g.said)
	}
	return g
}

// whereItListens reads the addresses that a program prints, and reports whether
// it has come to the end of them.
func (g *gateway) whereItListens(scan *bufio.Scanner) bool {
	for scan.Scan() {
		if m := addressLine.FindStringSubmatch(scan.Text()); m != nil && m[1] == "visitors" {
			g.url = m[2]
		} else if m != nil {
			g.ops = m[2]
		}
		if strings.HasPrefix(scan.Text(), "Ctrl-C") {
			return true
		}
	}
	return false
}

func end(t *testing.T, cmd *exec.Cmd, read <-chan struct{}, said *lines) {
	cmd.Process.Signal(syscall.SIGTERM)
	<-read
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v did not end well: %v\n%s", cmd.Args, err, said)
	}
}

// lines is what a program writes, readable meanwhile.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// eventually waits for something that a program does in its own time.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for range 600 {
		if done() {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("it did not happen: %s", what)
}

// A visitor is a browser as far as HTTP goes: it keeps cookies, and shows
// redirects rather than following them.
type visitor struct {
	t      *testing.T
	client *http.Client
	header http.Header // of each request
}

func newVisitor(t *testing.T, transport *http.Transport) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport.DisableKeepAlives = true
	return &visitor{t, &http.Client{
		Jar:           jar,
		Transport:     transport,
		Timeout:       time.Minute,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, http.Header{"Accept": {"text/html,*/*;q=0.8"}}}
}

func (v *visitor) do(method, url, form string) (*http.Response, string) {
	v.t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(form))
	if err != nil {
		v.t.Fatal(err)
	}
	req.Header = v.header.Clone()
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := v.client.Do(req)
	if err != nil {
		v.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return resp, string(body)
}

func (v *visitor) get(url string) (*http.Response, string) {
	v.t.Helper()
	return v.do(http.MethodGet, url, "")
}

// to makes a transport that finds every host at one address.
func to(addr string) *http.Transport {
	dialer := new(net.Dialer)
	t := &http.Transport{}
	t.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return dialer.DialContext(ctx, network, addr)
	}
	return t
}
