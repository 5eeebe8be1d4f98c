package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
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
}

// startCluster makes one and starts it, or skips the test where PostgreSQL is
// not installed.
func startCluster(t testing.TB) *cluster {
	t.Helper()
	bin, err := binaries()
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	c := &cluster{bin: bin, dir: filepath.Join(t.TempDir(), "cluster"), port: freePort(t)}
	must(t, os.Mkdir(c.dir, 0o700))
	must(t, c.dropRoot())
	must(t, c.command("initdb", "-D", c.dir, "-U", "consentgate", "-A", "trust", "-N", "--locale=C.UTF-8").run())
	c.start(t)
	t.Cleanup(func() { c.stop() })
	return c
}

// binaries finds where initdb and pg_ctl are.
func binaries() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	dirs, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(dirs) == 0 {
		return "", errors.New("PostgreSQL is not installed (Debian: apt install postgresql)")
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
	for dir := filepath.Dir(c.dir); dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			return err
		}
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

func (c *cluster) start(t testing.TB) {
	t.Helper()
	options := fmt.Sprintf("-p %d -k %s -c listen_addresses=127.0.0.1 -c max_connections=50", c.port, c.dir)
	must(t, c.command("pg_ctl", "-D", c.dir, "-w", "-l", filepath.Join(c.dir, "log"), "-o", options, "start").run())
}

// stop is like pulling the plug of the server's process.
func (c *cluster) stop() {
	_ = c.command("pg_ctl", "-D", c.dir, "-w", "-m", "immediate", "stop").run() // it may be stopped already
}

// database makes an empty one and returns its address.
func (c *cluster) database(t testing.TB) string {
	t.Helper()
	name := "t" + strconv.FormatInt(int64(os.Getpid()), 36) + strings.ToLower(strings.Map(letters, t.Name()))
	name = name[:min(len(name), 60)]
	db := connect(t, c.url("postgres", c.port))
	defer db.Close()
	_, err := db.ExecContext(context.Background(), "CREATE DATABASE "+name)
	must(t, err)
	return c.url(name, c.port)
}

func letters(r rune) rune {
	if 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' {
		return r
	}
	return -1
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

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
