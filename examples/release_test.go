package examples_test

import (
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// buildLine is the one way in which releases are built.
var buildLine = regexp.MustCompile(`go build (-trimpath .*?) -o \S+ \./cmd/consentgate`)

// word is one as a shell sees it, quotes included.
var word = regexp.MustCompile(`(?:[^\s"]|"[^"]*")+`)

// buildRelease builds the program of a source tree with the flags that the
// Dockerfile has.
func buildRelease(tree, name string) error {
	text, err := os.ReadFile(filepath.Join(top, "Dockerfile"))
	if err != nil {
		return err
	}
	flags, err := buildFlags(string(text))
	if err != nil {
		return fmt.Errorf("Dockerfile: %w", err)
	}
	cmd := exec.Command("go", slices.Concat([]string{"build"}, flags, []string{"-o", name, "./cmd/consentgate"})...)
	cmd.Dir = tree
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build: %w\n%s", err, out)
	}
	return nil
}

// buildFlags finds the flags in a line with go build.
func buildFlags(text string) ([]string, error) {
	m := buildLine.FindStringSubmatch(text)
	if m == nil {
		return nil, fmt.Errorf("no line like %v", buildLine)
	}
	flags := word.FindAllString(m[1], -1)
	for i, f := range flags {
		flags[i] = strings.ReplaceAll(f, `"`, "")
	}
	return flags, nil
}

// TestEverybodyBuildsTheSame expects Makefile, Dockerfile and goreleaser to build
// the same program, so that what is tested is what is shipped.
func TestEverybodyBuildsTheSame(t *testing.T) {
	want, err := buildFlags(readFile(t, top+"/Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	made, err := buildFlags(readFile(t, top+"/Makefile"))
	if err != nil {
		t.Fatalf("Makefile: %v", err)
	}
	if !slices.Equal(made, want) {
		t.Errorf("Makefile: %q, Dockerfile: %q", made, want)
	}
	for _, b := range readGoreleaser(t).Builds {
		got := slices.Clone(b.Flags)
		for _, l := range b.Ldflags {
			got = append(got, "-ldflags="+l)
		}
		if !slices.Equal(got, want) || !slices.Contains(b.Env, "CGO_ENABLED=0") {
			t.Errorf(".goreleaser.yaml: %q with %q, Dockerfile: %q", got, b.Env, want)
		}
		if b.Main != "./cmd/consentgate" {
			t.Errorf(".goreleaser.yaml builds %s", b.Main)
		}
	}
}

// TestBuildsAreStatic expects a program that needs nothing of the system.
func TestBuildsAreStatic(t *testing.T) {
	if runtime.GOOS != "linux" {
		missing(t, "only Linux has ELF files")
	}
	f, err := elf.Open(program(t))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
			t.Errorf("it has a %v segment: it is linked dynamically", p.Type)
		}
	}
}

// TestBuildsAreReproducible builds the same sources in another place, and
// expects the same bytes.
func TestBuildsAreReproducible(t *testing.T) {
	needRepository(t)
	one, other := t.TempDir(), t.TempDir()
	binaries := []string{filepath.Join(t.TempDir(), "one"), filepath.Join(t.TempDir(), "other")}
	for i, tree := range []string{one, other} {
		output(t, "git", "clone", "-q", "--no-hardlinks", top, tree)
		if err := buildRelease(tree, binaries[i]); err != nil {
			t.Fatal(err)
		}
	}
	if readFile(t, binaries[0]) != readFile(t, binaries[1]) {
		t.Error("two builds of one commit differ")
	}
	said := output(t, binaries[0], "version")
	if !regexp.MustCompile(`^consentgate v\d+\.\d+\.\d+\S* go1\.\d+`).MatchString(said) || strings.Contains(said, "dirty") {
		t.Errorf("a clean checkout calls itself %q", said)
	}
}

// TestTagsBecomeVersions expects a release to know its name from the tag alone.
func TestTagsBecomeVersions(t *testing.T) {
	needRepository(t)
	tree, binary := t.TempDir(), filepath.Join(t.TempDir(), "consentgate")
	output(t, "git", "clone", "-q", top, tree)
	output(t, "git", "-C", tree, "-c", "user.name=t", "-c", "user.email=t@example.org", "tag", "-f", "-a", "-m", "release", "v0.987.6")
	if err := buildRelease(tree, binary); err != nil {
		t.Fatal(err)
	}
	if said := output(t, binary, "version"); !strings.HasPrefix(said, "consentgate v0.987.6 go1.") {
		t.Errorf("it calls itself %q", said)
	}
}

func needRepository(t *testing.T) {
	t.Helper()
	need(t, "git")
	if _, err := os.Stat(top + "/.git"); err != nil {
		missing(t, "this is not a git checkout")
	}
}

// TestGoreleaserReadsItsFile has goreleaser's own reader judge the file.
func TestGoreleaserReadsItsFile(t *testing.T) {
	reader := filepath.Join(t.TempDir(), "goreleaser")
	if err := buildTool("goreleaser", ".", reader); err != nil {
		missing(t, err.Error())
	}
	output(t, reader, top+"/.goreleaser.yaml")

	wrong := filepath.Join(t.TempDir(), ".goreleaser.yaml")
	writeFile(t, wrong, replaced(t, readFile(t, top+"/.goreleaser.yaml"), "mod_timestamp", "mod_timestam"))
	if out, err := exec.Command(reader, wrong).CombinedOutput(); err == nil || !strings.Contains(string(out), "mod_timestam") {
		t.Errorf("a wrong one: %v\n%s", err, out)
	}
}

// A goreleaser is what this project uses of goreleaser's configuration.
type goreleaser struct {
	Version     int    `yaml:"version"`
	ProjectName string `yaml:"project_name"`
	Builds      []struct {
		ID           string   `yaml:"id"`
		Main         string   `yaml:"main"`
		Binary       string   `yaml:"binary"`
		Env          []string `yaml:"env"`
		Flags        []string `yaml:"flags"`
		Ldflags      []string `yaml:"ldflags"`
		ModTimestamp string   `yaml:"mod_timestamp"`
		Goos         []string `yaml:"goos"`
		Goarch       []string `yaml:"goarch"`
	} `yaml:"builds"`
	Archives []struct {
		NameTemplate string   `yaml:"name_template"`
		Files        []any    `yaml:"files"`
		Formats      []string `yaml:"formats"`
	} `yaml:"archives"`
	NFPMs     []nfpmConfig   `yaml:"nfpms"`
	Source    map[string]any `yaml:"source"`
	Checksum  map[string]any `yaml:"checksum"`
	Snapshot  map[string]any `yaml:"snapshot"`
	Changelog map[string]any `yaml:"changelog"`
	Release   map[string]any `yaml:"release"`
}

func readGoreleaser(t *testing.T) goreleaser {
	t.Helper()
	var c goreleaser
	decodeStrict(t, top+"/.goreleaser.yaml", &c)
	return c
}

func decodeStrict(t *testing.T, name string, into any) {
	t.Helper()
	loader, err := yaml.NewLoader(strings.NewReader(readFile(t, name)), yaml.WithKnownFields())
	if err != nil {
		t.Fatal(err)
	}
	if err := loader.Load(into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}
