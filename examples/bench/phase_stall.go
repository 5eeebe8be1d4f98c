package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A stall is what became of pages whose origin fell silent in the middle.
type stall struct {
	name, accept string
	size         int       // bytes that the origin sent
	late         []float64 // milliseconds from then to the last byte of them at the visitor; empty: they did not come
	each         int64     // bytes of memory a stalled page
	asked        int       // pages
}

// patient is how many pages of a kind are waited for longer, before it is taken
// for certain that no more comes.
const patient = 3

// A stallOrigin sends the beginning of a page and falls silent until the
// visitor is gone.
type stallOrigin struct {
	*httptest.Server
	mu   sync.Mutex
	sent map[string]time.Time // by query
}

func newStallOrigin() *stallOrigin {
	o := &stallOrigin{sent: map[string]time.Time{}}
	o.Server = httptest.NewServer(o)
	return o
}

func (o *stallOrigin) addr() string { return strings.TrimPrefix(o.URL, "http://") }

func (o *stallOrigin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	size, _ := strconv.Atoi(r.FormValue("size"))
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = io.WriteString(w, stallPage(size))
	_ = http.NewResponseController(w).Flush()
	o.mu.Lock()
	o.sent[r.URL.RawQuery] = time.Now()
	o.mu.Unlock()
	<-r.Context().Done()
}

func (o *stallOrigin) sentAt(query string) time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.sent[query]
}

// gatewayStalls are the cases in which the gateway is measured.
func gatewayStalls() (all []*stall) {
	for _, size := range []int{64 << 10, 1 << 20} {
		for _, accept := range []string{"br", "gzip", "zstd", ""} {
			all = append(all, &stall{name: gatewayName, accept: accept, size: size})
		}
	}
	return all
}

// measureStall starts each proxy anew for each case, so that the memory of one
// is not that of another.
func measureStall(l *lab, p plan, r *results) error {
	o := newStallOrigin()
	defer o.Close()
	peers := map[string]peer{}
	for _, one := range l.peers() {
		peers[one.name] = one
	}
	for _, s := range append(gatewayStalls(),
		&stall{name: nginxName, size: 64 << 10},
		&stall{name: plainName, size: 64 << 10},
		&stall{name: nginxSub1, accept: "gzip", size: 64 << 10},
	) {
		one, ok := peers[s.name]
		if !ok {
			continue
		}
		if err := s.measure(l, one, o, p.stalled); err != nil {
			return fmt.Errorf("%s, %s: %w", s.name, s.accept, err)
		}
		r.stalls = append(r.stalls, s)
	}
	return nil
}

func (s *stall) measure(l *lab, p peer, o *stallOrigin, pages int) error {
	server, err := l.begin(p, o.addr())
	if err != nil {
		return err
	}
	defer server.stop()
	var open []*visitor
	defer func() {
		for _, v := range open {
			v.close()
		}
	}()
	var before int64
	const warm = 40 // until compressors and buffers are there that serve any number
	for i := range pages + warm {
		if i == warm {
			_, before = server.memory()
		}
		v, err := dial(server.addr)
		if err != nil {
			return err
		}
		open = append(open, v)
		if i == warm {
			s.late = nil
		}
		if err := s.see(v, o, fmt.Sprintf("size=%d&n=%d&%s", s.size, i, v.conn.LocalAddr())); err != nil {
			return err
		}
	}
	_, after := server.memory()
	s.each = (after - before) / int64(pages)
	return nil
}

// see asks for one page and waits until nothing more of it comes.
func (s *stall) see(v *visitor, o *stallOrigin, query string) error {
	if err := v.ask("/?"+query, s.accept); err != nil {
		return err
	}
	quiet := 40 * time.Millisecond
	if s.asked++; s.asked <= patient {
		quiet = time.Second
	}
	raw, last, err := readUntilQuiet(v.conn, quiet)
	if err != nil {
		return err
	}
	if len(raw) == 0 {
		return nil
	}
	if text := arrivedText(raw); !bytes.Contains(text, []byte(arrived)) {
		return nil // a part came, and not all there was
	}
	s.late = append(s.late, float64(last.Sub(o.sentAt(query)).Microseconds())/1000)
	return nil
}

// readUntilQuiet reads all that comes; last is when the last of it did.
func readUntilQuiet(c net.Conn, quiet time.Duration) (raw []byte, last time.Time, err error) {
	buf := make([]byte, 64<<10)
	for {
		_ = c.SetReadDeadline(time.Now().Add(quiet))
		n, err := c.Read(buf)
		if n > 0 {
			raw, last = append(raw, buf[:n]...), time.Now()
		}
		if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
			return raw, last, nil
		}
		if err != nil {
			return raw, last, err
		}
	}
}

// arrivedText is what a browser can read of a response that is not complete.
func arrivedText(raw []byte) []byte {
	res, err := http.ReadResponse(newReader(raw), nil)
	if err != nil {
		return nil
	}
	body, _ := io.ReadAll(res.Body) // it is cut off
	text, _ := decode(res.Header.Get("Content-Encoding"), body)
	return text
}
