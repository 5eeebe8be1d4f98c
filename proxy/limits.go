package proxy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"time"

	"github.com/numfocus/consentgate/consent"
	"github.com/numfocus/consentgate/proxy/banner"
)

// A LimitsConfig bounds how much is edited at the same moment, and with it what
// editing takes of the processor and the memory. Zero means the default.
type LimitsConfig struct {
	// Pages that have arrived whole; 8 for each processor.
	Pages int `yaml:"pages"`
	// Streams are pages edited while they arrive: long ones, and those of a slow
	// origin. 512.
	Streams int `yaml:"streams"`
	// Wait is how long a page waits for its turn before the visitor is told to
	// come again; 5s.
	Wait time.Duration `yaml:"wait"`
}

// Check returns all mistakes at once, each a [consent.Mistake].
func (c LimitsConfig) Check() error {
	var errs []error
	add := func(field string, wrong bool, value any, cure string) {
		if wrong {
			errs = append(errs, consent.Mistake{Field: field, Problem: fmt.Sprintf("%v is less than nothing", value), Cure: cure})
		}
	}
	add("pages", c.Pages < 0, c.Pages, "use a number such as 16, or leave it out")
	add("streams", c.Streams < 0, c.Streams, "use a number such as 512, or leave it out")
	add("wait", c.Wait < 0, c.Wait, "use a time such as 5s, or leave it out")
	return errors.Join(errs...)
}

// limits are the turns to edit that there are.
type limits struct {
	pages, streams chan struct{} // one is put in for each
	wait           time.Duration
}

func newLimits(c LimitsConfig) limits {
	return limits{
		pages:   make(chan struct{}, cmp.Or(c.Pages, 8*runtime.GOMAXPROCS(0))),
		streams: make(chan struct{}, cmp.Or(c.Streams, 512)),
		wait:    cmp.Or(c.Wait, 5*time.Second),
	}
}

var errOverloaded = errors.New("too many pages are being edited")

// take waits for a turn; whoever gets one gives it back with <-turns.
func (l *limits) take(ctx context.Context, turns chan struct{}) error {
	select {
	case turns <- struct{}{}:
		return nil
	default:
	}
	timer := time.NewTimer(l.wait)
	defer timer.Stop()
	select {
	case turns <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return fmt.Errorf("%w: %d, and none ended within %v", errOverloaded, cap(turns), l.wait)
	}
}

// overloaded tells the visitor to come again, in place of a page of which nothing
// has been sent.
func (x *exchange) overloaded(err error) {
	x.failure = err
	x.gateway.parts.Meter.Overloaded()
	x.instead(http.StatusServiceUnavailable, banner.Busy)
}

// instead answers with a page of ours where nothing of the origin's has been
// sent, its header included.
func (x *exchange) instead(status int, kind banner.Kind) {
	clear(x.w.Header())
	if x.decided {
		x.w.Header().Set("Tk", x.site.tk(*x.decision()))
	}
	x.site.errorPage(x.w, x.r, status, kind)
}
