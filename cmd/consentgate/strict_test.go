package main

import (
	"bytes"
	"io"
	"os"
	"slices"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/numfocus/consentgate/consent"
)

// FuzzLoadStrict expects of any file that it is read without a panic, and that
// each mistake can be shown where it is.
func FuzzLoadStrict(f *testing.F) {
	f.Add([]byte(sampleConfig))
	f.Add([]byte("sites: &a [*a]\nlisten: *a\n<<: *a\n"))
	f.Add([]byte("? [a, b]\n: c\nsites: !!binary x\n--- \n"))
	for _, name := range files(f, "testdata/bad/*.txtar") {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(archive.Files[0].Data)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var c config
		d := loadStrict("config.yaml", text, &c)
		if d.root != nil {
			d.addMistakes(consent.Mistake{Field: "sites[0].upstream.url", Problem: "it is wrong"})
		}
		d.print(io.Discard)
		for _, w := range d.wrong {
			if w.problem == "" || w.line < 0 || w.line > 1+len(lineBreak.FindAll(text, -1)) {
				t.Errorf("a mistake nobody could find: %+v", w)
			}
		}
	})
}

func TestPosition(t *testing.T) {
	text := []byte("ab\nčd<\n\nx")
	for _, c := range []struct{ at, line, column int }{
		{0, 1, 1}, {2, 1, 3}, {3, 2, 1}, {5, 2, 2}, {6, 2, 3}, {8, 3, 1}, {9, 4, 1}, {99, 4, 2}, {-1, 1, 1},
	} {
		if line, column := position(text, int64(c.at)); line != c.line || column != c.column {
			t.Errorf("at %d: got %d:%d, want %d:%d", c.at, line, column, c.line, c.column)
		}
	}
}

func TestNearest(t *testing.T) {
	names := []string{"demo", "run", "check", "explain", "keys", "version"}
	for written, want := range map[string]string{
		"rnu": "run", "chekc": "check", "Explian": "explain", "key": "keys", "start": "", "": "",
	} {
		if got := nearest(written, names); got != want {
			t.Errorf("%q: got %q, want %q", written, got, want)
		}
	}
}

// TestRefusesToOverwriteData expects that a key file which cannot be read is
// neither replaced nor ignored: a new key would ask every visitor again.
func TestRefusesToOverwriteData(t *testing.T) {
	data := t.TempDir()
	if err := os.WriteFile(keyFile(data), []byte("not a key\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	code := run([]string{"run", "--upstream", "http://127.0.0.1:1", "--listen", "127.0.0.1:0", "--data", data},
		nil, &out, &errs, os.Getenv)
	if code != exitFailed || !bytes.Contains(errs.Bytes(), []byte("line 1 is not a key")) {
		t.Errorf("exit code %d\n%s", code, &errs)
	}
	if kept, err := os.ReadFile(keyFile(data)); err != nil || !slices.Equal(kept, []byte("not a key\n")) {
		t.Errorf("the file is now %q (%v)", kept, err)
	}
}
