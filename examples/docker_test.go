package examples_test

import (
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// An instruction is one line of a Dockerfile.
type instruction struct{ name, args string }

// lastStage reads the instructions of the image that is kept.
func lastStage(t *testing.T) []instruction {
	t.Helper()
	var stage []instruction
	text := strings.ReplaceAll(readFile(t, top+"/Dockerfile"), "\\\n", "")
	for line := range strings.Lines(text) {
		name, args, ok := strings.Cut(strings.TrimSpace(line), " ")
		switch {
		case !ok || strings.HasPrefix(name, "#"):
		case name == "FROM":
			stage = []instruction{{name, args}}
		default:
			stage = append(stage, instruction{name, args})
		}
	}
	return stage
}

// An image is what the Dockerfile makes of the last stage.
type image struct {
	root       string // folder
	uid        int
	env        []string
	workdir    string
	entrypoint []string
	command    []string
	health     []string
}

// makeImage does what the instructions say, with the files that the build stage
// would hand over.
func makeImage(t *testing.T) image {
	t.Helper()
	i := image{root: t.TempDir()}
	for _, step := range lastStage(t) {
		switch step.name {
		case "FROM":
			if step.args != "scratch" {
				t.Errorf("the image is made from %s", step.args)
			}
		case "COPY":
			i.copyIn(t, step.args)
		case "USER":
			uid, gid, _ := strings.Cut(step.args, ":")
			i.uid, _ = strconv.Atoi(uid) // a name would be none without /etc/passwd
			if i.uid == 0 || uid != gid {
				t.Errorf("it runs as %s", step.args)
			}
		case "ENV":
			i.env = append(i.env, step.args)
		case "WORKDIR":
			i.workdir = step.args
		case "ENTRYPOINT":
			i.entrypoint = execForm(t, step.args)
		case "CMD":
			i.command = execForm(t, step.args)
		case "HEALTHCHECK":
			_, args, _ := strings.Cut(step.args, "CMD ")
			i.health = execForm(t, args)
		case "VOLUME", "EXPOSE", "STOPSIGNAL":
		default:
			t.Errorf("%s: this test does not know what it does", step.name)
		}
	}
	return i
}

// copyIn lays out what a COPY from the build stage brings.
func (i image) copyIn(t *testing.T, args string) {
	t.Helper()
	at := func(name string) string { return filepath.Join(i.root, name) }
	switch args {
	case "--from=build /out/root/ /":
		writeFile(t, at("etc/ssl/certs/ca-certificates.crt"), "")
		copyFile(t, program(t), at("consentgate"), 0o755)
	case "--from=build --chown=65532:65532 /out/data /var/lib/consentgate":
		if err := os.MkdirAll(at("var/lib/consentgate"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(at("var/lib/consentgate"), 65532, 65532); err != nil && os.Geteuid() == 0 {
			t.Fatal(err)
		}
	default:
		t.Errorf("COPY %s: this test does not know what that is", args)
	}
}

func copyFile(t *testing.T, from, to string, mode os.FileMode) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, text, mode); err != nil {
		t.Fatal(err)
	}
}

// execForm reads a command as a list; there is no shell for any other.
func execForm(t *testing.T, text string) (command []string) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &command); err != nil {
		t.Fatalf("%s is not a list of words, and there is no shell in the image", text)
	}
	return command
}

// run makes a command that sees the image's root, which it cannot write, and the
// volume, which it can.
func (i image) run(args ...string) *exec.Cmd {
	const script = `root=$1 id=$2; shift 2
mount --bind "$root" "$root" && mount --bind "$root/var/lib/consentgate" "$root/var/lib/consentgate" &&
mount -o remount,ro,bind "$root" && cd "$root" &&
exec setpriv --no-new-privs chroot --userspec="$id:$id" --groups= "$root" "$@"`
	cmd := exec.Command("unshare", append([]string{"--mount", "sh", "-c", script, "sh", i.root, strconv.Itoa(i.uid)}, args...)...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH")}, i.env...)
	return cmd
}

// TestImage starts the program as the Dockerfile has it: in a root that has
// nothing else, cannot be written, and is not root's.
func TestImage(t *testing.T) {
	if runtime.GOOS != "linux" {
		missing(t, "images are for Linux")
	}
	needRoot(t)
	need(t, "unshare", "setpriv", "chroot")
	i := makeImage(t)

	origin := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		io.WriteString(w, `<!doctype html><html lang="en"><head><title>t</title></head><body>from the origin</body></html>`)
	}))
	defer origin.Close()
	// Where the image has the authorities that it was built with, here is the one
	// that the origin has.
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: origin.Certificate().Raw})
	writeFile(t, filepath.Join(i.root, "etc/ssl/certs/ca-certificates.crt"), string(authority))

	cmd := i.run(append(i.entrypoint, "run", "--upstream", origin.URL, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--data", i.workdir)...)
	cmd.Env = append(cmd.Env, "TZ=Asia/Kathmandu")
	g := startProcess(t, cmd)

	resp, page := newVisitor(t, &http.Transport{}).get(g.url + "/")
	if resp.StatusCode != http.StatusOK || !strings.Contains(page, "from the origin") || !strings.Contains(page, `id="cg-banner"`) {
		t.Errorf("%s\n%s", resp.Status, page)
	}
	if !strings.Contains(g.said.String(), "+05:45") {
		t.Errorf("no time zones: want log lines with +05:45\n%s", g.said)
	}
	for _, name := range []string{"keys", "ledger.db"} {
		if _, err := os.Stat(filepath.Join(i.root, "var/lib/consentgate", name)); err != nil {
			t.Errorf("not in the volume: %v", err)
		}
	}
	i.checkHealth(t, g)
}

var portOf = regexp.MustCompile(`127\.0\.0\.1:\d+`)

// checkHealth runs the image's health check against a gateway that is there,
// and where nobody is.
func (i image) checkHealth(t *testing.T, g gateway) {
	t.Helper()
	there := make([]string, len(i.health))
	for n, word := range i.health {
		there[n] = portOf.ReplaceAllString(word, strings.TrimPrefix(g.ops, "http://"))
	}
	if out, err := i.run(there...).CombinedOutput(); err != nil {
		t.Errorf("health check: %v\n%s", err, out)
	}
	for n, word := range i.health {
		there[n] = portOf.ReplaceAllString(word, "127.0.0.1:1")
	}
	if err := i.run(there...).Run(); err == nil {
		t.Error("the health check is content where nobody is")
	}
}

// TestImageReadsItsFile expects that what the image does without arguments is
// to read a file at the place the documentation names.
func TestImageReadsItsFile(t *testing.T) {
	if runtime.GOOS != "linux" {
		missing(t, "images are for Linux")
	}
	needRoot(t)
	need(t, "unshare", "setpriv", "chroot")
	i := makeImage(t)
	out, err := i.run(append(i.entrypoint, i.command...)...).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "/etc/consentgate/consentgate.yaml: no such file") {
		t.Errorf("%v\n%s", err, out)
	}
}
