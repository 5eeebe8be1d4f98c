package upstream

import (
	"cmp"
	"fmt"
	"strings"
	"sync"
	"time"
)

// Health says when an origin counts as down. A working one is always preferred;
// where none works, they are tried all the same.
//
// Failures of visitors' requests count in any case: no connection, or no
// response in time. With a Path each origin is asked for it besides, from the
// first visitor's request on, and comes back only by answering it.
type Health struct {
	Path     string        `yaml:"path"`     // such as /healthz; empty: nobody asks
	Host     string        `yaml:"host"`     // the Host of these requests; empty: as for visitors, or the one in the URL
	Interval time.Duration `yaml:"interval"` // between two of them; 10s
	Timeout  time.Duration `yaml:"timeout"`  // for the answer, which must be 2xx or 3xx; 5s
	Failures int           `yaml:"failures"` // in a row, until an origin counts as down; 3
	// Successes are how many answers in a row bring it back; 2.
	Successes int `yaml:"successes"`
	// Pause is how long one that is down gets no visitors where there is no
	// Path; then one request tries it. 10s.
	Pause time.Duration `yaml:"pause"`
}

func (h Health) check(add adder) {
	if h.Path != "" && (!strings.HasPrefix(h.Path, "/") || strings.HasPrefix(h.Path, "//") || !only(h.Path, inPath|inQuery)) {
		add("health.path", fmt.Sprintf("%q is not a path", h.Path), "use a path such as /healthz")
	}
	if h.Host != "" && !validHost(h.Host) {
		add("health.host", fmt.Sprintf("%q is not a host name", h.Host), "use a name such as www.example.org")
	}
	checkDurations(add, []duration{
		{"health.interval", h.Interval},
		{"health.timeout", h.Timeout},
		{"health.pause", h.Pause},
	})
	if h.Failures < 0 || h.Successes < 0 {
		add("health", "failures and successes cannot be negative", "leave them out")
	}
}

func (h Health) withDefaults() Health {
	h.Interval = cmp.Or(h.Interval, 10*time.Second)
	h.Timeout = cmp.Or(h.Timeout, 5*time.Second)
	h.Failures = cmp.Or(h.Failures, 3)
	h.Successes = cmp.Or(h.Successes, 2)
	h.Pause = cmp.Or(h.Pause, 10*time.Second)
	return h
}

// A pulse is what is known of one origin's health.
type pulse struct {
	rules Health

	mu        sync.Mutex
	down      bool
	failures  int       // in a row
	successes int       // in a row, of answers to Path
	again     time.Time // while down: when a visitor's request may try it
}

// claim reports whether an origin that is down may be tried by a visitor's
// request: by one, after each pause.
func (p *pulse) claim(now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.down || p.rules.Path != "" || now.Before(p.again) {
		return false
	}
	p.again = now.Add(p.rules.Pause)
	return true
}

// isDown looks and changes nothing.
func (p *pulse) isDown() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.down
}

// failed counts a request that got no response; changed says that the origin is
// down since this one.
func (p *pulse) failed(now time.Time) (changed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failures++
	p.successes = 0
	if p.failures < p.rules.Failures {
		return false
	}
	p.again = now.Add(p.rules.Pause)
	changed = !p.down
	p.down = true
	return changed
}

// answered counts a response to a visitor's request. Where a path is asked for,
// only that brings an origin back.
func (p *pulse) answered() (changed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down && p.rules.Path != "" {
		return false
	}
	return p.up()
}

// checked counts an answer to Path.
func (p *pulse) checked() (changed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.successes++
	if p.down && p.successes < p.rules.Successes {
		return false
	}
	return p.up()
}

func (p *pulse) up() (changed bool) {
	changed = p.down
	p.down, p.failures = false, 0
	return changed
}
