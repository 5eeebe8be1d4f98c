package examples_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestUnits has systemd itself judge the units, in a root where the package is
// installed.
func TestUnits(t *testing.T) {
	needRoot(t)
	nfpm := packageTool(t)
	need(t, "systemd-analyze")
	d := newDebian(t)
	d.dpkg("--install", pack(t, nfpm, "v1.2.3"))
	for _, target := range []string{"sysinit", "basic", "shutdown", "sockets", "multi-user", "network-online"} {
		writeFile(t, d.at("usr/lib/systemd/system/"+target+".target"), "[Unit]\nDescription=for the test\n")
	}
	said := output(t, "systemd-analyze", "verify", "--root="+d.root, "--man=no", "consentgate.service", "consentgate.socket", "consentgate-tls.socket")
	if strings.Contains(said, "consentgate") {
		t.Errorf("systemd-analyze verify:\n%s", said)
	}
	// 0 is a service that can do nothing, 10 one that can do everything.
	const bound = 20 // tenths
	out, err := exec.Command("systemd-analyze", "security", "--root="+d.root, "--offline=true", fmt.Sprintf("--threshold=%d", bound), "--no-pager", "consentgate.service").CombinedOutput()
	if err != nil {
		t.Errorf("exposed more than %d/10: %v\n%s", bound, err, out)
	}
	if level := regexp.MustCompile(`Overall exposure level.*`).Find(out); level != nil {
		t.Logf("%s", level)
	}
}

// A unit is what its file says, by section and name; names can repeat.
type unit map[string][]string

func readUnit(t *testing.T, name string) unit {
	t.Helper()
	u, section := unit{}, ""
	for line := range strings.Lines(readFile(t, name)) {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#':
		case line[0] == '[':
			section = strings.Trim(line, "[]")
		default:
			key, value, _ := strings.Cut(line, "=")
			u[section+"."+key] = append(u[section+"."+key], value)
		}
	}
	return u
}

// one is a value of the section Service that is there once.
func (u unit) one(t *testing.T, key string) string {
	t.Helper()
	if values := u["Service."+key]; len(values) == 1 {
		return values[0]
	}
	t.Fatalf("%s= is there %d times", key, len(u["Service."+key]))
	return ""
}

// cage has the restrictions of the unit that can be had without systemd: a root
// that cannot be written, a state folder that can, a /tmp of its own, no homes,
// hardly a device, one capability, and no way to get more rights. The filter of
// system calls is not there.
const cage = `set -e
root=$1 uid=$2 gid=$3; shift 3
mount --bind "$root" /mnt
install -d -o "$uid" -g "$gid" -m 700 /mnt/var/lib/consentgate
mount --bind /mnt/var/lib/consentgate /mnt/var/lib/consentgate
for d in /tmp /var/tmp; do mount -t tmpfs -o mode=1777,nosuid,nodev tmp $d; done
for d in /home /root; do mount -t tmpfs -o mode=000 none $d; done
mount -t tmpfs -o mode=755,nosuid,noexec dev /dev
mknod -m 666 /dev/null c 1 3; mknod -m 666 /dev/zero c 1 5; mknod -m 666 /dev/urandom c 1 9
for d in / /mnt /run; do ! mountpoint -q $d || mount -o remount,ro,bind $d; done
cd /
umask 0077
[ -z "$LISTEN_FDS" ] || export LISTEN_PID=$$
exec setpriv --reuid="$uid" --regid="$gid" --clear-groups --no-new-privs \
  --bounding-set=-all,+net_bind_service --inh-caps=-all,+net_bind_service --ambient-caps=-all,+net_bind_service -- "$@"`

// caged is a command in the cage, where the installed root is /mnt.
func (d debian) caged(args ...string) *exec.Cmd {
	d.t.Helper()
	fields := strings.Split(regexp.MustCompile(`(?m)^consentgate:.*$`).FindString(readFile(d.t, d.at("etc/passwd"))), ":")
	if len(fields) < 4 {
		d.t.Fatal("the package has made no user")
	}
	return exec.Command("unshare", append([]string{"--mount", "sh", "-c", cage, "sh", d.root, fields[2], fields[3]}, args...)...)
}

// checkCage expects the restrictions to be those that the unit asks for.
func (d debian) checkCage(u unit) {
	d.t.Helper()
	for key, want := range map[string]string{
		"ProtectSystem": "strict", "ProtectHome": "yes", "PrivateTmp": "yes", "PrivateDevices": "yes", "NoNewPrivileges": "yes",
		"CapabilityBoundingSet": "CAP_NET_BIND_SERVICE", "AmbientCapabilities": "CAP_NET_BIND_SERVICE",
		"StateDirectory": "consentgate", "StateDirectoryMode": "0700", "UMask": "0077",
	} {
		if got := u.one(d.t, key); got != want {
			d.t.Errorf("%s=%s; the cage is for %s", key, got, want)
		}
	}
	out, err := d.caged("sh", "-c", `
for f in /etc/x /mnt/etc/x /usr/x /run/x /mnt/var/lib/x; do ! touch $f 2>/dev/null || echo "wrote $f"; done
! ls /root 2>/dev/null || echo "looked into /root"
touch /tmp/x /mnt/var/lib/consentgate/x || echo "could not write its own"`).CombinedOutput()
	if err != nil || len(out) > 0 {
		d.t.Fatalf("the cage does not hold: %v\n%s", err, out)
	}
}

// TestServiceUnderItsRestrictions starts what the package's unit starts, with the
// package's own configuration, as that user and with no more rights.
func TestServiceUnderItsRestrictions(t *testing.T) {
	needRoot(t)
	nfpm := packageTool(t)
	need(t, "unshare", "setpriv", "systemd-sysusers")
	d := newDebian(t)
	d.dpkg("--install", pack(t, nfpm, "v1.2.3"))
	u := readUnit(t, d.at("usr/lib/systemd/system/consentgate.service"))
	d.checkCage(u)

	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, `<!doctype html><html lang="en"><head><title>t</title></head><body>from the origin</body></html>`)
	}))
	defer origin.Close()
	conf := readFile(t, d.at("etc/consentgate/consentgate.yaml"))

	t.Run("listening by itself", func(t *testing.T) {
		d.configure(t, conf, `"127.0.0.1:0"`, origin.URL)
		d.serveCaged(t, u, nil)
	})
	t.Run("on the socket of systemd", func(t *testing.T) {
		d.configure(t, conf, "systemd:http", origin.URL)
		name := readUnit(t, d.at("usr/lib/systemd/system/consentgate.socket"))["Socket.FileDescriptorName"][0]
		l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		file, err := l.File()
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		d.serveCaged(t, u, file, "LISTEN_FDS=1", "LISTEN_FDNAMES="+name)
	})
}

// serveCaged starts the service, visits it, and looks at what it may do.
func (d debian) serveCaged(t *testing.T, u unit, socket *os.File, env ...string) {
	t.Helper()
	told := hear(t)
	cmd := d.caged(strings.Fields(strings.NewReplacer(" /", " /mnt/", "/usr/", "/mnt/usr/").Replace(u.one(t, "ExecStart")))...)
	cmd.Env = append(append(os.Environ(), "NOTIFY_SOCKET="+told.name), env...)
	if socket != nil {
		cmd.ExtraFiles = []*os.File{socket} // 3, as systemd hands it over
	}
	g := startProcess(t, cmd)
	told.expect("READY=1")

	if _, page := newVisitor(t, &http.Transport{}).get(g.url + "/"); !strings.Contains(page, "from the origin") {
		t.Errorf("the site is not there:\n%s", page)
	}
	status := readFile(t, "/proc/"+strconv.Itoa(cmd.Process.Pid)+"/status")
	for _, want := range []string{"NoNewPrivs:\t1", "CapBnd:\t0000000000000400", "CapEff:\t0000000000000400", "Groups:\t \n"} {
		if !strings.Contains(status, want) {
			t.Errorf("not %q in\n%s", want, status)
		}
	}
	for _, name := range []string{"keys", "ledger.db"} {
		info, err := os.Stat(d.at("var/lib/consentgate/" + name))
		if err != nil {
			t.Error(err)
		} else if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("others may read %s: %v", name, info.Mode())
		}
	}
	d.upgradeCaged(t, cmd, told, g)
}

// upgradeCaged does what the package does to a running service: puts another file
// in the program's place, and has it take over.
func (d debian) upgradeCaged(t *testing.T, cmd *exec.Cmd, told ear, g gateway) {
	t.Helper()
	copyFile(t, program(t), d.at("usr/bin/new"), 0o755)
	if err := os.Rename(d.at("usr/bin/new"), d.at("usr/bin/consentgate")); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(syscall.SIGUSR2); err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(told.expect("MAINPID="))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
			t.Errorf("the new process has gone: %v", err)
		}
	})
	eventually(t, "the old process has ended", func() bool { return !running(cmd.Process.Pid) })
	if _, page := newVisitor(t, &http.Transport{}).get(g.url + "/"); !strings.Contains(page, "from the origin") {
		t.Errorf("after the upgrade:\n%s", page)
	}
}

// running tells a process that does something from one that has ended and that
// nobody has waited for.
func running(pid int) bool {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	return err == nil && !strings.Contains(string(status), "State:\tZ")
}

// configure writes the package's configuration with another origin and other places
// to listen, and with the folders as they are in the cage.
func (d debian) configure(t *testing.T, conf, listen, origin string) {
	t.Helper()
	writeFile(t, d.at("etc/consentgate/consentgate.yaml"), replaced(t, conf, `":8080"`, listen, "127.0.0.1:9090", `"127.0.0.1:0"`,
		"http://127.0.0.1:8081", origin, "data: /var", "data: /mnt/var"))
}

// An ear hears what a service tells systemd (sd_notify(3)).
type ear struct {
	t    *testing.T
	name string
	conn *net.UnixConn
}

func hear(t *testing.T) ear {
	t.Helper()
	name := "@" + t.TempDir() // abstract: no file, seen from any root
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return ear{t, name, conn}
}

// expect waits for a message with a line that begins in a way, and returns the
// rest of it.
func (e ear) expect(line string) (rest string) {
	e.t.Helper()
	if err := e.conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		e.t.Fatal(err)
	}
	for buf := make([]byte, 4096); ; {
		n, err := e.conn.Read(buf)
		if err != nil {
			e.t.Fatalf("systemd was not told %s: %v", line, err)
		}
		for said := range strings.SplitSeq(string(buf[:n]), "\n") {
			if value, ok := strings.CutPrefix(said, line); ok {
				return value
			}
		}
	}
}
