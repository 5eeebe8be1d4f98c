package rewrite

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

// counter takes what is written and remembers how it came.
type counter struct{ n, writes, largest int }

func (c *counter) Write(p []byte) (int, error) {
	c.n += len(p)
	c.writes++
	c.largest = max(c.largest, len(p))
	return len(p), nil
}

// What is too long to be held is withheld, whatever it is, and the page goes on.
func TestTokensBeyondTheLimit(t *testing.T) {
	long := strings.Repeat("x", 5000)
	for name, c := range map[string]struct{ in, want, beyond string }{
		"start tag":       {`<p class="` + long + `">a</p>`, `a</p>`, "tag"},
		"tag name":        {`<x` + long + `>a`, `a`, "tag"},
		"end tag":         {`<p>a</p ` + long + `>b`, `<p>a</p>b`, "tag"},
		"script tag":      {`<script src=/a data-x="` + long + `">if (a<b) "<img>"</script>b`, `b`, "tag"},
		"inline script":   {`<script>` + long + `"<b>"</script>b`, `b`, "script text"},
		"style":           {`<style>` + long + `</style>b`, `b`, "style text"},
		"script end tag":  {`<script src=/a>x</script ` + long + `>b`, `<script src=/a>x</script>b`, "tag"},
		"inline end tag":  {`<script>x</script ` + long + `>b`, `b`, "script text"},
		"svg script":      {`<svg><script>` + long + `</script></svg>b`, `<svg></svg>b`, "script text"},
		"unclosed":        {`a<script>` + long, `a`, "script text"},
		"unclosed tag":    {`a<p class='` + long, `a`, "tag"},
		"comment streams": {`<!--` + long + `-->b`, `<!--` + long + `-->b`, ""},
		"text streams":    {`<title>` + long + `</title><textarea>` + long, `<title>` + long + `</title><textarea>` + long, ""},
		"script streams":  {`<script src=/a>` + long + `</script>b`, `<script src=/a>` + long + `</script>b`, ""},
		"data url":        {`<img src="data:image/png;base64,` + long + `">b`, `<img src="data:image/png;base64,` + long + `">b`, ""},
	} {
		for _, size := range []int{1, 3, 900, atOnce} {
			rules := &deny{}
			got := rewritten(t, c.in, rules, Options{Charset: "utf-8", MaxToken: 1000}, size)
			// A token that comes at once is only ever in the caller's memory.
			if size == atOnce && got == c.in {
				continue
			}
			if got != c.want {
				t.Errorf("%s in pieces of %d: got %.200q, want %.200q", name, size, got, c.want)
			}
			if !strings.Contains(fmt.Sprint(rules.log), "beyond "+c.beyond) && c.beyond != "" {
				t.Errorf("%s in pieces of %d: log %.300q", name, size, rules.log)
			}
		}
	}
}

// A tag of absurd size takes time in proportion, not more.
func TestManyAttributes(t *testing.T) {
	for _, attr := range []string{` a="b"`, ` data-src-%d=/x`, ` src=/x`, ` style="a:url(/%d)"`} {
		var tag strings.Builder
		tag.WriteString("<img")
		for i := range 100_000 {
			tag.WriteString(strings.ReplaceAll(attr, "%d", fmt.Sprint(i)))
		}
		tag.WriteString(">")
		rules := &deny{quiet: true, words: []string{"evil"}}
		if got := rewritten(t, tag.String(), rules, Options{Charset: "utf-8", MaxToken: 10 << 20}, 1); got != tag.String() {
			t.Errorf("%s: the tag was changed", attr)
		}
	}
}

// Memory does not grow with the page.
func TestStreams(t *testing.T) {
	out := new(counter)
	w := NewWriter(out, &deny{quiet: true}, Options{Charset: "utf-8"})
	part := []byte(`<p class="a b">text<img src=/x></p><!-- comment --><script src=/y></script>` + "\n")
	for range 200_000 {
		if _, err := w.Write(part); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := out.n, len(part)*200_000; got != want {
		t.Errorf("passed on %d bytes of %d before Close", got, want)
	}
	if cap(w.carry) > 1<<10 {
		t.Errorf("carries %d bytes", cap(w.carry))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// What has come is passed on at once, and in few writes.
func TestPassesOnAtOnce(t *testing.T) {
	out := new(counter)
	w := NewWriter(out, &deny{quiet: true, words: []string{"evil"}}, Options{Charset: "utf-8"})
	page := strings.Repeat(`<p title="x">some text</p>`, 100) + `<img src=//evil.example>` + strings.Repeat(`<b>more</b>`, 100)
	if _, err := io.WriteString(w, page); err != nil {
		t.Fatal(err)
	}
	if out.writes != 2 || out.n != len(page)-len(`<img src=//evil.example>`) {
		t.Errorf("passed on %d bytes in %d writes", out.n, out.writes)
	}
}

// failing takes n bytes and then fails.
type failing struct {
	n   int
	out bytes.Buffer
}

var errFull = errors.New("full")

func (f *failing) Write(p []byte) (int, error) {
	if f.out.Len()+len(p) > f.n {
		return 0, errFull
	}
	return f.out.Write(p)
}

// An error of the destination comes out, and nothing is passed on after it.
func TestDestinationFails(t *testing.T) {
	page := strings.Join(seeds, "")
	full := rewritten(t, page, &deny{quiet: true, words: []string{"evil"}}, Options{Charset: "utf-8"}, 8)
	for n := range len(full) {
		dst := &failing{n: n}
		w := NewWriter(dst, &deny{quiet: true, words: []string{"evil"}}, Options{Charset: "utf-8"})
		var err error
		for i := 0; i < len(page) && err == nil; i += 8 {
			_, err = w.Write([]byte(page[i:min(i+8, len(page))]))
		}
		if err == nil {
			err = w.Close()
		}
		if !errors.Is(err, errFull) {
			t.Fatalf("after %d bytes: got %v", n, err)
		}
		if !strings.HasPrefix(full, dst.out.String()) {
			t.Fatalf("after %d bytes: passed on something else", n)
		}
		if _, err := w.Write([]byte("x")); !errors.Is(err, errFull) {
			t.Fatalf("after %d bytes: a later Write gave %v", n, err)
		}
	}
}

func TestWriteAfterClose(t *testing.T) {
	w := NewWriter(io.Discard, &deny{}, Options{})
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("x")); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v, want ErrClosed", err)
	}
}

// A page that was rewritten before leaves nothing behind.
func TestReset(t *testing.T) {
	var out bytes.Buffer
	w := NewWriter(&out, &deny{}, Options{})
	for _, first := range append(seeds, "<noscript><svg><script>", "<video><source src=//evil.example>", "<template><select>") {
		w.Reset(&out, &deny{words: []string{"evil"}}, Options{})
		_, _ = io.WriteString(w, first)
		out.Reset()
		w.Reset(&out, &deny{words: []string{"evil"}}, Options{Charset: "utf-8"})
		const page = `<html><body><style>a</style><img src=//evil.example><p>x</body>`
		_, _ = io.WriteString(w, page)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if want := `<html><body><style>a</style><p>x</body>`; out.String() != want {
			t.Errorf("after %q: got %q", first, out.String())
		}
	}
}

// Pages cut at random places, and glued together at random.
func TestRandomPieces(t *testing.T) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	t.Logf("seed %d", seed)
	for range 300 {
		var page strings.Builder
		for range 20 {
			s := seeds[random.IntN(len(seeds))]
			i := random.IntN(len(s))
			page.WriteString(s[i:min(len(s), i+random.IntN(60))])
		}
		want := rewritten(t, page.String(), &deny{quiet: true, words: []string{"evil"}}, Options{Charset: "utf-8"}, atOnce)
		var out bytes.Buffer
		w := NewWriter(&out, &deny{quiet: true, words: []string{"evil"}}, Options{Charset: "utf-8"})
		for rest := page.String(); rest != ""; {
			n := min(len(rest), 1+random.IntN(40))
			_, _ = io.WriteString(w, rest[:n])
			rest = rest[n:]
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		same(t, page.String(), 0, out.String(), want)
		cleaned(t, page.String())
	}
}

// Once its buffers have grown, a Writer costs no allocation.
func TestNoAllocations(t *testing.T) {
	page := []byte(strings.Join(seeds[:3], "") + strings.Repeat(`<p style="background:url(/a)"><a href="/x?a&amp;b" ping=/p>t</a><img srcset="/a 1x, //evil.example 2x" src="/a?x&#38;y"><link rel=preload as=font href=/f>`, 50))
	w := NewWriter(io.Discard, cheap{}, Options{Charset: "utf-8"})
	n := testing.AllocsPerRun(20, func() {
		w.Reset(io.Discard, cheap{}, Options{Charset: "utf-8"})
		_, _ = w.Write(page)
		_ = w.Close()
	})
	if n > 0 {
		t.Errorf("%v allocations a page", n)
	}
}
