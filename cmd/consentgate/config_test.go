package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/numfocus/consentgate/proxy"
)

var update = flag.Bool("update", false, "write what is said into testdata as what is expected")

func TestGoodConfigurations(t *testing.T) {
	for _, name := range files(t, "testdata/good/*.yaml") {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if said := mistakesIn(text); said != "" {
			t.Errorf("%s:\n%s", name, said)
		}
	}
}

// TestSampleConfiguration expects that what help shows can be used as it is.
func TestSampleConfiguration(t *testing.T) {
	if said := mistakesIn([]byte(sampleConfig)); said != "" {
		t.Error(said)
	}
}

// TestSampleNamesEverySetting expects what help shows to leave nothing out. What
// a service of the site's own can say is told with the catalog.
func TestSampleNamesEverySetting(t *testing.T) {
	var c config
	d := loadStrict("sample.yaml", []byte(sampleConfig), &c)
	var missing func(path string, of reflect.Type)
	missing = func(path string, of reflect.Type) {
		for key, value := range fields(of) {
			at := join(path, key)
			if _, ok := d.at[at]; !ok && !strings.Contains(sampleConfig, "# "+key+":") {
				t.Errorf("%s is not in it", at)
			}
			if value.Kind() == reflect.Struct {
				missing(at, value)
			}
		}
	}
	missing("", reflect.TypeFor[config]())
	missing("sites[0]", reflect.TypeFor[proxy.SiteConfig]())
}

// TestBadConfigurations expects of each config.yaml in testdata/bad what its
// archive says under want.
func TestBadConfigurations(t *testing.T) {
	for _, name := range files(t, "testdata/bad/*.txtar") {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if len(archive.Files) != 2 {
				t.Fatal("want two files: config.yaml and want")
			}
			got := mistakesIn(archive.Files[0].Data)
			if *update {
				archive.Files[1].Data = []byte(got)
				if err := os.WriteFile(name, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if want := string(archive.Files[1].Data); got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
			if got == "" {
				t.Error("nothing is wrong with it; it belongs to testdata/good")
			}
		})
	}
}

func mistakesIn(text []byte) string {
	var said bytes.Buffer
	_, d := parseConfig("config.yaml", text)
	d.print(&said)
	return said.String()
}

func files(t testing.TB, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) == 0 {
		t.Fatalf("%s: no files (%v)", pattern, err)
	}
	return names
}
