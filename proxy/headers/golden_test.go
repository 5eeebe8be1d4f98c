package headers

import (
	"bufio"
	"flag"
	"maps"
	"net/http"
	"net/textproto"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write what comes out as what is wanted")

// judge stands for the catalog: a site that is example.org, a service that is
// allowed, and everybody else.
func judge(_ Kind, url string) bool {
	url = strings.ToLower(strings.Trim(url, " \t\n"))
	_, rest, absolute := strings.Cut(url, "//")
	if !absolute {
		return true
	}
	host, _, _ := strings.Cut(rest, "/")
	return host == "example.org" || strings.HasSuffix(host, ".example.org") || host == "allowed.test"
}

// The files under testdata hold what an origin sent and, after a line of
// dashes, what leaves us for a visitor who has not agreed to anything:
// responses/ for what is passed on, pages/ for what was rewritten.
func TestGolden(t *testing.T) {
	denied := Policy{Allowed: judge}
	sources := Sources{FirstParty: []string{"*.example.org"}, Services: []string{"allowed.test/embed/"}, ReportPath: "/_consent/report", Secure: true}
	for folder, edit := range map[string]func(http.Header){
		"responses": func(h http.Header) { Filter(h, denied) },
		"pages": func(h http.Header) {
			Filter(h, denied)
			Restrict(h, denied)
			Page{ETag: ETag("a", "b"), Language: true}.Apply(h)
			sources.Add(h, sources.Policy(), false)
		},
	} {
		files, err := filepath.Glob("testdata/" + folder + "/*.txt")
		if err != nil || len(files) < 10 {
			t.Fatalf("only %d files in testdata/%s, %v", len(files), folder, err)
		}
		for _, file := range files {
			t.Run(strings.TrimSuffix(strings.TrimPrefix(file, "testdata/"), ".txt"), func(t *testing.T) {
				golden(t, file, edit)
			})
		}
	}
}

const dashes = "----\n"

func golden(t *testing.T, file string, edit func(http.Header)) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	in, want, _ := strings.Cut(string(text), dashes)
	h := parse(t, in)
	edit(h)
	got := format(h)
	if *update {
		if err := os.WriteFile(file, []byte(in+dashes+got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got != want {
		t.Errorf("%s: got\n%s\nwant\n%s", file, got, want)
	}
	edit(h)
	if folder := filepath.Base(filepath.Dir(file)); folder == "responses" && format(h) != got {
		t.Errorf("%s: a second time it became\n%s", file, format(h))
	}
}

func parse(t *testing.T, in string) http.Header {
	t.Helper()
	h, err := textproto.NewReader(bufio.NewReader(strings.NewReader(in + "\n"))).ReadMIMEHeader()
	if err != nil {
		t.Fatal(err)
	}
	return http.Header(h)
}

func format(h http.Header) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(h)) {
		for _, line := range h[name] {
			b.WriteString(name + ": " + line + "\n")
		}
	}
	return b.String()
}
