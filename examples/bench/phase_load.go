package main

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// measureLoad measures processor time a request.
func measureLoad(l *lab, p plan, r *results) error {
	servers, err := l.beginAll()
	if err != nil {
		return err
	}
	defer stopAll(servers)
	r.idle = memoryOf(servers)
	r.tables = loadTables(l, servers)
	for _, t := range r.tables {
		for _, c := range t.cells {
			if err := c.check(); err != nil {
				return fmt.Errorf("%s, %s: %w", t.title, c.server.name, err)
			}
		}
	}
	for range p.rounds {
		for _, t := range r.tables {
			for _, c := range t.cells {
				if err := c.measure(l, fewVisitors, p.span); err != nil {
					return err
				}
			}
		}
	}
	return r.measureBusy(servers[gatewayName], p.span)
}

func (l *lab) beginAll() (map[string]*process, error) {
	servers := map[string]*process{}
	for _, p := range append(l.peers(), gatewayPeer(smallName, "compression: small\n")) {
		s, err := l.begin(p, l.plainAddr)
		if err != nil {
			stopAll(servers)
			return nil, err
		}
		servers[p.name] = s
	}
	return servers, nil
}

func stopAll(servers map[string]*process) {
	for _, s := range servers {
		s.stop()
	}
}

func memoryOf(servers map[string]*process) map[string]int64 {
	m := map[string]int64{}
	for name, s := range servers {
		m[name], _ = s.memory()
	}
	return m
}

// A table is cells that are compared with each other.
type table struct {
	title string
	base  string // the row that others are given as a ratio of
	cells []*cell
}

func (t table) cell(name, coding string) *cell {
	for _, c := range t.cells {
		if c.server.name == name && c.coding == coding {
			return c
		}
	}
	return nil
}

// Accept-Encoding of browsers, of clients that know only gzip, and of none.
const (
	browser  = "gzip, deflate, br"
	gzipOnly = "gzip"
)

func loadTables(l *lab, servers map[string]*process) []table {
	cells := func(path, accept string, names ...string) (list []*cell) {
		for _, name := range names {
			if s := servers[name]; s != nil {
				list = append(list, &cell{server: s, path: path, accept: accept})
			}
		}
		return list
	}
	gzipped := &cell{server: &process{name: "origin alone, gzip 1", addr: l.gzipAddr, cmd: l.origin.cmd}, path: pathNew, accept: gzipOnly}
	alone := &cell{server: &process{name: "origin alone", addr: l.plainAddr, cmd: l.origin.cmd}, path: pathNew}
	return []table{
		{"A page seen before", nginxName, slices.Concat(
			cells(pathSame, "", gatewayName, leanName, nginxBigName, nginxName, plainName, caddyName),
			cells(pathSame, browser, gatewayName), cells(pathSame, gzipOnly, gatewayName),
			cells(pathSame, gzipOnly, nginxSub1))},
		{"A page never seen before", nginxSub1, slices.Concat(
			cells(pathNew, browser, gatewayName),
			cells(pathNew, gzipOnly, gatewayName, smallName, nginxSub1, nginxSub5),
			cells(pathNew, "", gatewayName), []*cell{gzipped, alone})},
		{"An asset of 10 KB", nginxName, cells(pathAsset, browser, gatewayName, nginxName, leanName, plainName, caddyName)},
	}
}

// check asks once, and sees that the proxy does what it is measured for.
func (c *cell) check() error {
	v, err := dial(c.server.addr)
	if err != nil {
		return err
	}
	defer v.close()
	var body []byte
	var res *http.Response
	for range 4 { // so that what is seen before was seen
		if res, body, _, err = v.get(c.path, c.accept); err != nil {
			return err
		}
		time.Sleep(50 * time.Millisecond)
	}
	c.coding, c.wire = res.Header.Get("Content-Encoding"), len(body)
	text, err := decode(c.coding, body)
	if err != nil {
		return err
	}
	switch name := c.server.name; {
	case res.StatusCode != http.StatusOK:
		return fmt.Errorf("it answers %s", res.Status)
	case c.path == pathAsset:
	case name == gatewayName || name == smallName:
		if bytes.Contains(text, []byte("facebook.com")) || !bytes.Contains(text, []byte("cg-banner")) {
			return fmt.Errorf("the page is not edited")
		}
	case name == nginxSub1 || name == nginxSub5:
		if bytes.Count(text, []byte(inserted)) != 2 {
			return fmt.Errorf("nothing is inserted")
		}
	}
	return nil
}

// manyVisitors is how many connections the resident memory is measured with.
const manyVisitors = 256

// measureBusy looks at the gateway's memory while many visitors ask.
func (r *results) measureBusy(s *process, span time.Duration) error {
	done := make(chan struct{})
	looked := make(chan struct{})
	go func() {
		defer close(looked)
		for {
			rss, _ := s.memory()
			r.busy = max(r.busy, rss)
			select {
			case <-done:
				return
			case <-time.After(50 * time.Millisecond):
			}
		}
	}()
	_, err := load(s.addr, pathNew, browser, manyVisitors, 2*span)
	close(done)
	<-looked
	return err
}
