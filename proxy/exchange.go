package proxy

import (
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/numfocus/consentgate/consent"
	"github.com/numfocus/consentgate/consent/catalog"
	"github.com/numfocus/consentgate/proxy/banner"
	"github.com/numfocus/consentgate/proxy/inventory"
	"github.com/numfocus/consentgate/proxy/upstream"
)

// An exchange is one request on its way through the gateway.
type exchange struct {
	gateway *Gateway
	site    *site // nil: no site has the host
	r       *http.Request
	w       *recorder
	start   time.Time

	judge   judge
	decided bool        // judge has a decision
	ours    bool        // one of our own routes answers
	at      catalog.URL // what was asked for, once somebody wants to know: see base
	nonce   string      // of the origin's policy for an edited page; empty: none
	page    bool        // the answer was asked for as an HTML document
	spent   []string    // names of cookies that came in although they are withheld
	tally   tally
	seen    inventory.Sightings
	failure error // what to log
}

func (g *Gateway) begin(w http.ResponseWriter, r *http.Request) *exchange {
	x := &exchange{gateway: g, r: r, w: &recorder{ResponseWriter: w}, start: g.parts.now()}
	host := hostname(upstream.Host(r, g.trusted))
	x.site = g.any
	if s, ok := g.sites[host]; ok {
		x.site = s
	}
	x.judge = judge{site: x.site, host: host}
	if x.site != nil {
		x.judge.offer = x.site.offers.now.Load()
	}
	return x
}

// hostname takes the port and the dot of a fully qualified name off a Host.
func hostname(hostport string) string {
	host := strings.ToLower(hostport)
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		host = host[:i]
	}
	return strings.TrimSuffix(strings.Trim(host, "[]"), ".")
}

// decide says who asks and what is allowed.
func (x *exchange) decide() {
	x.judge.decision = x.site.decide(x.judge.offer, x.r, x.secure())
	x.decided = true
}

func (x *exchange) decision() *consent.Decision { return &x.judge.decision }

func (x *exchange) secure() bool { return upstream.IsTLS(x.r, x.gateway.trusted) }

func (x *exchange) client() netip.Addr {
	return upstream.Truncate(upstream.ClientAddr(x.r, x.gateway.trusted))
}

// refuse answers a request that is not passed on.
func (x *exchange) refuse(status int, reason string) {
	x.failure = errors.New(reason)
	x.w.Header().Set("Connection", "close")
	http.Error(x.w, http.StatusText(status), status)
}

// originFailed answers when the origin did not.
func (x *exchange) originFailed(err error) {
	if b, ok := errors.AsType[*bug](err); ok {
		panic(b)
	}
	x.failure = err
	status := http.StatusBadGateway
	if e, ok := errors.AsType[*upstream.Error](err); ok {
		status = e.Status()
	}
	x.w.Header().Set("Tk", x.site.tk(*x.decision()))
	x.site.errorPage(x.w, x.r, status, banner.KindOf(status))
}

// ask sends the request to the origin, and has the wait for its answer counted.
func (x *exchange) ask() (*http.Response, error) {
	sent := time.Now()
	res, err := x.site.upstream.RoundTrip(x.outgoing(), x.hintsFor())
	x.gateway.parts.Meter.Origin(x.site.name, originOutcome(res, err), time.Since(sent))
	return res, err
}

// tunnel carries a WebSocket.
func (x *exchange) tunnel(res *http.Response) {
	x.w.status = res.StatusCode
	if err := x.gateway.tunnels.Serve(x.w, res); err != nil {
		x.originFailed(err)
	}
}

// own is the writer for our own routes, which set Tk themselves where a choice
// is made.
func (x *exchange) own() http.ResponseWriter {
	x.ours = true
	x.decide()
	x.w.Header().Set("Tk", x.site.tk(*x.decision()))
	return x.w
}
