package examples_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// TestEveryConfiguration has the program check every file of this folder that is
// a configuration, so that none is left behind by a change.
func TestEveryConfiguration(t *testing.T) {
	var checked []string
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !slices.Contains([]string{".yaml", ".yml"}, filepath.Ext(name)) {
			return err
		}
		text := readFile(t, name)
		if !isConfiguration(text) {
			return nil
		}
		checked = append(checked, name)
		checkConfiguration(t, name, text)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"behind-cloudflare/consentgate.yaml", "behind-nginx/consentgate.yaml", "numfocus.yaml", "systemd/consentgate.yaml"} {
		if !slices.Contains(checked, want) {
			t.Errorf("%s has not been checked; is it gone?", want)
		}
	}
}

// isConfiguration tells the gateway's own files from those for other programs.
func isConfiguration(text string) bool {
	var c map[string]any
	return yaml.Load([]byte(text), &c) == nil && c["sites"] != nil
}

// checkConfiguration runs consentgate check, with the secrets that examples take
// from the environment.
func checkConfiguration(t *testing.T, name, text string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "consentgate.yaml")
	writeFile(t, file, text)
	cmd := exec.Command(program(t), "check", file)
	cmd.Env = append(os.Environ(), "ORIGIN_SECRET="+strings.Repeat("s", 32))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", name, err, out)
	}
}
