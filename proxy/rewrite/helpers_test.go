package rewrite

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// deny withholds every URL and script that contains one of its words.
type deny struct {
	words   []string
	inserts map[Place]string
	log     []string
	quiet   bool // no log
	beyond  int
}

func (d *deny) Base(href []byte)    { d.note("base %s", href) }
func (d *deny) Language(tag []byte) { d.note("language %s", tag) }

func (d *deny) URL(r *Ref) Action {
	a := d.judge(r.URL)
	if r.URL == nil && r.Element == "amp-analytics" && len(d.words) > 0 {
		a = Withhold
	}
	if !d.quiet {
		d.note("%s %s[%s] %s%s", kindNames[r.Kind], r.Element, r.Attr, r.URL, mark(a))
	}
	return a
}

func (d *deny) Script(s *Inline) Action {
	a := d.judge(s.Text)
	if !d.quiet {
		d.note("inline %q %s%s", s.Type, s.Text, mark(a))
	}
	return a
}

func (d *deny) AppendPlaceholder(dst []byte, el *Element) []byte {
	if _, draws := el.Attr("data-draws"); el.Name == "script" && !draws {
		return dst
	}
	width, _ := el.Attr("width")
	return fmt.Appendf(dst, "<p>[%s %s]</p>", el.Name, width)
}

func (d *deny) AppendContent(dst, attribute []byte) []byte {
	return fmt.Appendf(dst, "<p>{%s}</p>", attribute)
}

func (d *deny) AppendInsert(dst []byte, at Place) []byte { return append(dst, d.inserts[at]...) }

func (d *deny) Beyond(what string, at int64) {
	d.beyond++
	d.note("beyond %s", what)
}

func (d *deny) judge(s []byte) Action {
	for _, w := range d.words {
		if bytes.Contains(bytes.ToLower(s), []byte(w)) {
			return Withhold
		}
	}
	return Keep
}

func (d *deny) note(format string, args ...any) {
	if !d.quiet {
		d.log = append(d.log, fmt.Sprintf(format, args...))
	}
}

func mark(a Action) string {
	if a == Withhold {
		return " -"
	}
	return ""
}

var kindNames = [...]string{
	Script: "script", Frame: "frame", Image: "image", Pixel: "pixel", Media: "media", Style: "style",
	Font: "font", Icon: "icon", Hint: "hint", Prefetch: "prefetch", Beacon: "beacon", Refresh: "refresh",
}

// rewritten gives what comes of a page that is written in pieces of the given size.
func rewritten(t testing.TB, page string, rules Rules, o Options, size int) string {
	t.Helper()
	var out bytes.Buffer
	w := NewWriter(&out, rules, o)
	for i := 0; i < len(page); i += size {
		if _, err := w.Write([]byte(page[i:min(i+size, len(page))])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

const atOnce = 1 << 30

// sharedData gives a path below the shared test data, or skips.
func sharedData(t testing.TB, path string) string {
	t.Helper()
	full := filepath.Join("..", "..", "..", "shared", "data", path)
	if _, err := os.Stat(full); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("shared test data is missing: %v", err)
		}
		t.Skipf("needs the shared test data: %v", err)
	}
	return full
}

// pages gives the saved real pages by name.
func pages(t testing.TB) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(sharedData(t, "pages"), "*.html"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no pages: %v", err)
	}
	all := make(map[string]string)
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(f)] = string(b)
	}
	return all
}
