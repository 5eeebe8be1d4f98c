package examples_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// An nfpmConfig is what this project uses of nfpm's configuration, on its own
// and within goreleaser's.
type nfpmConfig struct {
	ID           string        `yaml:"id"`
	Name         string        `yaml:"name"`
	PackageName  string        `yaml:"package_name"`
	Formats      []string      `yaml:"formats"`
	Arch         string        `yaml:"arch"`
	Platform     string        `yaml:"platform"`
	Version      string        `yaml:"version"`
	Section      string        `yaml:"section"`
	Priority     string        `yaml:"priority"`
	Maintainer   string        `yaml:"maintainer"`
	Description  string        `yaml:"description"`
	Homepage     string        `yaml:"homepage"`
	License      string        `yaml:"license"`
	Bindir       string        `yaml:"bindir"`
	Mtime        string        `yaml:"mtime"`
	Depends      []string      `yaml:"depends"`
	Dependencies []string      `yaml:"dependencies"`
	Recommends   []string      `yaml:"recommends"`
	Contents     []nfpmContent `yaml:"contents"`
	Scripts      struct {
		PostInstall string `yaml:"postinstall"`
		PreRemove   string `yaml:"preremove"`
		PostRemove  string `yaml:"postremove"`
	} `yaml:"scripts"`
}

type nfpmContent struct {
	Src  string `yaml:"src"`
	Dst  string `yaml:"dst"`
	Type string `yaml:"type"`
}

// TestReleasesArePackagedAlike expects a release to have the package that the
// other tests are about.
func TestReleasesArePackagedAlike(t *testing.T) {
	var want nfpmConfig
	decodeStrict(t, top+"/nfpm.yaml", &want)
	got := readGoreleaser(t).NFPMs[0]

	if got.PackageName != want.Name || !slices.Equal(got.Dependencies, want.Depends) || got.Bindir != "/usr/bin" {
		t.Errorf("goreleaser: %q %q %q, nfpm: %q %q", got.PackageName, got.Dependencies, got.Bindir, want.Name, want.Depends)
	}
	want.Contents = slices.DeleteFunc(want.Contents, func(c nfpmContent) bool { return c.Dst == "/usr/bin/consentgate" })
	// What is called otherwise there, or comes from the release itself.
	got.ID, got.PackageName, got.Formats, got.Bindir, got.Mtime, got.Dependencies = "", "", nil, "", "", nil
	want.Name, want.Arch, want.Platform, want.Version, want.Depends = "", "", "", "", nil
	if !reflect.DeepEqual(got, want) {
		t.Errorf("goreleaser:\n%+v\nnfpm:\n%+v", got, want)
	}
}

// packageTool is nfpm.
func packageTool(t *testing.T) string {
	t.Helper()
	if runtime.GOOS != "linux" {
		missing(t, "the package is for Debian")
	}
	need(t, "dpkg", "dpkg-deb")
	nfpm, err := nfpmOnce()
	if err != nil {
		missing(t, err.Error())
	}
	return nfpm
}

// pack makes the package of a version, as make package does.
func pack(t *testing.T, nfpm, version string) string {
	t.Helper()
	tree := t.TempDir()
	for _, name := range []string{"nfpm.yaml", "examples", "consent", "LICENSE", "OPERATIONS.md"} {
		whole, err := filepath.Abs(filepath.Join(top, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(whole, filepath.Join(tree, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(tree, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	copyFile(t, program(t), filepath.Join(tree, "bin/consentgate"), 0o755)
	deb := filepath.Join(tree, "consentgate.deb")
	cmd := exec.Command(nfpm, "package", "--packager", "deb", "--target", deb)
	cmd.Dir = tree
	cmd.Env = append(os.Environ(), "VERSION="+version, "GOARCH="+runtime.GOARCH, "SOURCE_DATE_EPOCH=1767225600")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("nfpm: %v\n%s", err, out)
	}
	return deb
}

// A debian is a throw-away root with nothing in it but dpkg's records.
type debian struct {
	t    *testing.T
	root string
}

func newDebian(t *testing.T) debian {
	t.Helper()
	d := debian{t, t.TempDir()}
	if err := os.Chmod(d.root, 0o755); err != nil { // users of their own will look into it
		t.Fatal(err)
	}
	for _, dir := range []string{"var/lib/dpkg/info", "var/lib/dpkg/updates", "var/lib/dpkg/triggers", "etc"} {
		if err := os.MkdirAll(d.at(dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	writeFile(t, d.at("var/lib/dpkg/status"), "")
	return d
}

func (d debian) at(name string) string { return filepath.Join(d.root, name) }

// dpkg works on the root from outside, as installers of images do: there is no
// shell inside, and scripts are told by DPKG_ROOT.
func (d debian) dpkg(args ...string) {
	d.t.Helper()
	output(d.t, "dpkg", append([]string{"--root=" + d.root, "--log=" + d.at("dpkg.log"), "--force-script-chrootless", "--force-depends", "--force-confdef"}, args...)...)
}

func (d debian) has(name string) bool {
	_, err := os.Lstat(d.at(name))
	return err == nil
}

// TestPackage installs, upgrades, removes and purges it, and expects Debian's
// customs: what the admin wrote stays until purge, and so does the record of consent.
func TestPackage(t *testing.T) {
	needRoot(t)
	nfpm := packageTool(t)
	need(t, "systemd-sysusers", "systemctl")
	one, two := pack(t, nfpm, "v1.2.3"), pack(t, nfpm, "v1.3.0-rc.1")
	if again := pack(t, nfpm, "v1.2.3"); readFile(t, one) != readFile(t, again) {
		t.Error("two packages of the same version differ")
	}
	d := newDebian(t)

	d.dpkg("--install", one)
	for _, name := range []string{"usr/bin/consentgate", "usr/lib/systemd/system/consentgate.service", "etc/consentgate/consentgate.yaml"} {
		if !d.has(name) {
			t.Errorf("%s is not there", name)
		}
	}
	if !strings.Contains(readFile(t, d.at("etc/passwd")), "\nconsentgate:") && !strings.HasPrefix(readFile(t, d.at("etc/passwd")), "consentgate:") {
		t.Errorf("no user:\n%s", readFile(t, d.at("etc/passwd")))
	}
	if d.has("etc/systemd/system/multi-user.target.wants/consentgate.service") {
		t.Error("it would start before anybody has named a site")
	}
	output(t, d.at("usr/bin/consentgate"), "check", d.at("etc/consentgate/consentgate.yaml"))

	// An admin at work, and visitors.
	output(t, "systemctl", "--root="+d.root, "enable", "consentgate.service", "consentgate.socket")
	writeFile(t, d.at("etc/consentgate/consentgate.yaml"), "sites: [{upstream: {url: 'http://127.0.0.1:1'}}]\n")
	writeFile(t, d.at("etc/consentgate/environment"), "ORIGIN_SECRET=x\n")
	writeFile(t, d.at("var/lib/consentgate/ledger.db"), "what visitors agreed to")

	kept := func(when string) {
		t.Helper()
		if !strings.Contains(readFile(t, d.at("etc/consentgate/consentgate.yaml")), "127.0.0.1:1") || !d.has("var/lib/consentgate/ledger.db") {
			t.Errorf("%s lost something", when)
		}
	}
	d.dpkg("--install", two)
	kept("the upgrade")
	if !d.has("etc/systemd/system/multi-user.target.wants/consentgate.service") {
		t.Error("the upgrade has disabled the service")
	}
	if v := output(t, "dpkg-query", "--admindir="+d.at("var/lib/dpkg"), "-W", "-f", "${Version}", "consentgate"); v != "1.3.0~rc.1" {
		t.Errorf("its version is %s", v)
	}
	d.dpkg("--remove", "consentgate")
	kept("removal")
	if d.has("usr/bin/consentgate") || d.has("etc/systemd/system/multi-user.target.wants/consentgate.service") || d.has("etc/systemd/system/sockets.target.wants/consentgate.socket") {
		t.Error("removal has left the program, or something that starts it")
	}
	d.dpkg("--install", two)
	kept("coming back")
	d.dpkg("--purge", "consentgate")
	for _, name := range []string{"var/lib/consentgate", "etc/consentgate", "usr/share/doc/consentgate", "usr/lib/sysusers.d/consentgate.conf"} {
		if d.has(name) {
			t.Errorf("purge has left %s", name)
		}
	}
}
