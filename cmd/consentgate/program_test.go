package main

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// What tests of the whole program share: it as a process of its own.

// A program is a consentgate that runs.
type program struct {
	visitors  string // host:port
	operators string
	process   *os.Process
	log       syncBuffer
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// runProgram starts a program with a configuration; what is not in it is loopback and
// a folder of the test's own. The test binary plays the program, so it has the
// race detector if the test has.
func runProgram(t testing.TB, config string) *program {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return runBinary(t, self, config)
}

// buildProgram makes the program as it is shipped: what it takes of the memory
// is what it will take elsewhere.
func buildProgram(t testing.TB) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "consentgate")
	if out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return path
}

func runBinary(t testing.TB, path, config string) *program {
	t.Helper()
	file := filepath.Join(t.TempDir(), "consentgate.yaml")
	writeConfig(t, file, config)
	return runConfigured(t, path, file)
}

// writeConfig writes or replaces a configuration as runProgram takes it.
func writeConfig(t testing.TB, file, config string) {
	t.Helper()
	data := filepath.Join(filepath.Dir(file), "data")
	config = "listen: [127.0.0.1:0]\nops: 127.0.0.1:0\ndata: " + data + "\n" + config
	if err := os.WriteFile(file+".new", []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		t.Fatal(err)
	}
}

func runConfigured(t testing.TB, path, file string) *program {
	t.Helper()
	cmd := exec.Command(path, "run", "--config", file)
	cmd.Args[0] = "consentgate"
	p := new(program)
	cmd.Stderr = &p.log
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.process = cmd.Process
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("the program said:\n%s", tail(p.log.String(), 4000))
		}
	})
	p.awaitAddresses(t, stdout)
	return p
}

// awaitAddresses reads where the program listens.
func (p *program) awaitAddresses(t testing.TB, stdout io.Reader) {
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		switch word := strings.Fields(lines.Text()); {
		case len(word) == 2 && word[0] == "visitors":
			p.visitors = strings.TrimPrefix(word[1], "http://")
		case len(word) == 2 && word[0] == "operators":
			p.operators = strings.TrimSuffix(strings.TrimPrefix(word[1], "http://"), "/metrics")
		case strings.HasPrefix(lines.Text(), "Ctrl-C"):
			go func() { _, _ = io.Copy(io.Discard, stdout) }()
			return
		}
	}
	t.Fatalf("the program did not start:\n%s", p.log.String())
}

func tail(s string, n int) string { return s[max(0, len(s)-n):] }

// skipOrFail is for what a test needs and this computer lacks.
func skipOrFail(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(why)
	}
	t.Skip(why)
}
