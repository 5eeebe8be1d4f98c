package rewrite

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "write the golden files anew")

// Every testdata/*.txtar holds pages ("name.in"), what comes of them
// ("name.out") and what the rules were told ("name.log"). The rules withhold
// what contains "evil".
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) { checkGolden(t, file) })
	}
}

func checkGolden(t *testing.T, file string) {
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for _, f := range archive.Files {
		want[f.Name] = string(f.Data)
	}
	fresh := &txtar.Archive{Comment: archive.Comment}
	for _, f := range archive.Files {
		name, ok := strings.CutSuffix(f.Name, ".in")
		if !ok {
			continue
		}
		out, log := goldenRun(t, string(f.Data), atOnce)
		wantOut, wantLog := want[name+".out"], want[name+".log"]
		for _, size := range []int{1, 5} {
			cut, _ := goldenRun(t, string(f.Data), size)
			same(t, name, size, cut, out)
		}
		fresh.Files = append(fresh.Files, f, txtar.File{Name: name + ".out", Data: []byte(out)}, txtar.File{Name: name + ".log", Data: []byte(log)})
		if *update {
			continue
		}
		if out != wantOut && out+"\n" != wantOut { // the format ends every file with a newline
			t.Errorf("%s\ngot  %s\nwant %s", name, out, wantOut)
		}
		if log != wantLog {
			t.Errorf("%s told the rules\ngot  %s\nwant %s", name, log, wantLog)
		}
	}
	if *update {
		if err := os.WriteFile(file, txtar.Format(fresh), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func goldenRun(t *testing.T, page string, size int) (out, log string) {
	rules := &deny{words: []string{"evil"}, inserts: map[Place]string{
		HeadStart: "<!--head-->", BodyStart: "<b>start</b>", BodyEnd: "<b>end</b>",
	}}
	out = rewritten(t, page, rules, Options{Charset: "utf-8"}, size)
	for _, line := range rules.log {
		log += strings.ReplaceAll(line, "\n", `\n`) + "\n"
	}
	return out, log
}
