package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// A restartable origin is at one address, on and off, and remembers when it was
// off and which POSTs arrived.
type restartable struct {
	address string
	server  *http.Server

	mu    sync.Mutex
	off   []interval
	posts map[string]int
}

type interval struct{ from, to time.Time }

func newRestartable(t *testing.T) *restartable {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o := &restartable{address: l.Addr().String(), posts: map[string]int{}}
	o.serve(l)
	t.Cleanup(func() { _ = o.server.Close() })
	return o
}

func (o *restartable) serve(l net.Listener) {
	o.server = &http.Server{Handler: o}
	go func() { _ = o.server.Serve(l) }()
}

func (o *restartable) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		o.mu.Lock()
		o.posts[r.URL.RawQuery]++
		o.mu.Unlock()
		_, _ = io.Copy(io.Discard, r.Body)
	}
	w.Header().Set("Content-Type", "text/html")
	_, _ = io.WriteString(w, "<!doctype html><title>x</title><p>the end</p>")
}

// restart cuts every connection and comes back after a while.
func (o *restartable) restart(t *testing.T, away time.Duration) {
	t.Helper()
	from := time.Now()
	_ = o.server.Close()
	time.Sleep(away)
	l, err := net.Listen("tcp", o.address)
	if err != nil {
		t.Fatal(err)
	}
	o.serve(l)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.off = append(o.off, interval{from, time.Now()})
}

// wasOff reports whether it was at some time of a request.
func (o *restartable) wasOff(request interval) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, off := range o.off {
		if request.from.Before(off.to) && off.from.Before(request.to) {
			return true
		}
	}
	return false
}

// A result is one request of the load.
type result struct {
	interval
	method  string
	problem string // empty: none
}

// load asks from several visitors at once until stop is closed. Every fourth
// request is a POST.
func load(p *program, stop chan struct{}) []result {
	var all []result
	var mu sync.Mutex
	var crowd sync.WaitGroup
	for visitor := range 6 {
		crowd.Go(func() {
			client := &http.Client{Transport: &http.Transport{}, Timeout: 20 * time.Second}
			defer client.CloseIdleConnections()
			var own []result
			for i := 0; ; i++ {
				select {
				case <-stop:
					mu.Lock()
					defer mu.Unlock()
					all = append(all, own...)
					return
				default:
					own = append(own, oneRequest(client, p, visitor, i))
				}
			}
		})
	}
	crowd.Wait()
	return all
}

func oneRequest(client *http.Client, p *program, visitor, i int) (r result) {
	r.method = http.MethodGet
	var body io.Reader
	if i%4 == 3 {
		r.method, body = http.MethodPost, strings.NewReader("a=b")
	}
	req, err := http.NewRequest(r.method, fmt.Sprintf("http://%s/?%d-%d", p.visitors, visitor, i), body)
	if err != nil {
		r.problem = err.Error()
		return r
	}
	r.from = time.Now()
	defer func() { r.to = time.Now() }()
	res, err := client.Do(req)
	if err != nil {
		r.problem = err.Error()
		return r
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK || !strings.Contains(string(text), "the end") {
		r.problem = fmt.Sprintf("%d, %v", res.StatusCode, err)
	}
	return r
}

const restarts = 10

// TestFaultsOriginRestarts: the origin is restarted ten times under load. What
// fails must have failed because it was away.
func TestFaultsOriginRestarts(t *testing.T) {
	t.Parallel()
	o := newRestartable(t)
	p := runProgram(t, "sites: [{upstream: {url: 'http://"+o.address+"'}}]\n")
	stop := make(chan struct{})
	go func() {
		defer close(stop)
		for range restarts {
			time.Sleep(100 * time.Millisecond)
			o.restart(t, 100*time.Millisecond)
		}
		time.Sleep(100 * time.Millisecond)
	}()
	failed, ours := 0, 0
	all := load(p, stop)
	for _, r := range all {
		if r.problem == "" {
			continue
		}
		failed++
		if !o.wasOff(r.interval) {
			ours++
			t.Errorf("%s failed while the origin was there: %s", r.method, r.problem)
		}
	}
	t.Logf("%d requests, %d failed while the origin was away, %d while it was there", len(all), failed-ours, ours)
	o.noneTwice(t)
}

// TestFaultsOneOfTwoOriginsRestarts: where there is another one, no visitor who
// only reads sees anything of it.
func TestFaultsOneOfTwoOriginsRestarts(t *testing.T) {
	t.Parallel()
	one, two := newRestartable(t), newRestartable(t)
	p := runProgram(t, "sites: [{upstream: {urls: ['http://"+one.address+"', 'http://"+two.address+"']}}]\n")
	stop := make(chan struct{})
	go func() {
		defer close(stop)
		for i := range restarts {
			time.Sleep(50 * time.Millisecond)
			[]*restartable{one, two}[i%2].restart(t, 100*time.Millisecond)
		}
	}()
	posts, gets := 0, 0
	all := load(p, stop)
	for _, r := range all {
		first, second := one.wasOff(r.interval), two.wasOff(r.interval)
		switch {
		case r.problem == "":
		case r.method == http.MethodPost && (first || second):
			posts++
		case r.method == http.MethodGet && first && second: // a slow one can meet both restarts
			gets++
		default:
			t.Errorf("a %s failed while there was an origin to answer it: %s", r.method, r.problem)
		}
	}
	t.Logf("%d requests; %d POSTs broke with their origin, %d GETs met the restarts of both", len(all), posts, gets)
	for query, n := range one.posts {
		two.posts[query] += n
	}
	two.noneTwice(t)
}

func (o *restartable) noneTwice(t *testing.T) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	for query, n := range o.posts {
		if n > 1 {
			t.Errorf("the POST %s arrived %d times", query, n)
		}
	}
}
