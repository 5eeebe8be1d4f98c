package serve

import (
	"fmt"
	"sync"
	"time"
)

const (
	firstWait   = 15 * time.Minute
	longestWait = 6 * time.Hour
)

// failures keeps visitors from having an authority asked again and again for a
// certificate that it refuses: authorities limit how often they may be asked.
type failures struct {
	mu sync.Mutex
	of map[string]failure // by host; hosts are those of the configuration
}

type failure struct {
	wait time.Duration
	next time.Time // not before
}

func newFailures() *failures { return &failures{of: map[string]failure{}} }

// check says why a host has to wait, or nil.
func (f *failures) check(host string, now time.Time) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if next := f.of[host].next; now.Before(next) {
		return fmt.Errorf("the last attempt for %s failed; the next one is not before %s", host, next.UTC().Format(time.TimeOnly))
	}
	return nil
}

func (f *failures) note(host string, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	wait := min(max(2*f.of[host].wait, firstWait), longestWait)
	f.of[host] = failure{wait, now.Add(wait)}
}

func (f *failures) forget(host string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.of, host)
}
