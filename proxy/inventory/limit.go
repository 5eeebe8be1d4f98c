package inventory

import (
	"hash/maphash"
	"sync"
	"time"
)

const (
	perSource  = 60   // reports of one source in a minute
	perMinute  = 3000 // reports of all sources in a minute
	limitCells = 4096 // in each of the two rows
)

// A limiter counts how often each source came in the current minute without
// keeping any: a source only picks two counters, by hashes whose keys are made
// anew every minute and never leave the memory. Sources that share both counters
// share the limit.
type limiter struct {
	mu     sync.Mutex
	minute int64
	seeds  [2]maphash.Seed
	rows   [2][limitCells]uint8
	all    int
}

// allow counts one and reports whether it is within the limits.
func (l *limiter) allow(source string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if minute := now.Unix() / 60; minute != l.minute || l.all == 0 {
		l.minute, l.all = minute, 0
		l.seeds = [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}
		clear(l.rows[0][:])
		clear(l.rows[1][:])
	}
	a := &l.rows[0][maphash.String(l.seeds[0], source)%limitCells]
	b := &l.rows[1][maphash.String(l.seeds[1], source)%limitCells]
	if l.all >= perMinute || min(*a, *b) >= perSource {
		return false
	}
	*a, *b = min(*a+1, perSource), min(*b+1, perSource)
	l.all++
	return true
}
