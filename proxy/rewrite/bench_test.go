package rewrite

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// benchPage gives the saved page whose size is nearest to 110 KB.
func benchPage(b *testing.B) []byte {
	all := pages(b)
	names := make([]string, 0, len(all))
	for name := range all {
		names = append(names, name)
	}
	slices.SortFunc(names, func(x, y string) int {
		return abs(len(all[x])-110_000) - abs(len(all[y])-110_000)
	})
	return []byte(all[names[0]])
}

func abs(n int) int { return max(n, -n) }

// cheap rules cost next to nothing, so that the scanner is what is measured.
type cheap struct{}

func (cheap) Base([]byte)                                   {}
func (cheap) Language([]byte)                               {}
func (cheap) Script(s *Inline) Action                       { return Keep }
func (cheap) AppendContent(d, _ []byte) []byte              { return d }
func (cheap) AppendPlaceholder(d []byte, _ *Element) []byte { return append(d, "<p></p>"...) }
func (cheap) AppendInsert(d []byte, _ Place) []byte         { return append(d, "<p>here</p>"...) }
func (cheap) Beyond(string, int64)                          {}
func (cheap) URL(r *Ref) Action {
	if bytes.Contains(r.URL, []byte("google")) {
		return Withhold
	}
	return Keep
}

func BenchmarkWriter(b *testing.B) {
	page := benchPage(b)
	for _, c := range []struct {
		name string
		size int
	}{{"whole", len(page)}, {"4KB", 4096}, {"1KB", 1024}, {"1B", 1}} {
		b.Run(c.name, func(b *testing.B) {
			w := NewWriter(io.Discard, cheap{}, Options{Charset: "utf-8"})
			b.SetBytes(int64(len(page)))
			b.ReportAllocs()
			for b.Loop() {
				w.Reset(io.Discard, cheap{}, Options{Charset: "utf-8"})
				for i := 0; i < len(page); i += c.size {
					_, _ = w.Write(page[i:min(i+c.size, len(page))])
				}
				if err := w.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("x-net-html", func(b *testing.B) {
		b.SetBytes(int64(len(page)))
		b.ReportAllocs()
		r := new(strings.Reader)
		for b.Loop() {
			r.Reset(string(page))
			z := html.NewTokenizer(r)
			for z.Next() != html.ErrorToken {
				_ = z.Raw()
			}
		}
	})
}
