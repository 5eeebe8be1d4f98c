package main

import (
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// A cell is one proxy under one kind of request.
type cell struct {
	server *process
	path   string
	accept string // Accept-Encoding
	coding string // of the answer
	wire   int    // bytes of the answer's body

	cpu, origin []float64 // microseconds a request, one figure a round
	rate        []float64 // requests a second
}

func (c *cell) name() string {
	name := c.server.name
	if c.coding != "" {
		name += ", " + c.coding
	}
	return name
}

// fewVisitors is enough to keep two processors busy.
const fewVisitors = 16

// measure puts the proxy under load once.
func (c *cell) measure(l *lab, connections int, span time.Duration) error {
	before, originBefore := c.server.cpu(), l.origin.cpu()
	begun := time.Now()
	n, err := load(c.server.addr, c.path, c.accept, connections, span)
	if err != nil {
		return fmt.Errorf("%s: %w", c.name(), err)
	}
	took := time.Since(begun)
	per := func(d time.Duration) float64 { return float64(d.Microseconds()) / float64(n) }
	c.cpu = append(c.cpu, per(c.server.cpu()-before))
	c.origin = append(c.origin, per(l.origin.cpu()-originBefore))
	c.rate = append(c.rate, float64(n)/took.Seconds())
	return nil
}

// load asks for path again and again and returns how often it was answered.
func load(addr, path, accept string, connections int, span time.Duration) (int, error) {
	if wrk, err := exec.LookPath("wrk"); err == nil {
		return loadWithWrk(wrk, addr, path, accept, connections, span)
	}
	return loadFromHere(addr, path, accept, connections, span)
}

var (
	wrkRequests = regexp.MustCompile(`(\d+) requests in`)
	wrkFailures = regexp.MustCompile(`Socket errors.*|Non-2xx.*`)
)

func loadWithWrk(wrk, addr, path, accept string, connections int, span time.Duration) (int, error) {
	args := []string{"-t1", "-c", strconv.Itoa(connections), "-d", strconv.Itoa(max(1, int(span.Seconds()))) + "s"}
	for _, h := range headers(path, accept) {
		args = append(args, "-H", h)
	}
	out, err := exec.Command(wrk, append(args, "http://"+addr+path)...).Output()
	if err != nil {
		return 0, fmt.Errorf("run wrk: %w", err)
	}
	if failed := wrkFailures.Find(out); failed != nil {
		return 0, fmt.Errorf("under load: %s", failed)
	}
	found := wrkRequests.FindSubmatch(out)
	if found == nil {
		return 0, fmt.Errorf("wrk said %q", out)
	}
	return strconv.Atoi(string(found[1]))
}

// loadFromHere is for where there is no wrk.
func loadFromHere(addr, path, accept string, connections int, span time.Duration) (int, error) {
	end := time.Now().Add(span)
	var answered atomic.Int64
	errs := make([]error, connections)
	var all sync.WaitGroup
	for i := range connections {
		all.Go(func() {
			v, err := dial(addr)
			if err != nil {
				errs[i] = err
				return
			}
			defer v.close()
			for time.Now().Before(end) && errs[i] == nil {
				_, _, _, errs[i] = v.get(path, accept)
				answered.Add(1)
			}
		})
	}
	all.Wait()
	return int(answered.Load()), errors.Join(errs...)
}
