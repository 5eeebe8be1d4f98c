package encode

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
)

// page is a real page where there is one, and something like it elsewhere.
func page(tb testing.TB) []byte {
	tb.Helper()
	text, err := os.ReadFile("../../../shared/data/pages/047-laweekly.com.html")
	if err == nil {
		return text
	}
	r := rand.New(rand.NewPCG(1, 2))
	var b bytes.Buffer
	for b.Len() < 180_000 {
		fmt.Fprintf(&b, "<p class=\"a%d\"><a href=\"/%x/%d\">text %d</a></p>\n", r.IntN(9), r.IntN(1<<20), r.IntN(50), r.IntN(1000))
	}
	return b.Bytes()
}

type variant struct {
	coding string
	level  int
}

func (v variant) String() string { return fmt.Sprintf("%s-%d", cmp.Or(v.coding, "identity"), v.level) }

func variants() []variant {
	return []variant{
		{Identity, 0}, {Gzip, 1}, {Gzip, 5}, {Gzip, 6}, {Gzip, 9}, {Brotli, 0}, {Brotli, 1}, {Brotli, 4}, {Brotli, 5}, {Zstd, 1}, {Zstd, 3},
	}
}

// foreign decodes with a decoder other than the one in use here, where there is
// another in Go.
func foreign(coding string, r io.Reader) (io.Reader, error) {
	switch coding {
	case Gzip:
		z, err := gzip.NewReader(r)
		if err == nil {
			z.Multistream(false) // browsers stop after the first member
		}
		return z, err
	case Brotli:
		return brotli.NewReader(r), nil
	case Zstd:
		z, err := zstd.NewReader(r)
		return z, err
	}
	return r, nil
}

func decodeForeign(tb testing.TB, coding string, r io.Reader) []byte {
	tb.Helper()
	z, err := foreign(coding, r)
	if err != nil {
		tb.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		tb.Fatalf("after %d bytes: %v", len(text), err)
	}
	return text
}

func newWriter(tb testing.TB, p *Pool, v variant, w io.Writer) *Writer {
	tb.Helper()
	z, err := p.NewWriter(v.coding, w, v.level)
	if err != nil {
		tb.Fatal(err)
	}
	return z
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

func write(tb testing.TB, w io.Writer, p []byte) {
	tb.Helper()
	n, err := w.Write(p)
	if err != nil || n != len(p) {
		tb.Fatalf("wrote %d of %d: %v", n, len(p), err)
	}
}

func TestRoundTrip(t *testing.T) {
	text := page(t)
	for _, v := range variants() {
		for _, size := range []int{0, 1, 100, 70_000, len(text)} {
			t.Run(fmt.Sprint(v, "/", size), func(t *testing.T) {
				var p Pool
				var out bytes.Buffer
				w := newWriter(t, &p, v, &out)
				write(t, w, text[:size])
				must(t, w.Close())
				if got := decodeForeign(t, v.coding, bytes.NewReader(out.Bytes())); !bytes.Equal(got, text[:size]) {
					t.Errorf("%d bytes came back as %d others", size, len(got))
				}
				r, err := p.NewReader(v.coding, &out)
				must(t, err)
				if err := iotest.TestReader(io.MultiReader(r), text[:size]); err != nil {
					t.Error(err)
				}
				must(t, r.Close())
				if n := p.Live(); n != 0 {
					t.Errorf("%d compressors still out", n)
				}
			})
		}
	}
}

// What a visitor sees while a page is being made: everything written before a
// flush can be decoded from what has arrived.
func TestFlushGetsEverythingToTheReader(t *testing.T) {
	text := page(t)
	for _, v := range variants() {
		for name, flush := range map[string]func(*Writer) error{"flush": (*Writer).Flush, "park": (*Writer).Park} {
			t.Run(fmt.Sprint(v, "/", name), func(t *testing.T) {
				var p Pool
				var out bytes.Buffer
				w := newWriter(t, &p, v, &out)
				defer w.Abort()
				for at := 0; at < len(text); {
					next := min(at+cmp.Or(at, 1)*2, len(text))
					write(t, w, text[at:next])
					must(t, flush(w))
					at = next
					z, err := foreign(v.coding, bytes.NewReader(out.Bytes()))
					must(t, err)
					if got, _ := io.ReadAll(z); !bytes.Equal(got, text[:at]) {
						t.Fatalf("%d bytes of %d have arrived", len(got), at)
					}
				}
			})
		}
	}
}

func TestParkGivesTheCompressorBack(t *testing.T) {
	for _, v := range []variant{{Gzip, 1}, {Gzip, 9}, {Brotli, 0}, {Brotli, 1}} {
		t.Run(v.String(), func(t *testing.T) {
			var p Pool
			var out bytes.Buffer
			w := newWriter(t, &p, v, &out)
			must(t, w.Park())
			for range 3 {
				write(t, w, []byte("some text"))
				if n := p.Live(); n != 1 {
					t.Fatalf("%d compressors out while writing", n)
				}
				must(t, w.Park())
				must(t, w.Park())
				if n := p.Live(); n != 0 {
					t.Fatalf("%d compressors out while parked", n)
				}
			}
			must(t, w.Close())
			if got := decodeForeign(t, v.coding, &out); string(got) != strings.Repeat("some text", 3) {
				t.Errorf("got %q", got)
			}
		})
	}
}

// Many streams at once keep few compressors, and none of them is mixed up with
// another.
func TestCrowd(t *testing.T) {
	text := page(t)
	for _, v := range []variant{{Gzip, 1}, {Brotli, 1}} {
		t.Run(v.String(), func(t *testing.T) {
			p := Pool{Max: 2}
			outs := make([]bytes.Buffer, 20)
			writers := make([]*Writer, len(outs))
			for i := range writers {
				writers[i] = newWriter(t, &p, v, &outs[i])
			}
			for at := 0; at < len(text); at += 20_000 {
				for i, w := range writers {
					write(t, w, text[at:min(at+20_000-i, len(text))])
					if n := p.Live(); n > p.Max {
						t.Fatalf("%d compressors out", n)
					}
				}
			}
			for i, w := range writers {
				must(t, w.Close())
				var want []byte
				for at := 0; at < len(text); at += 20_000 {
					want = append(want, text[at:min(at+20_000-i, len(text))]...)
				}
				if got := decodeForeign(t, v.coding, &outs[i]); !bytes.Equal(got, want) {
					t.Errorf("stream %d: %d bytes of %d", i, len(got), len(want))
				}
			}
		})
	}
}

func TestWriterReset(t *testing.T) {
	for _, v := range variants() {
		var p Pool
		var first, second bytes.Buffer
		w := newWriter(t, &p, v, &first)
		write(t, w, []byte("never finished"))
		w.Reset(&second)
		write(t, w, []byte("second"))
		must(t, w.Close())
		must(t, w.Close())
		if got := decodeForeign(t, v.coding, &second); string(got) != "second" {
			t.Errorf("%v: got %q", v, got)
		}
		if _, err := w.Write([]byte("x")); err == nil {
			t.Errorf("%v: a closed writer takes more", v)
		}
		if n := p.Live(); n != 0 {
			t.Errorf("%v: %d compressors still out", v, n)
		}
	}
}

type failing struct{ after int }

var errGone = errors.New("the visitor went away")

func (f *failing) Write(p []byte) (int, error) {
	if f.after -= len(p); f.after < 0 {
		return 0, errGone
	}
	return len(p), nil
}

func TestWriterGivesBackAfterAnError(t *testing.T) {
	text := page(t)
	for _, v := range variants()[1:] {
		for _, after := range []int{0, 5000} {
			var p Pool
			w := newWriter(t, &p, v, &failing{after})
			var err error
			for range 50 {
				if _, err = w.Write(text); err != nil {
					break
				}
			}
			if err == nil {
				err = w.Flush()
			}
			if !errors.Is(err, errGone) {
				t.Errorf("%v: %v", v, err)
			}
			if err := w.Close(); !errors.Is(err, errGone) {
				t.Errorf("%v: closing a broken writer: %v", v, err)
			}
			if n := p.Live(); n != 0 {
				t.Errorf("%v: %d compressors still out", v, n)
			}
		}
	}
}

func TestNewWriterRefuses(t *testing.T) {
	var p Pool
	for _, v := range []variant{{"deflate", 1}, {"compress", 1}, {Gzip, 10}, {Gzip, -1}, {Brotli, 12}, {Zstd, -3}} {
		if _, err := p.NewWriter(v.coding, io.Discard, v.level); err == nil {
			t.Errorf("%v was taken", v)
		}
	}
	if _, err := p.NewWriter("compress", io.Discard, 1); !errors.Is(err, ErrCoding) {
		t.Errorf("got %v", err)
	}
	if n := p.Live(); n != 0 {
		t.Errorf("%d compressors still out", n)
	}
}

func TestLevels(t *testing.T) {
	var p Pool
	for _, coding := range []string{Brotli, Gzip, Zstd} {
		for _, level := range []int{Fast(coding), Small(coding)} {
			newWriter(t, &p, variant{coding, level}, io.Discard).Abort()
		}
	}
}

// FuzzWriter plays a script of writes, flushes and parkings on two streams that
// share compressors, and reads both with another decoder.
func FuzzWriter(f *testing.F) {
	f.Add([]byte("<p>hello, hello, hello</p>"), []byte{0, 9, 200, 31, 64, 7}, uint8(6))
	f.Add(bytes.Repeat([]byte("abcdefgh"), 40_000), []byte{255, 254, 253, 0, 1}, uint8(5))
	p := Pool{Max: 1}
	f.Fuzz(func(t *testing.T, text, script []byte, which uint8) {
		v := variants()[int(which)%len(variants())]
		var outs, wants [2]bytes.Buffer
		writers := [2]*Writer{newWriter(t, &p, v, &outs[0]), newWriter(t, &p, v, &outs[1])}
		rest := text
		for _, step := range script[:min(len(script), 64)] {
			i, n := step&1, min(len(rest), 1<<(step>>4))
			write(t, writers[i], rest[:n])
			wants[i].Write(rest[:n])
			rest = rest[n:]
			switch step >> 1 & 3 {
			case 0:
				must(t, writers[i].Flush())
			case 1:
				must(t, writers[i].Park())
			}
		}
		write(t, writers[0], rest)
		wants[0].Write(rest)
		for i, w := range writers {
			must(t, w.Close())
			ours, err := p.NewReader(v.coding, bytes.NewReader(outs[i].Bytes()))
			must(t, err)
			if got, err := io.ReadAll(ours); err != nil || !bytes.Equal(got, wants[i].Bytes()) {
				t.Errorf("%v, stream %d: read back %d bytes of %d, %v", v, i, len(got), wants[i].Len(), err)
			}
			must(t, ours.Close())
			if got := decodeForeign(t, v.coding, &outs[i]); !bytes.Equal(got, wants[i].Bytes()) {
				t.Errorf("%v, stream %d: another decoder reads %d bytes of %d", v, i, len(got), wants[i].Len())
			}
		}
	})
}
