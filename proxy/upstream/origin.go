package upstream

import (
	"context"
	"fmt"
	"net/url"
	"time"
)

// An origin is one of the servers a site can be had from.
type origin struct {
	index   int
	url     string // for people
	scheme  string
	address string // host[:port]

	slots   chan struct{} // one for each request there
	sockets chan struct{} // one for each WebSocket there
	pulse   pulse
}

func prepareOrigin(index int, raw string, c Config) (*origin, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("parse the origin's URL: %w", err)
	}
	return &origin{
		index:   index,
		url:     u.Scheme + "://" + u.Host,
		scheme:  u.Scheme,
		address: u.Host,
		slots:   make(chan struct{}, c.Requests),
		sockets: make(chan struct{}, c.WebSockets),
		pulse:   pulse{rules: c.Health},
	}, nil
}

// enter waits for one of the origin's slots.
func (o *origin) enter(ctx context.Context, patient time.Duration) error {
	select {
	case o.slots <- struct{}{}:
		return nil
	default:
	}
	timer := time.NewTimer(patient)
	defer timer.Stop()
	select {
	case o.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return classify(ctx, ctx.Err())
	case <-timer.C:
		return &Error{Kind: Busy, Err: fmt.Errorf("%d requests at the origin, none ended within %v", cap(o.slots), patient)}
	}
}

// open takes one of the origin's WebSockets. Those last: nobody waits for one.
func (o *origin) open() error {
	select {
	case o.sockets <- struct{}{}:
		return nil
	default:
		return &Error{Kind: Busy, Err: fmt.Errorf("%d WebSockets at the origin", cap(o.sockets))}
	}
}

// A set is some of the origins, by index.
type set uint32

func (s set) has(o *origin) bool { return s&(1<<o.index) != 0 }

func (s *set) add(o *origin) { *s |= 1 << o.index }

// pick chooses among the origins that are not in tried: one that is due for
// another try; of those that work the one with the fewest requests, of equals the
// next in turn; and where none works the next in turn. It is nil if all were
// tried.
func (u *Upstream) pick(tried set) *origin {
	if len(u.origins) == 1 {
		if tried.has(u.origins[0]) {
			return nil
		}
		return u.origins[0]
	}
	now := time.Now()
	start := int(u.turn.Add(1) % uint32(len(u.origins)))
	var best, down *origin
	for i := range u.origins {
		o := u.origins[(start+i)%len(u.origins)]
		switch {
		case tried.has(o):
		case !o.pulse.isDown():
			if best == nil || len(o.slots) < len(best.slots) {
				best = o
			}
		case o.pulse.claim(now):
			return o
		case down == nil:
			down = o
		}
	}
	if best != nil {
		return best
	}
	return down
}

// A State is one origin as those who run the gateway see it.
type State struct {
	URL        string
	Down       bool
	Requests   int // there now
	WebSockets int // open now
}

// States lists all origins, in the order of the configuration.
func (u *Upstream) States() []State {
	list := make([]State, len(u.origins))
	for i, o := range u.origins {
		list[i] = State{URL: o.url, Down: o.pulse.isDown(), Requests: len(o.slots), WebSockets: len(o.sockets)}
	}
	return list
}
