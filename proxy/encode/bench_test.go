package encode

import (
	"bytes"
	"fmt"
	"io"
	"runtime"
	"testing"

	"github.com/andybalholm/brotli"
)

func BenchmarkWriter(b *testing.B) {
	text := page(b)
	for _, v := range variants()[1:] {
		b.Run(v.String(), func(b *testing.B) {
			var p Pool
			var out bytes.Buffer
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				out.Reset()
				w := newWriter(b, &p, v, &out)
				write(b, w, text)
				must(b, w.Close())
			}
			b.ReportMetric(float64(out.Len()), "B-out")
		})
	}
}

// BenchmarkBrotliElsewhere is what the choice of a brotli rests on.
func BenchmarkBrotliElsewhere(b *testing.B) {
	text := page(b)
	for _, level := range []int{1, 4, 5} {
		b.Run(fmt.Sprint(level), func(b *testing.B) {
			var out bytes.Buffer
			w := brotli.NewWriterLevel(&out, level)
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				out.Reset()
				w.Reset(&out)
				write(b, w, text)
				must(b, w.Close())
			}
			b.ReportMetric(float64(out.Len()), "B-out")
		})
	}
}

// BenchmarkCrowdedWriter is the same work in pieces, with every compressor given
// back after each of them.
func BenchmarkCrowdedWriter(b *testing.B) {
	text := page(b)
	for _, v := range []variant{{Gzip, 1}, {Brotli, 1}} {
		b.Run(v.String(), func(b *testing.B) {
			var p Pool
			var out bytes.Buffer
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				out.Reset()
				w := newWriter(b, &p, v, &out)
				for at := 0; at < len(text); at += 64 << 10 {
					write(b, w, text[at:min(at+64<<10, len(text))])
					must(b, w.Park())
				}
				must(b, w.Close())
			}
			b.ReportMetric(float64(out.Len()), "B-out")
		})
	}
}

// BenchmarkOpenWriter tells how much memory a stream in flight holds, as
// B-each: while it is being written, and while it is parked.
func BenchmarkOpenWriter(b *testing.B) {
	text := page(b)
	for _, v := range variants()[1:] {
		for _, state := range []string{"open", "parked"} {
			b.Run(fmt.Sprint(v, "/", state), func(b *testing.B) {
				const streams = 32
				var each float64
				for b.Loop() {
					p := Pool{Max: streams}
					writers := make([]*Writer, streams)
					before := heap()
					for i := range writers {
						writers[i] = newWriter(b, &p, v, io.Discard)
						write(b, writers[i], text)
						if state == "parked" {
							must(b, writers[i].Park())
						}
					}
					each = float64(heap()-before) / streams
					runtime.KeepAlive(writers)
				}
				b.ReportMetric(each, "B-each")
			})
		}
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func BenchmarkReader(b *testing.B) {
	text := page(b)
	for coding, body := range map[string][]byte{"gzip": gzipped(text), "deflate": deflated(text), "br": brotlied(text), "zstd": zstded(text)} {
		b.Run(coding, func(b *testing.B) {
			var p Pool
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				r, err := p.NewReader(coding, bytes.NewReader(body))
				must(b, err)
				if _, err := io.Copy(io.Discard, r); err != nil {
					b.Fatal(err)
				}
				must(b, r.Close())
			}
		})
	}
}
