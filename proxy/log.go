package proxy

import (
	"net/http"
	"strings"

	"github.com/rs/zerolog"

	"github.com/numfocus/consentgate/consent"
)

// end writes one line about an exchange. The address is cut to its network and
// the query left out: it may name the visitor.
func (x *exchange) end() {
	x.remember()
	if x.site != nil {
		x.site.renew(x.gateway.parts.now())
	}
	if p := recover(); p != nil {
		x.log(http.ErrAbortHandler == p)
		panic(p) // net/http closes the connection: the visitor sees that the page is not whole
	}
	x.log(false)
}

func (x *exchange) log(cut bool) {
	if strings.HasPrefix(x.r.URL.Path, "/.well-known/dnt/") {
		return // TPE section 6.4: nothing may be kept about these
	}
	e := x.gateway.parts.Log.Info()
	if x.failure != nil {
		e = x.gateway.parts.Log.Warn().Err(x.failure)
	}
	if !e.Enabled() {
		return
	}
	if x.site != nil {
		e.Str("site", x.site.name)
	}
	e.Str("method", x.r.Method).
		Str("host", x.judge.host).
		Str("path", x.r.URL.Path).
		Int("status", x.w.status).
		Int64("bytes", x.w.bytes).
		Dur("ms", x.gateway.parts.now().Sub(x.start)).
		Stringer("client", x.client()).
		Object("decision", logged{*x.decision()})
	if x.tally != (tally{}) {
		e.Object("withheld", &x.tally)
	}
	if cut {
		e.Bool("cut", true)
	}
	e.Msg("request")
}

// logged is a decision as the access log shows it.
type logged struct{ consent.Decision }

// MarshalZerologObject names what is allowed and which signals are in force.
func (d logged) MarshalZerologObject(e *zerolog.Event) {
	e.Stringer("allowed", d.Purposes)
	if len(d.Services) > 0 {
		e.Int("services", len(d.Services))
	}
	if d.Ask {
		e.Bool("asked", true)
	}
	if d.NoTracking {
		e.Bool("dnt", true)
	}
	if d.NoSale {
		e.Bool("gpc", true)
	}
}
