package proxy

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/numfocus/consentgate/consent"
	"github.com/numfocus/consentgate/consent/catalog"
	"github.com/numfocus/consentgate/consent/signal"
	"github.com/numfocus/consentgate/consent/token"
	"github.com/numfocus/consentgate/proxy/banner"
	"github.com/numfocus/consentgate/proxy/encode"
	"github.com/numfocus/consentgate/proxy/endpoint"
	"github.com/numfocus/consentgate/proxy/inventory"
	"github.com/numfocus/consentgate/proxy/upstream"
)

// A site is one site with everything prepared that its requests need.
type site struct {
	name          string
	catalog       *catalog.Catalog
	firstParty    parties
	unknown       Unknown
	strictCookies bool
	observe       bool
	excluded      []string
	domain        string                     // of our own cookie
	named         map[consent.ServiceID]bool // services in the site's configuration
	workerStart   []byte                     // put before the script of a service worker

	banner   *banner.Banner // with all services; what visitors see is in the offer
	offers   offers
	upstream *upstream.Upstream
	reach    atomic.Pointer[reach]
	parts    Parts

	inventory *inventory.Inventory

	asksWPConsent atomic.Bool // its pages use the WP Consent API
}

func newSite(c SiteConfig, all Config, parts Parts, trusted upstream.Trusted, catalogWith func(catalog.Config) (*catalog.Catalog, error)) (*site, error) {
	s := &site{
		name:          c.name(),
		firstParty:    newParties(c.Hosts, c.FirstParty),
		unknown:       cmp.Or(c.Unknown, UnknownBlockActive),
		strictCookies: c.Cookies == Strict,
		observe:       c.Mode == Observe,
		excluded:      c.Excluded,
		domain:        all.Cookie.Domain,
		parts:         parts,
	}
	if len(s.excluded) == 0 {
		s.excluded = []string{"/wp-admin", "/wp-login.php"}
	}
	var err error
	if s.catalog, err = catalogWith(c.Services); err != nil {
		return nil, err
	}
	if s.upstream, err = upstream.New(c.Upstream); err != nil {
		return nil, err
	}
	s.upstream.Notify(s.originChanged)
	if s.workerStart, err = workerStart(); err != nil {
		return nil, err
	}
	s.openInventory(parts.Inventory, c.Hosts)
	return s, s.openOffers(c, all, func(o *offer) endpoint.Site { return s.forEndpoint(o, c.Hosts, trusted) })
}

func (s *site) forEndpoint(o *offer, hosts []string, trusted upstream.Trusted) endpoint.Site {
	secure := func(r *http.Request) bool { return upstream.IsTLS(r, trusted) }
	return endpoint.Site{
		Name:     s.name,
		Hosts:    hosts,
		Observe:  s.observe,
		Policy:   o.policy,
		Services: s.catalog.Services(),
		Catalog:  s.catalog.Hash(),
		Banner:   o.banner,
		Ledger:   s.parts.Ledger,
		Tokens:   s.parts.Tokens,
		Domain:   s.domain,
		Decide:   func(r *http.Request) consent.Decision { return s.decide(o, r, secure(r)) },
		Secure:   secure,
		Host:     func(r *http.Request) string { return upstream.Host(r, trusted) },
		Fence:    func(r *http.Request) banner.Fence { return s.guarded(hostname(upstream.Host(r, trusted))) },
		Brotli:   encode.Pack,
		Now:      s.parts.now,
		Random:   rand.Reader,
		Report: func(r *http.Request, mediaType string, body []byte) bool {
			return s.report(r, trusted, mediaType, body)
		},
		Problem: func(r *http.Request, err error) {
			text := hideVisitor(err.Error(), r, trusted, s.parts.Addresses)
			s.parts.Log.Error().Str("error", text).Str("site", s.name).Str("path", r.URL.Path).Msg("own route")
		},
	}
}

// decide says who asks and what is allowed.
func (s *site) decide(o *offer, r *http.Request, secure bool) consent.Decision {
	v := consent.Visitor{Signals: signal.Read(r.Header)}
	if lines := r.Header["Cookie"]; len(lines) > 0 {
		own := s.cookie(secure)
		v.Choice = s.choice(token.Find(lines, own.Name()))
		v.Once = s.once(token.Find(lines, own.OnceName()))
	}
	return o.policy.Decide(v, s.parts.now())
}

// choice takes the newest of several: a browser sends two when the cookie
// exists for the host and for its domain. What cannot be read is no choice.
func (s *site) choice(values []string) *consent.Choice {
	var newest *consent.Choice
	for _, value := range values {
		c, err := s.parts.Tokens.Decode(value)
		if err == nil && (newest == nil || !madeAt(c).Before(madeAt(*newest))) {
			newest = &c
		}
	}
	return newest
}

// madeAt gives a refusal, of which only the day is known, the end of that day: a
// no is not outweighed by a yes of the same morning.
func madeAt(c consent.Choice) time.Time {
	if c.Grants() {
		return c.At
	}
	return c.At.Add(24 * time.Hour)
}

func (s *site) once(values []string) []consent.ServiceID {
	for _, value := range values {
		if ids, err := s.parts.Tokens.DecodeOnce(value); err == nil {
			return ids
		}
	}
	return nil
}

// originChanged tells the log that an origin went down or came back.
func (s *site) originChanged(o upstream.State) {
	e, said := s.parts.Log.Info(), "origin is back"
	if o.Down {
		e, said = s.parts.Log.Warn(), "origin is down"
	}
	e.Str("site", s.name).Str("origin", o.URL).Msg(said)
}

func (s *site) cookie(secure bool) token.Cookie {
	return token.Cookie{Secure: secure, Domain: s.domain}
}

// errorPage says in the visitor's language that the page could not be had.
func (s *site) errorPage(w http.ResponseWriter, r *http.Request, status int, kind banner.Kind) {
	lang := s.banner.Match("", strings.Join(r.Header["Accept-Language"], ","))
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", string(lang))
	h.Set("Cache-Control", "no-store")
	h.Set("X-Robots-Tag", "noindex")
	if status == http.StatusServiceUnavailable {
		h.Set("Retry-After", "10")
	}
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_ = s.banner.Message(w, lang, kind) // the visitor has gone
	}
}

// generation is another one whenever the same page could be edited otherwise. It
// is the same in every process, since entity tags are made of it.
func generation(c SiteConfig, all Config, version, services string) (string, error) {
	c.Upstream = upstream.Config{}
	text, err := json.Marshal([]any{version, services, c, all.Signals, all.Cookie})
	if err != nil {
		return "", fmt.Errorf("name the site's generation: %w", err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8]), nil
}
