package postgres

import (
	"context"
	"database/sql"
	"errors"
	"flag"
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

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// A cluster is a PostgreSQL of the tests' own, in a temporary folder and on
// loopback.
type cluster struct {
	bin, dir string
	port     int
	as       *syscall.SysProcAttr // PostgreSQL refuses to run as root
	made     atomic.Int32         // databases
	syncs    bool                 // to the disk, as benchmarks want
}

// shared is the cluster of all tests, or why there is none.
var shared struct {
	*cluster
	err error
}

func TestMain(m *testing.M) {
	flag.Parse()
	shared.cluster, shared.err = newCluster(flag.Lookup("test.bench").Value.String() != "")
	code := m.Run()
	if shared.cluster != nil {
		_ = shared.stop()
		_ = os.RemoveAll(filepath.Dir(shared.dir))
	}
	os.Exit(code)
}

// running is the cluster, started; where PostgreSQL is not installed the test
// is skipped.
func running(t testing.TB) *cluster {
	t.Helper()
	switch {
	case errors.Is(shared.err, errNotInstalled) && os.Getenv("CI") != "true":
		t.Skip(shared.err)
	case shared.err != nil:
		t.Fatal(shared.err)
	}
	return shared.cluster
}

func newCluster(syncs bool) (*cluster, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "consentgate-postgres-")
	if err != nil {
		return nil, err
	}
	c := &cluster{bin: bin, dir: filepath.Join(dir, "cluster"), syncs: syncs}
	if c.port, err = freePort(); err != nil {
		return nil, err
	}
	if err := errors.Join(os.Mkdir(c.dir, 0o700), c.dropRoot()); err != nil {
		return nil, err
	}
	err = c.command("initdb", "-D", c.dir, "-U", "consentgate", "-A", "trust", "-N", "--locale=C.UTF-8").run()
	if err != nil {
		return nil, err
	}
	return c, c.start()
}

var errNotInstalled = errors.New("PostgreSQL is not installed (Debian: apt install postgresql)")

// binaries finds where initdb and pg_ctl are.
func binaries() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	dirs, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(dirs) == 0 {
		return "", errNotInstalled
	}
	return filepath.Dir(slices.Max(dirs)), nil
}

func (c *cluster) dropRoot() error {
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

type command struct{ *exec.Cmd }

func (c *cluster) command(name string, args ...string) command {
	cmd := exec.Command(filepath.Join(c.bin, name), args...)
	cmd.SysProcAttr, cmd.Dir = c.as, c.dir
	return command{cmd}
}

// run tells what the command said where it failed. Its output goes to a file:
// a server that it leaves behind would keep a pipe open.
func (c command) run() error {
	out, err := os.CreateTemp("", "postgres-*.log")
	if err != nil {
		return err
	}
	defer os.Remove(out.Name())
	defer out.Close()
	c.Stdout, c.Stderr = out, out
	if err := c.Run(); err != nil {
		said, _ := os.ReadFile(out.Name())
		return fmt.Errorf("%s: %w: %s", c.Path, err, said)
	}
	return nil
}

func (c *cluster) start() error {
	options := fmt.Sprintf("-p %d -k %s -c listen_addresses=127.0.0.1 -c max_connections=50", c.port, c.dir)
	if !c.syncs {
		options += " -c fsync=off" // the tests end processes, not the machine
	}
	return c.command("pg_ctl", "-D", c.dir, "-w", "-l", filepath.Join(c.dir, "log"), "-o", options, "start").run()
}

// stop is like pulling the plug of the server's process.
func (c *cluster) stop() error {
	return c.command("pg_ctl", "-D", c.dir, "-w", "-m", "immediate", "stop").run()
}

// database makes an empty one and returns its address.
func (c *cluster) database(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("ledger%d", c.made.Add(1))
	db := connect(t, c.url("postgres", c.port))
	defer db.Close()
	_, err := db.ExecContext(context.Background(), "CREATE DATABASE "+name)
	must(t, err)
	return c.url(name, c.port)
}

func (c *cluster) url(database string, port int) string {
	return fmt.Sprintf("postgres://consentgate@127.0.0.1:%d/%s?sslmode=disable", port, database)
}

func connect(t testing.TB, url string) *sql.DB {
	t.Helper()
	conf, err := pgx.ParseConfig(url)
	must(t, err)
	return stdlib.OpenDB(*conf)
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
