package proxy

import (
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/numfocus/consentgate/consent"
	"github.com/numfocus/consentgate/proxy/upstream"
)

// Addresses says how much of visitors' addresses is logged; no setting logs
// them whole.
type Addresses string

const (
	TruncatedAddresses Addresses = "truncated" // the network: 24 bits of IPv4, 48 of IPv6; the default
	NoAddresses        Addresses = "none"
)

// end writes one line about an exchange, and survives what went wrong in it.
func (x *exchange) end() {
	abort := false
	if value := recover(); value != nil {
		abort = x.survive(value)
	}
	if b, ok := errors.AsType[*bug](x.book(abort)); ok {
		x.gateway.report(b)
	}
	if abort {
		panic(http.ErrAbortHandler) // net/http closes the connection and says nothing
	}
}

// book writes down what has been.
func (x *exchange) book(cut bool) (err error) {
	defer caught("book", &err)
	x.remember()
	now := x.gateway.parts.now()
	if x.site != nil {
		x.site.renew(now)
	}
	x.meter(now.Sub(x.start))
	x.log(cut, now.Sub(x.start))
	return nil
}

// log leaves the query out, and of the address what names the visitor.
func (x *exchange) log(cut bool, took time.Duration) {
	if strings.HasPrefix(x.r.URL.Path, "/.well-known/dnt/") {
		return // TPE section 6.4: nothing may be kept about these
	}
	e := x.gateway.parts.Log.Info()
	if x.failure != nil {
		e = x.gateway.parts.Log.Warn().Str("error", x.hide(x.failure.Error()))
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
		Dur("ms", took)
	if x.gateway.parts.Addresses != NoAddresses {
		e.Stringer("client", x.client())
	}
	e.Object("decision", logged{*x.decision()})
	if x.tally != (tally{}) {
		e.Object("withheld", &x.tally)
	}
	if cut {
		e.Bool("cut", true)
	}
	e.Msg("request")
}

func (x *exchange) hide(text string) string {
	return hideVisitor(text, x.r, x.gateway.trusted, x.gateway.parts.Addresses)
}

// hideVisitor takes the visitor's address out of a text: errors of the network
// name both ends of a connection.
func hideVisitor(text string, r *http.Request, trusted upstream.Trusted, a Addresses) string {
	if peer, isProxy := upstream.Peer(r, trusted); !isProxy {
		text = a.hide(text, peer)
	}
	return a.hide(text, upstream.ClientAddr(r, trusted))
}

// hide puts what may be logged of an address in its place, and leaves out a port
// behind it, which names the connection. This computer is nobody.
func (a Addresses) hide(text string, addr netip.Addr) string {
	if !addr.IsValid() || addr.IsLoopback() {
		return text
	}
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, addr.String())
		if !found {
			return b.String() + text
		}
		b.WriteString(strings.TrimSuffix(before, "["))
		b.WriteString(a.of(addr))
		text = strings.TrimPrefix(rest, "]")
		if port, ok := strings.CutPrefix(text, ":"); ok {
			text = strings.TrimLeft(port, "0123456789")
		}
	}
}

// of is what may be logged of an address.
func (a Addresses) of(addr netip.Addr) string {
	if a == NoAddresses {
		return "visitor"
	}
	return upstream.Truncate(addr).String()
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
