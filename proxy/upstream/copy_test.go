package upstream

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A stalling origin sends a piece, and the next one only once the visitor has
// the first: if anything holds a piece back, nobody ever gets further.
func TestWhatTheOriginSaidArrivesWhileItIsSilent(t *testing.T) {
	for name, head := range map[string]string{
		"event stream":   "Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n",
		"unknown length": "Content-Type: text/html\r\nTransfer-Encoding: chunked\r\n",
		"until close":    "Content-Type: text/html\r\nConnection: close\r\n",
		"known length":   "Content-Type: text/html\r\nContent-Length: 18\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			next := make(chan struct{})
			origin := rawOrigin(t, func(_ int, c net.Conn, r *bufio.Reader) {
				readHead(r)
				_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n"+head+"\r\n")
				for range 3 {
					<-next
					if strings.Contains(head, "chunked") {
						_, _ = io.WriteString(c, "6\r\ndata\n\n\r\n")
					} else {
						_, _ = io.WriteString(c, "data\n\n")
					}
				}
				if strings.Contains(head, "chunked") {
					_, _ = io.WriteString(c, "0\r\n\r\n")
				}
			})
			c, r := dial(t, newGate(t, origin, &gate{}))
			_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
			res, err := http.ReadResponse(r, nil) // the header comes before the first piece
			if err != nil {
				t.Fatal(err)
			}
			piece := make([]byte, 6)
			for range 3 {
				next <- struct{}{}
				if _, err := io.ReadFull(res.Body, piece); err != nil || string(piece) != "data\n\n" {
					t.Fatalf("visitor got %q, %v", piece, err)
				}
			}
			if rest, err := io.ReadAll(res.Body); len(rest) > 0 || err != nil {
				t.Errorf("visitor got %q, %v at the end", rest, err)
			}
		})
	}
}

func TestTruncatedBodyIsSeenByTheVisitor(t *testing.T) {
	for name, answer := range map[string]string{
		"known length":     "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc",
		"chunked":          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
		"inside a chunk":   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc",
		"no last line end": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n",
		"broken chunk":     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			origin := rawOrigin(t, func(_ int, c net.Conn, r *bufio.Reader) {
				readHead(r)
				_, _ = io.WriteString(c, answer)
			})
			g := &gate{failed: make(chan error, 1)}
			c, r := dial(t, newGate(t, origin, g))
			_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
			res, err := http.ReadResponse(r, nil)
			if err == nil {
				_, err = io.ReadAll(res.Body)
			}
			if err == nil {
				t.Error("the visitor took the part for the whole")
			}
			var e *Error
			if err := wait(t, "the error", g.failed); !errors.As(err, &e) || e.Kind != Truncated {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestResponseTrailersArrive(t *testing.T) {
	for name, announced := range map[string]string{"announced": "Trailer: Server-Timing, Set-Cookie\r\n", "not announced": ""} {
		t.Run(name, func(t *testing.T) {
			origin := rawOrigin(t, func(_ int, c net.Conn, r *bufio.Reader) {
				readHead(r)
				_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"+announced+"\r\n3\r\nabc\r\n0\r\nServer-Timing: db;dur=1\r\nSet-Cookie: a=b\r\n\r\n")
			})
			all := everything(t, newGate(t, origin, &gate{}), "GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: close\r\n\r\n")
			if !strings.HasSuffix(all, "3\r\nabc\r\n0\r\nServer-Timing: db;dur=1\r\n\r\n") {
				t.Errorf("visitor got %q", all)
			}
			if announced != "" && !strings.Contains(all, "\r\nTrailer: Server-Timing\r\n") {
				t.Errorf("the trailer is not announced: %q", all)
			}
		})
	}
}

// A pattern is an endless body that is different everywhere, so that a lost or
// repeated piece shows.
type pattern struct{ n uint64 }

func (p *pattern) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(p.n * 0x9e3779b97f4a7c15 >> 56)
		p.n++
	}
	return len(b), nil
}

const big = 256 << 20

// peak runs f and returns by how much the heap in use grew beyond its size
// before, looked at again and again.
func peak(f func()) (grown int64) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	before := int64(m.HeapInuse)
	for {
		select {
		case <-done:
			return grown
		case <-time.After(20 * time.Millisecond):
			runtime.ReadMemStats(&m)
			grown = max(grown, int64(m.HeapInuse)-before)
		}
	}
}

const flat = 24 << 20 // of heap, however long a body is

func TestUploadStreamsWithFlatMemory(t *testing.T) {
	for name, length := range map[string]int64{"known length": big, "chunked": -1} {
		t.Run(name, func(t *testing.T) {
			origin := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
				sum := sha256.New()
				n, _ := io.Copy(sum, r.Body)
				_, _ = io.WriteString(w, strconv.FormatInt(n, 10)+" "+string(sum.Sum(nil)))
			})
			url := "http://" + newGate(t, origin, &gate{}) + "/"
			var got string
			grown := peak(func() {
				req, _ := http.NewRequest(http.MethodPost, url, io.LimitReader(&pattern{}, big))
				req.ContentLength = length
				res, err := http.DefaultClient.Do(req)
				if err != nil {
					t.Error(err)
					return
				}
				body, _ := io.ReadAll(res.Body)
				_ = res.Body.Close()
				got = string(body)
			})
			if want := strconv.Itoa(big) + " " + string(sumOfPattern(big)); got != want {
				t.Error("the upload did not arrive as it was sent")
			}
			t.Logf("heap grew by %d KiB for %d MiB", grown>>10, big>>20)
			if grown > flat {
				t.Errorf("heap grew by %d bytes", grown)
			}
		})
	}
}

func TestDownloadStreamsWithFlatMemory(t *testing.T) {
	origin := newOrigin(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", strconv.Itoa(big))
		_, _ = io.Copy(w, io.LimitReader(&pattern{}, big))
	})
	url := "http://" + newGate(t, origin, &gate{}) + "/"
	sum := sha256.New()
	grown := peak(func() {
		res, err := http.Get(url)
		if err != nil {
			t.Error(err)
			return
		}
		_, err = io.Copy(sum, res.Body)
		_ = res.Body.Close()
		if err != nil {
			t.Error(err)
		}
	})
	if !bytes.Equal(sum.Sum(nil), sumOfPattern(big)) {
		t.Error("the download did not arrive as it was sent")
	}
	t.Logf("heap grew by %d KiB for %d MiB", grown>>10, big>>20)
	if grown > flat {
		t.Errorf("heap grew by %d bytes", grown)
	}
}

func sumOfPattern(n int64) []byte {
	sum := sha256.New()
	_, _ = io.Copy(sum, io.LimitReader(&pattern{}, n))
	return sum.Sum(nil)
}

func TestVisitorWhoLeavesIsNotTheOriginsFault(t *testing.T) {
	origin := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(w, &pattern{})
	})
	g := &gate{failed: make(chan error, 1)}
	c, r := dial(t, newGate(t, origin, g))
	_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	readHead(r)
	_ = c.Close()
	var e *Error
	if err := wait(t, "the error", g.failed); !errors.As(err, &e) || e.Kind != Canceled {
		t.Errorf("error %v", err)
	}
}

func TestFlushFor(t *testing.T) {
	for ct, want := range map[string]Flush{
		"text/event-stream":                Always,
		"Text/Event-Stream; charset=utf-8": Always,
		"text/html":                        OnStall,
		"":                                 OnStall,
	} {
		if got := FlushFor(&http.Response{Header: http.Header{"Content-Type": {ct}}}); got != want {
			t.Errorf("FlushFor(%q) = %v", ct, got)
		}
	}
}
