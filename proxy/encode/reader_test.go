package encode

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	stdflate "compress/flate"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
)

func zlibbed(text []byte) []byte {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	w.Write(text)
	w.Close()
	return b.Bytes()
}

func deflated(text []byte) []byte {
	var b bytes.Buffer
	w, _ := stdflate.NewWriter(&b, 6)
	w.Write(text)
	w.Close()
	return b.Bytes()
}

func gzipped(text []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Name, w.Comment, w.Extra = "index.html", "made elsewhere", []byte("extra")
	w.Write(text)
	w.Close()
	return b.Bytes()
}

func brotlied(text []byte) []byte {
	var b bytes.Buffer
	w := brotli.NewWriterLevel(&b, 6)
	w.Write(text)
	w.Close()
	return b.Bytes()
}

func zstded(text []byte) []byte {
	w, _ := zstd.NewWriter(nil)
	defer w.Close()
	return w.EncodeAll(text, nil)
}

func TestReader(t *testing.T) {
	text := page(t)
	half := len(text) / 2
	for _, test := range []struct {
		name, coding string
		body         []byte
	}{
		{"identity", "", text},
		{"identity by name", "identity", text},
		{"gzip", "gzip", gzipped(text)},
		{"x-gzip, upper case, space", " X-GZIP ", gzipped(text)},
		{"gzip, two members", "gzip", append(gzipped(text[:half]), gzipped(text[half:])...)},
		{"gzip, padded", "gzip", append(gzipped(text), 0, 0, 0)},
		{"gzip, one byte of another", "gzip", append(gzipped(text), 0x1f)},
		{"deflate with zlib's frame", "deflate", zlibbed(text)},
		{"raw deflate", "deflate", deflated(text)},
		{"br", "br", brotlied(text)},
		{"br, padded", "br", append(brotlied(text), 0)},
		{"zstd", "zstd", zstded(text)},
		{"zstd, two frames", "zstd", append(zstded(text[:half]), zstded(text[half:])...)},
		{"stacked", "gzip, br", brotlied(gzipped(text))},
		{"stacked with identity", "deflate,identity ,,zstd", zstded(zlibbed(text))},
		{"three", "gzip, gzip, gzip", gzipped(gzipped(gzipped(text)))},
	} {
		t.Run(test.name, func(t *testing.T) {
			var p Pool
			for range 2 { // the second time with what the pool kept
				r, err := p.NewReader(test.coding, iotest.HalfReader(bytes.NewReader(test.body)))
				must(t, err)
				if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, text) {
					t.Errorf("%d bytes of %d, %v", len(got), len(text), err)
				}
				must(t, r.Close())
				must(t, r.Close())
				if _, err := r.Read(make([]byte, 1)); err == nil || err == io.EOF {
					t.Errorf("reading after Close: %v", err)
				}
			}
		})
	}
}

func TestReaderOfNothing(t *testing.T) {
	var p Pool
	for _, coding := range []string{"", "gzip", "deflate", "br", "zstd", "gzip, br"} {
		r, err := p.NewReader(coding, strings.NewReader(""))
		must(t, err)
		if got, err := io.ReadAll(r); len(got) > 0 || err != nil {
			t.Errorf("%s: %q, %v", coding, got, err)
		}
		must(t, r.Close())
	}
}

func TestReaderRefuses(t *testing.T) {
	var p Pool
	for _, coding := range []string{"compress", "gzip, dcb", "gzip;q=1", "gzip, gzip, gzip, gzip", "aes128gcm"} {
		if _, err := p.NewReader(coding, strings.NewReader("")); !errors.Is(err, ErrCoding) {
			t.Errorf("%q: %v", coding, err)
		}
	}
}

// A body that is cut off anywhere is told from a whole one.
func TestReaderOfAPart(t *testing.T) {
	text := page(t)[:20_000]
	var p Pool
	for coding, body := range map[string][]byte{
		"gzip": gzipped(text), "deflate": zlibbed(text), "br": brotlied(text), "zstd": zstded(text),
	} {
		for cut := 1; cut < len(body); cut += 1 + len(body)/50 {
			r, err := p.NewReader(coding, bytes.NewReader(body[:cut]))
			must(t, err)
			if _, err := io.ReadAll(r); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%s cut at %d of %d: %v", coding, cut, len(body), err)
			}
			must(t, r.Close())
		}
	}
}

func TestReaderPassesErrorsOn(t *testing.T) {
	text := page(t)
	var p Pool
	for coding, body := range map[string][]byte{
		"": text, "gzip": gzipped(text), "deflate": deflated(text), "br": brotlied(text), "zstd": zstded(text),
	} {
		r, err := p.NewReader(coding, io.MultiReader(bytes.NewReader(body[:len(body)/2]), iotest.ErrReader(errGone)))
		must(t, err)
		if _, err := io.ReadAll(r); !errors.Is(err, errGone) {
			t.Errorf("%s: %v", coding, err)
		}
		must(t, r.Close())
	}
}

// A frame may ask for a window of gigabytes; no server of web pages has a reason
// to.
func TestReaderBoundsZstdWindows(t *testing.T) {
	var b bytes.Buffer
	w, err := zstd.NewWriter(&b, zstd.WithWindowSize(32<<20))
	must(t, err)
	for range 40 {
		write(t, w, make([]byte, 1<<20))
	}
	must(t, w.Close())
	var p Pool
	r, err := p.NewReader("zstd", &b)
	must(t, err)
	if _, err := io.Copy(io.Discard, r); !errors.Is(err, zstd.ErrWindowSizeExceeded) {
		t.Errorf("got %v", err)
	}
}

// FuzzReader reads anything; where another decoder reads it too, both must have
// read the same.
func FuzzReader(f *testing.F) {
	text := []byte(strings.Repeat("<p>hello</p>", 20))
	for which, body := range [][]byte{gzipped(text), zlibbed(text), deflated(text), brotlied(text), zstded(text)} {
		f.Add(body, uint8(which))
	}
	var p Pool
	f.Fuzz(func(t *testing.T, body []byte, which uint8) {
		coding := []string{Gzip, deflate, deflate, Brotli, Zstd}[which%5]
		r, err := p.NewReader(coding, bytes.NewReader(body))
		must(t, err)
		defer r.Close()
		const limit = 1 << 20
		got, err := io.ReadAll(io.LimitReader(r, limit))
		if coding != Brotli {
			return
		}
		want, theirs := io.ReadAll(io.LimitReader(brotli.NewReader(bytes.NewReader(body)), limit))
		if len(body) > 0 && err == nil && theirs == nil && !bytes.Equal(got, want) {
			t.Errorf("%d bytes; another decoder reads %d", len(got), len(want))
		}
	})
}
