package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var soakTime = flag.Duration("soak", 12*time.Second, "how long TestSoak goes on; 10m shows more")

// A soak is visitors of all kinds who come again and again.
type soak struct {
	p        *program
	client   *http.Client
	ended    chan struct{}
	requests atomic.Int64
	failed   atomic.Int64
	t        *testing.T
}

// TestSoak mixes pages, uploads, slow visitors and visitors who leave, and
// expects every honest request answered, and neither memory nor descriptors to
// grow with time.
func TestSoak(t *testing.T) {
	origin := newSoakOrigin(t)
	p := runBinary(t, buildProgram(t), "sites: [{upstream: {url: "+origin+"}}]\nlogging: {level: warn}\n")
	idle := openDescriptors(t, p)
	s := &soak{p: p, t: t, ended: make(chan struct{}), client: &http.Client{Transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 8}}}
	var crowd sync.WaitGroup
	for i, do := range []func(*rand.Rand){
		s.readPage, s.readPage, s.readPage, s.upload, s.readSlowly, s.readSlowly, s.readSlowly, s.leave, s.leave, s.leaveUpload, s.listen,
	} {
		crowd.Go(func() { s.again(do, rand.New(rand.NewPCG(uint64(i), 7))) })
	}
	first, last := s.measure()
	close(s.ended)
	crowd.Wait()
	s.client.CloseIdleConnections()
	left := awaitDescriptors(t, p, idle+20)
	t.Logf("%d requests in %v, %d failed; memory at most %d MB in the second third and %d MB in the last; descriptors at most %d and %d, %d idle before, %d after",
		s.requests.Load(), *soakTime, s.failed.Load(), first.memory>>20, last.memory>>20, first.descriptors, last.descriptors, idle, left)
	if n := s.failed.Load(); n > 0 {
		t.Errorf("%d requests failed", n)
	}
	if last.memory > first.memory+16<<20 {
		t.Errorf("memory grew from %d to %d MB", first.memory>>20, last.memory>>20)
	}
	if last.descriptors > first.descriptors*3/2+20 || left > idle+20 {
		t.Errorf("descriptors: %d idle, at most %d and then %d, %d left", idle, first.descriptors, last.descriptors, left)
	}
}

// again does one thing until the soak ends.
func (s *soak) again(do func(*rand.Rand), dice *rand.Rand) {
	for {
		select {
		case <-s.ended:
			return
		default:
			do(dice)
			s.requests.Add(1)
		}
	}
}

func (s *soak) fail(format string, args ...any) {
	if s.failed.Add(1) < 20 {
		s.t.Errorf(format, args...)
	}
}

func (s *soak) get(dice *rand.Rand, path string) (*http.Response, error) {
	req, err := http.NewRequest(http.MethodGet, "http://"+s.p.visitors+path, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "text/html")
	req.Header.Set("Accept-Encoding", []string{"gzip", "br", "identity"}[dice.IntN(3)])
	req.Header.Set("Accept-Language", []string{"en", "de", "ar"}[dice.IntN(3)])
	if dice.IntN(4) == 0 {
		req.Header.Set("DNT", "1")
	}
	return s.client.Do(req)
}

// readPage reads one of many pages, of which few are asked for often.
func (s *soak) readPage(dice *rand.Rand) {
	path := fmt.Sprintf("/page/%d", int(dice.ExpFloat64()*50))
	res, err := s.get(dice, path)
	if err != nil {
		s.fail("%s: %v", path, err)
		return
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		s.fail("%s: %d, %v", path, res.StatusCode, err)
	}
	if res.Header.Get("Content-Encoding") == "" && !bytes.Contains(body, []byte("<p>"+path+"</p>")) {
		s.fail("%s has another page's text", path)
	}
	time.Sleep(time.Millisecond)
}

func (s *soak) upload(dice *rand.Rand) {
	size := int64(dice.IntN(4 << 20))
	res, err := s.client.Post("http://"+s.p.visitors+"/upload", "application/octet-stream", io.LimitReader(zeros{}, size))
	if err != nil {
		s.fail("upload: %v", err)
		return
	}
	defer func() { _ = res.Body.Close() }()
	if said, err := io.ReadAll(res.Body); err != nil || string(said) != fmt.Sprint(size) {
		s.fail("upload of %d: %q, %v", size, said, err)
	}
	time.Sleep(20 * time.Millisecond)
}

// readSlowly reads a page in small pieces with pauses.
func (s *soak) readSlowly(dice *rand.Rand) {
	res, err := s.get(dice, "/long")
	if err != nil {
		s.fail("/long: %v", err)
		return
	}
	defer func() { _ = res.Body.Close() }()
	for piece := make([]byte, 512); ; time.Sleep(5 * time.Millisecond) {
		if _, err := io.ReadFull(res.Body, piece); err == io.EOF || err == io.ErrUnexpectedEOF {
			return
		} else if err != nil {
			s.fail("/long: %v", err)
			return
		}
	}
}

// leave goes away in the middle of a page.
func (s *soak) leave(dice *rand.Rand) {
	c, err := net.Dial("tcp", s.p.visitors)
	if err != nil {
		s.fail("connect: %v", err)
		return
	}
	_, _ = io.WriteString(c, "GET /long HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\n\r\n")
	if dice.IntN(2) == 0 {
		_, _ = io.ReadFull(c, make([]byte, dice.IntN(64<<10)))
	}
	_ = c.Close()
	time.Sleep(5 * time.Millisecond)
}

// leaveUpload goes away in the middle of an upload.
func (s *soak) leaveUpload(dice *rand.Rand) {
	c, err := net.Dial("tcp", s.p.visitors)
	if err != nil {
		s.fail("connect: %v", err)
		return
	}
	_, _ = io.WriteString(c, "POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n")
	_, _ = c.Write(make([]byte, dice.IntN(100_000)))
	_ = c.Close()
	time.Sleep(10 * time.Millisecond)
}

// listen reads a few events of a stream and leaves.
func (s *soak) listen(dice *rand.Rand) {
	res, err := s.get(dice, "/events")
	if err != nil {
		s.fail("/events: %v", err)
		return
	}
	defer func() { _ = res.Body.Close() }()
	if _, err := io.ReadFull(res.Body, make([]byte, 80)); err != nil {
		s.fail("/events: %v", err)
	}
}

// A level is the most that was seen of each in some time.
type level struct {
	memory      int64
	descriptors int
}

// measure looks ten times a second; the first third of the time is for warming
// up.
func (s *soak) measure() (second, last level) {
	start := time.Now()
	for tick := time.NewTicker(100 * time.Millisecond); ; <-tick.C {
		part := int(3 * time.Since(start) / *soakTime)
		now := level{residentMemory(s.t, s.p), openDescriptors(s.t, s.p)}
		switch part {
		case 0:
		case 1:
			second = level{max(second.memory, now.memory), max(second.descriptors, now.descriptors)}
		case 2:
			last = level{max(last.memory, now.memory), max(last.descriptors, now.descriptors)}
		default:
			tick.Stop()
			return second, last
		}
	}
}

func openDescriptors(t testing.TB, p *program) int {
	t.Helper()
	list, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.process.Pid))
	if err != nil {
		skipOrFail(t, "no /proc here to count descriptors by")
	}
	return len(list)
}

// awaitDescriptors gives what was cut ten seconds to be noticed.
func awaitDescriptors(t testing.TB, p *program, most int) (n int) {
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if n = openDescriptors(t, p); n <= most {
			return n
		}
	}
	return n
}

func newSoakOrigin(t *testing.T) (url string) {
	filler := strings.Repeat(`<p>text</p><script src="https://www.googletagmanager.com/gtag/js?id=G-X"></script><img src="/a.png">`, 50)
	mux := http.NewServeMux()
	mux.HandleFunc("/page/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprintf(w, "<!doctype html><title>x</title><p>%s</p>%s", r.URL.Path, filler)
	})
	mux.HandleFunc("/long", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<!doctype html><title>x</title>")
		for range 100 {
			if _, err := io.WriteString(w, filler); err != nil {
				return
			}
		}
	})
	mux.HandleFunc("/upload", func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		_, _ = fmt.Fprint(w, n)
	})
	mux.HandleFunc("/events", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for r.Context().Err() == nil {
			_, _ = io.WriteString(w, "data: something happened\n\n")
			_ = http.NewResponseController(w).Flush()
			time.Sleep(10 * time.Millisecond)
		}
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}
