package proxy

import (
	"errors"
	"net/http"
	"time"

	"github.com/numfocus/consentgate/consent"
	"github.com/numfocus/consentgate/proxy/upstream"
)

// A Meter is told what a gateway does. Its methods are called in the path of
// requests, by many goroutines at once: they must be quick and never wait. No
// argument is of a visitor's making: sites are those of the configuration, and
// words are from short lists.
type Meter interface {
	// Request has been answered. site is empty where none has the host. route is
	// "page", "other" (than pages), "own" (the gateway's routes) or "refused";
	// decision "undecided", "signal", "refused", "partial", "everything", or
	// "none" where there was nothing to decide.
	Request(site, route, decision string, status int, bytes int64, took time.Duration)
	// Origin has answered a request with a header, or has not. outcome is "1xx"
	// to "5xx", "unreachable", "timeout", "bad", "busy" or "canceled".
	Origin(site, outcome string, took time.Duration)
	// Edited is a page of so many bytes before it was edited, and how long that
	// took: 0 where it was edited as it came.
	Edited(bytes int64, took time.Duration)
	// Withheld counts things of a kind, such as "scripts", that an answer lacks.
	Withheld(site, kind string, n int)
	// Overloaded is a page that was not edited because too many were.
	Overloaded()
	// Panicked is a bug that was survived, and where: "request", "watch", ...
	Panicked(where string)
}

// unmetered is a Meter that nobody reads.
type unmetered struct{}

func (unmetered) Request(_, _, _ string, _ int, _ int64, _ time.Duration) {}
func (unmetered) Origin(_, _ string, _ time.Duration)                     {}
func (unmetered) Edited(int64, time.Duration)                             {}
func (unmetered) Withheld(_, _ string, _ int)                             {}
func (unmetered) Overloaded()                                             {}
func (unmetered) Panicked(string)                                         {}

// meter counts an exchange that has ended.
func (x *exchange) meter(took time.Duration) {
	m := x.gateway.parts.Meter
	name := ""
	if x.site != nil {
		name = x.site.name
	}
	m.Request(name, x.route(), x.verdict(), x.w.status, x.w.bytes, took)
	if x.tally != (tally{}) {
		x.tally.each(func(kind string, n int) { m.Withheld(name, kind, n) })
	}
}

func (x *exchange) route() string {
	switch {
	case !x.decided:
		return "refused"
	case x.ours:
		return "own"
	case x.page:
		return "page"
	}
	return "other"
}

// verdict is the decision in a word.
func (x *exchange) verdict() string {
	d := x.decision()
	switch {
	case !x.decided:
		return "none"
	case d.AllowsEverything():
		return "everything"
	case d.Purposes != consent.PurposesOf(consent.Necessary), len(d.Services) > 0, len(d.Once) > 0:
		return "partial"
	case d.NoTracking, d.NoSale:
		return "signal"
	case d.Choice != nil:
		return "refused"
	}
	return "undecided"
}

// originOutcome is a response or an error in a word.
func originOutcome(res *http.Response, err error) string {
	if err == nil {
		return [...]string{"1xx", "2xx", "3xx", "4xx", "5xx"}[min(max(res.StatusCode/100, 1), 5)-1]
	}
	e, ok := errors.AsType[*upstream.Error](err)
	if !ok {
		return "bad"
	}
	switch e.Kind {
	case upstream.Unreachable:
		return "unreachable"
	case upstream.Timeout:
		return "timeout"
	case upstream.Busy:
		return "busy"
	case upstream.Canceled:
		return "canceled"
	}
	return "bad"
}
