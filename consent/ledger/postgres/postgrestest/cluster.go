// Package postgrestest starts a PostgreSQL for tests, in a temporary folder and
// on loopback.
package postgrestest

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
)

// A Cluster is a PostgreSQL of the tests' own.
type Cluster struct {
	Port int

	bin, dir string
	as       *syscall.SysProcAttr // PostgreSQL refuses to run as root
	made     atomic.Int32         // databases
	syncs    bool                 // to the disk, as benchmarks want
}

// ErrNotInstalled is why there is none on many computers.
var ErrNotInstalled = errors.New("PostgreSQL is not installed (Debian: apt install postgresql)")

// Start starts one for a test and all below it; where PostgreSQL is not
// installed the test is skipped, or fails in continuous integration.
func Start(t testing.TB) *Cluster {
	t.Helper()
	c, err := New(false)
	switch {
	case errors.Is(err, ErrNotInstalled) && os.Getenv("CI") != "true":
		t.Skip(err)
	case err != nil:
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Remove() })
	return c
}

// New starts one. Unless syncs, it does not wait for the disk: tests end
// processes, not the machine.
func New(syncs bool) (*Cluster, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "consentgate-postgres-")
	if err != nil {
		return nil, err
	}
	c := &Cluster{bin: bin, dir: filepath.Join(dir, "cluster"), syncs: syncs}
	if c.Port, err = freePort(); err != nil {
		return nil, err
	}
	if err := errors.Join(os.Mkdir(c.dir, 0o700), c.dropRoot()); err != nil {
		return nil, err
	}
	if err := c.run("initdb", "-D", c.dir, "-U", "consentgate", "-A", "trust", "-N", "--locale=C.UTF-8"); err != nil {
		return nil, err
	}
	return c, c.Start()
}

// binaries finds where initdb and pg_ctl are.
func binaries() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	dirs, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(dirs) == 0 {
		return "", ErrNotInstalled
	}
	return filepath.Dir(slices.Max(dirs)), nil
}

func (c *Cluster) dropRoot() error {
	if os.Getuid() != 0 {
		return nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return err
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return err
	}
	c.as = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	if err := os.Chmod(filepath.Dir(c.dir), 0o755); err != nil {
		return err
	}
	return os.Chown(c.dir, int(uid), int(gid))
}

// run tells what the command said where it failed. Its output goes to a file:
// a server that it leaves behind would keep a pipe open.
func (c *Cluster) run(name string, args ...string) error {
	program := filepath.Join(c.bin, name)
	if _, err := os.Stat(program); err != nil {
		program = name // a client's, elsewhere
	}
	cmd := exec.Command(program, args...)
	cmd.SysProcAttr, cmd.Dir = c.as, c.dir
	out, err := os.CreateTemp("", "postgres-*.log")
	if err != nil {
		return err
	}
	defer os.Remove(out.Name())
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); err != nil {
		said, _ := os.ReadFile(out.Name())
		return fmt.Errorf("%s: %w: %s", cmd.Path, err, said)
	}
	return nil
}

// Start starts it after it was stopped.
func (c *Cluster) Start() error {
	options := fmt.Sprintf("-p %d -k %s -c listen_addresses=127.0.0.1 -c max_connections=50", c.Port, c.dir)
	if !c.syncs {
		options += " -c fsync=off"
	}
	return c.run("pg_ctl", "-D", c.dir, "-w", "-l", filepath.Join(c.dir, "log"), "-o", options, "start")
}

// Stop is like pulling the plug of the server's process.
func (c *Cluster) Stop() error {
	return c.run("pg_ctl", "-D", c.dir, "-w", "-m", "immediate", "stop")
}

// Remove stops it and leaves nothing behind.
func (c *Cluster) Remove() error {
	_ = c.Stop() // it may be stopped
	return os.RemoveAll(filepath.Dir(c.dir))
}

// Database makes an empty one and returns its URL.
func (c *Cluster) Database(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("ledger%d", c.made.Add(1))
	err := c.run("createdb", "-h", "127.0.0.1", "-p", strconv.Itoa(c.Port), "-U", "consentgate", "-T", "template0", name)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("postgres://consentgate@127.0.0.1:%d/%s?sslmode=disable", c.Port, name)
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
