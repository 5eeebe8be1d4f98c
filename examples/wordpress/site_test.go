package wordpress

import (
	"bufio"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// need skips a test for want of a program, and fails it in CI, where all of
// them are installed.
func need(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err == nil {
			continue
		}
		if os.Getenv("CI") != "" {
			t.Fatalf("%s is missing", p)
		}
		t.Skipf("skipped: %s is not installed; `make test` installs it where it can", p)
	}
}

// startWordPress runs the example's site and returns its address.
func startWordPress(t *testing.T) string {
	t.Helper()
	need(t, "bash", "php", "mariadbd")
	dir := t.TempDir()
	port := strconv.Itoa(freePort(t))
	out, err := exec.Command("bash", "wordpress.sh", "start", dir, port).CombinedOutput()
	t.Cleanup(func() {
		if out, err := exec.Command("bash", "wordpress.sh", "stop", dir).CombinedOutput(); err != nil {
			t.Errorf("stop WordPress: %v\n%s", err, out)
		}
	})
	if err != nil {
		t.Fatalf("start WordPress: %v\n%s", err, out)
	}
	return "http://127.0.0.1:" + port
}

// startGateway builds the program and runs it as a user would, without a
// configuration file. It returns its address.
func startGateway(t *testing.T, upstream string) string {
	t.Helper()
	dir := t.TempDir()
	binary := filepath.Join(dir, "consentgate")
	if out, err := exec.Command("go", "build", "-o", binary, "../../cmd/consentgate").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	listen := "127.0.0.1:" + strconv.Itoa(freePort(t))
	cmd := exec.Command(binary, "run", "--upstream", upstream, "--listen", listen, "--data", filepath.Join(dir, "data"))
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := make(chan struct{})
	go func() {
		defer close(said)
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			if text := lines.Text(); !strings.Contains(text, `"message":"request"`) || strings.Contains(text, `"level":"warn"`) {
				t.Log(text)
			}
		}
	}()
	t.Cleanup(func() {
		cmd.Process.Signal(os.Interrupt)
		<-said
		if err := cmd.Wait(); err != nil {
			t.Errorf("the gateway did not end well: %v", err)
		}
	})
	waitFor(t, listen)
	return "http://" + listen
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func waitFor(t *testing.T, addr string) {
	t.Helper()
	for range 300 {
		c, err := net.DialTimeout("tcp", addr, deadline)
		if err == nil {
			c.Close()
			return
		}
		pause()
	}
	t.Fatalf("nobody listens on %s", addr)
}
