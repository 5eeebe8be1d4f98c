package endpoint

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/numfocus/consentgate/consent"
	"github.com/numfocus/consentgate/consent/ledger"
	"github.com/numfocus/consentgate/consent/token"
	"github.com/numfocus/consentgate/proxy/banner"
)

// A Site is what the endpoint needs to know of the site and of the gateway. All
// but Observe, Domain, Hosts, Report and Problem must be set.
type Site struct {
	Name     string   // in the configuration and in receipts
	Hosts    []string // the site's own host names, for the tracking status
	Observe  bool     // nothing is withheld yet: the tracking status says "under construction"
	Policy   consent.Policy
	Services []*consent.Service // that the site may use: any of them can be granted
	Offered  []*consent.Service // of these that it is known to use; nil: all
	Catalog  string             // hash of the services offered
	Banner   *banner.Banner     // made for the same prefix and revision
	Ledger   ledger.Ledger
	Tokens   *token.Codec
	Domain   string // of the cookie; empty: this host only

	Decide func(*http.Request) consent.Decision
	Secure func(*http.Request) bool   // the visitor came by HTTPS
	Host   func(*http.Request) string // host[:port] as the visitor's browser has it

	// Fence is what the guard has to know of the site; it depends on the host in
	// the visitor's browser. nil: only that host is first party.
	Fence func(*http.Request) banner.Fence
	// Brotli packs what is sent often; nil: it is sent with gzip.
	Brotli func([]byte) ([]byte, error)

	Now    func() time.Time
	Random io.Reader // secure

	// Report is given what browsers report, of either media type. It returns
	// false where too much comes from one source.
	Report func(r *http.Request, mediaType string, body []byte) bool
	// Problem is told what failed without failing the visitor, or what failed
	// the visitor with a 5xx answer.
	Problem func(*http.Request, error)
}

// An Endpoint answers the gateway's own routes. It is safe for concurrent use.
type Endpoint struct {
	site     Site
	prefix   string
	services map[consent.ServiceID]*consent.Service
	routes   map[string]route
	crossing *http.CrossOriginProtection

	noticesKept sync.Map // by language: the ledger has them
}

// A route is what one path answers. Without get or post it does not answer that
// method.
type route struct{ get, post http.HandlerFunc }

// New prepares the routes of a site.
func New(cfg Config, site Site) (*Endpoint, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	if site.Policy.Revision != site.Banner.Revision() {
		return nil, fmt.Errorf("the notice is of revision %q, the policy asks for %q", site.Banner.Revision(), site.Policy.Revision)
	}
	if site.Report == nil {
		site.Report = func(*http.Request, string, []byte) bool { return true }
	}
	if site.Fence == nil {
		site.Fence = func(r *http.Request) banner.Fence {
			return banner.Fence{FirstParty: []string{(&url.URL{Host: site.Host(r)}).Hostname()}}
		}
	}
	if site.Problem == nil {
		site.Problem = func(*http.Request, error) {}
	}
	e := &Endpoint{
		site:     site,
		prefix:   cfg.prefix(),
		services: make(map[consent.ServiceID]*consent.Service, len(site.Services)),
		crossing: http.NewCrossOriginProtection(),
	}
	if site.Offered == nil {
		e.site.Offered = site.Services
	}
	for _, s := range site.Services {
		e.services[s.ID] = s
	}
	return e, e.addRoutes(cfg)
}

func (e *Endpoint) addRoutes(cfg Config) error {
	e.routes = map[string]route{
		e.prefix:             {get: e.settings},
		e.prefix + "choice":  {post: e.choose},
		e.prefix + "cookies": {get: e.cookies},
		e.prefix + "state":   {get: e.state},
		e.prefix + "receipt": {get: e.receipt},
		e.prefix + "erase":   {post: e.erase},
		e.prefix + "report":  {post: e.report},

		strings.TrimSuffix(e.prefix, "/"): {get: e.toSettings},
	}
	e.addScripts()
	return errors.Join(e.addAssets(), e.addWellKnown(cfg))
}

// Prefix is where the own routes are.
func (e *Endpoint) Prefix() string { return e.prefix }

// Handles reports whether a request for path is for the endpoint.
func (e *Endpoint) Handles(path string) bool {
	return strings.HasPrefix(path, e.prefix) ||
		path+"/" == e.prefix ||
		strings.HasPrefix(path, statusPath) ||
		path == gpcPath || path == policyPath
}

// ServeHTTP answers a request for a path that Handles accepts. The Tk header is
// set here on the answer to a choice only; all others leave it to the caller.
func (e *Endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e.setHeaders(w.Header())
	route, ok := e.routes[r.URL.Path]
	switch {
	case !ok:
		e.fail(w, r, http.StatusNotFound, banner.Missing)
	case route.post != nil && r.Method == http.MethodPost:
		route.post(w, r)
	case route.get != nil && (r.Method == http.MethodGet || r.Method == http.MethodHead):
		route.get(w, r)
	default:
		w.Header().Set("Allow", route.allow())
		e.fail(w, r, http.StatusMethodNotAllowed, banner.Method)
	}
}

func (r route) allow() string {
	var methods []string
	if r.get != nil {
		methods = append(methods, http.MethodGet, http.MethodHead)
	}
	if r.post != nil {
		methods = append(methods, http.MethodPost)
	}
	return strings.Join(methods, ", ")
}

// ownPolicy lets our pages use nothing but our style sheet, and our forms lead
// nowhere but back to this site.
const ownPolicy = "default-src 'none'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'self'"

// setHeaders is for an answer to one visitor; routes that answer everybody the
// same change it.
func (e *Endpoint) setHeaders(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", ownPolicy)
	h.Set("Referrer-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Robots-Tag", "noindex")
}
