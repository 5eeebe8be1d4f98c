package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"consentgate": main})
}

// TestScripts runs the stories in testdata/script against the program itself.
// They know these commands beside testscript's own:
//
//	origin          serves the folder site of the story; $origin is its address
//	start args...   runs consentgate in the background until it says where it
//	                listens; each "  name  http://..." it prints becomes $name,
//	                and the operators' address without /metrics $ops
//	visitor         from here on, a visitor asks who is new and keeps cookies;
//	                before, each request is a visitor of its own
//	get [-H 'Name: value'] URL       writes status line, header and body to the file response;
//	                redirects are not followed
//	post [-H 'Name: value'] URL form posts a form in the same way
//	snippet IN CONFIG OUT  appends the services that IN proposes to CONFIG's last site
//	hangup          sends SIGHUP to what start started
//	await REGEXP    waits until a line of what it wrote to stderr matches
//	exits CODE command...  runs a command like exec, and expects this exit code
//	stop            sends SIGTERM to what start started, expects exit code 0,
//	                and leaves the files started.out and started.err
//
// The condition [browser] says whether there is one to audit with; in CI one is
// expected.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:           "testdata/script",
		UpdateScripts: *update,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"origin": origin, "start": start, "visitor": newVisitor, "get": get, "post": post, "stop": stop,
			"hangup": hangup, "await": await,
			"recordid": recordID, "tamper": tamper, "snippet": pasteSnippet, "exits": exits,
		},
		Condition: func(word string) (bool, error) {
			if word != "browser" {
				return false, fmt.Errorf("unknown condition %q", word)
			}
			_, err := findBrowser("")
			if err != nil && os.Getenv("CI") == "true" {
				return false, err
			}
			return err == nil, nil
		},
		Setup: func(env *testscript.Env) error {
			env.Values[background{}] = new(process)
			env.Values[visiting{}] = browserLike(nil)
			return nil
		},
	})
}

// Keys of what a story keeps: its *process, and the *http.Client of its visitor.
type (
	background struct{}
	visiting   struct{}
)

// A process is the consentgate that a story has started.
type process struct {
	cmd      *exec.Cmd
	out, err record
	copied   chan struct{} // closed when all of out is there
}

// end leaves nothing behind, and tells what the program said where nobody has
// stopped it.
func (p *process) end(ts *testscript.TestScript) {
	if p.cmd.ProcessState == nil {
		p.cmd.Process.Kill()
		<-p.copied
		p.cmd.Wait()
		ts.Logf("[what start wrote to stderr]\n%s", p.err.String())
	}
}

func origin(ts *testscript.TestScript, neg bool, args []string) {
	server := httptest.NewServer(http.FileServer(http.Dir(ts.MkAbs("site"))))
	ts.Defer(server.Close)
	ts.Setenv("origin", server.URL)
}

// addressLine is how a program says where it listens.
var addressLine = regexp.MustCompile(`^  (\w+) +(http://\S+)$`)

func start(ts *testscript.TestScript, neg bool, args []string) {
	p := ts.Value(background{}).(*process)
	p.cmd = exec.Command(programPath(ts), args...)
	p.cmd.Dir = ts.MkAbs(".")
	p.cmd.Env = append(os.Environ(), "TMPDIR="+ts.MkAbs(".tmp"))
	p.cmd.Stderr = &p.err
	stdout, err := p.cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(p.cmd.Start())
	p.copied = make(chan struct{})
	ts.Defer(func() { p.end(ts) })

	lines := make(chan string)
	go func() {
		defer close(p.copied)
		defer close(lines)
		for scan := bufio.NewScanner(io.TeeReader(stdout, &p.out)); scan.Scan(); {
			lines <- scan.Text()
		}
	}()
	for line := range lines {
		if m := addressLine.FindStringSubmatch(line); m != nil {
			ts.Setenv(m[1], strings.TrimSuffix(m[2], "/"))
			if base, ok := strings.CutSuffix(m[2], "/metrics"); ok {
				ts.Setenv("ops", base)
			}
		}
		if strings.HasPrefix(line, "Ctrl-C") {
			go func() {
				for range lines {
				}
			}()
			return
		}
	}
	p.cmd.Wait()
	ts.Fatalf("it ended before it listened: %s", p.err.String())
}

// programPath finds the consentgate that testscript has put into the story's PATH.
func programPath(ts *testscript.TestScript) string {
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		name := filepath.Join(dir, "consentgate")
		if _, err := os.Stat(name); err == nil {
			return name
		}
	}
	ts.Fatalf("no consentgate in PATH")
	return ""
}

func stop(ts *testscript.TestScript, neg bool, args []string) {
	p := ts.Value(background{}).(*process)
	ts.Check(p.cmd.Process.Signal(syscall.SIGTERM))
	<-p.copied
	err := p.cmd.Wait()
	ts.Check(os.WriteFile(ts.MkAbs("started.out"), []byte(p.out.String()), 0o644))
	ts.Check(os.WriteFile(ts.MkAbs("started.err"), []byte(p.err.String()), 0o644))
	ts.Check(err)
}

// A record can be read while it is written.
type record struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(p)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

func hangup(ts *testscript.TestScript, neg bool, args []string) {
	ts.Check(ts.Value(background{}).(*process).cmd.Process.Signal(syscall.SIGHUP))
}

func await(ts *testscript.TestScript, neg bool, args []string) {
	p, want := ts.Value(background{}).(*process), regexp.MustCompile(args[0])
	for deadline := time.Now().Add(time.Minute); !want.MatchString(p.err.String()); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			ts.Fatalf("it never said %s", args[0])
		}
	}
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: exits code command args...")
	}
	code, err := 0, ts.Exec(args[1], args[2:]...)
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		code = exit.ExitCode()
	case err != nil:
		ts.Fatalf("%v", err)
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("it exits with %d, want %s", code, args[0])
	}
}

func newVisitor(ts *testscript.TestScript, neg bool, args []string) {
	jar, err := cookiejar.New(nil)
	ts.Check(err)
	*ts.Value(visiting{}).(*http.Client) = *browserLike(jar)
}

func get(ts *testscript.TestScript, neg bool, args []string) {
	request(ts, "GET", args, 1)
}

func post(ts *testscript.TestScript, neg bool, args []string) {
	request(ts, "POST", args, 2)
}

// request writes the response to the file "response", status line first.
func request(ts *testscript.TestScript, method string, args []string, want int) {
	header := http.Header{}
	for len(args) > 2 && args[0] == "-H" {
		name, value, _ := strings.Cut(args[1], ": ")
		header.Add(name, value)
		args = args[2:]
	}
	if len(args) != want {
		ts.Fatalf("%s takes %d arguments", strings.ToLower(method), want)
	}
	var body io.Reader
	if want == 2 {
		form, err := url.ParseQuery(args[1])
		ts.Check(err)
		body = strings.NewReader(form.Encode())
		header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	req, err := http.NewRequest(method, args[0], body)
	ts.Check(err)
	req.Header = header
	req.Host = header.Get("Host")
	resp, err := ts.Value(visiting{}).(*http.Client).Do(req)
	ts.Check(err)
	defer resp.Body.Close()
	var out bytes.Buffer
	fmt.Fprintln(&out, resp.Proto, resp.Status)
	ts.Check(resp.Header.Write(&out))
	out.WriteString("\n")
	_, err = out.ReadFrom(resp.Body)
	ts.Check(err)
	text := bytes.ReplaceAll(out.Bytes(), []byte("\r\n"), []byte("\n"))
	ts.Check(os.WriteFile(ts.MkAbs("response"), text, 0o644))
}

// browserLike takes every name below localhost to be this computer, as browsers
// do, and keeps cookies in jar, which may be nil; it shows redirects rather than
// following them.
func browserLike(jar http.CookieJar) *http.Client {
	dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
		if host, port, err := net.SplitHostPort(addr); err == nil && strings.HasSuffix(host, "localhost") {
			addr = net.JoinHostPort("127.0.0.1", port)
		}
		return new(net.Dialer).DialContext(ctx, network, addr)
	}
	return &http.Client{
		Jar:           jar,
		Transport:     &http.Transport{DialContext: dial, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       2 * time.Minute, // a loaded machine may take long to start
	}
}
