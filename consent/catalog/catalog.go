package catalog

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/numfocus/consentgate/consent"
)

// A Catalog answers whose something is. It is read-only and safe for concurrent
// use. Services it hands out must not be changed.
type Catalog struct {
	services []*consent.Service
	byID     map[consent.ServiceID]*consent.Service
	hash     string

	urls    urlIndex
	cookies map[string]*cookieIndex // by domain; "": the site itself
	known   *cookieIndex            // names no service claims
	scripts scriptIndex
}

// New compiles services, of which it keeps a copy, into a catalog. The order of
// services decides between equals: see the package's documentation. The error
// joins [consent.Mistake] values with paths like "google-analytics.urls[3]".
func New(services []consent.Service) (*Catalog, error) {
	c := &Catalog{byID: make(map[consent.ServiceID]*consent.Service, len(services))}
	var errs []error
	for _, s := range slices.Clone(services) {
		for _, m := range checkMatch(&s) {
			errs = append(errs, m)
		}
		if c.byID[s.ID] != nil {
			errs = append(errs, duplicate(s.ID, string(s.ID)))
		}
		c.services = append(c.services, &s)
		c.byID[s.ID] = &s
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return c, c.compile()
}

func (c *Catalog) compile() (err error) {
	if c.known, err = knownCookies(); err != nil {
		return fmt.Errorf("read the table of cookies: %w", err)
	}
	if c.hash, err = hashOf(c.services); err != nil {
		return fmt.Errorf("hash the services: %w", err)
	}
	c.urls = newURLIndex(c.services)
	c.cookies = newCookieIndexes(c.services)
	c.scripts, err = newScriptIndex(c.services)
	return err
}

// Services lists all services, in the order given to [New]. The slice must not
// be changed.
func (c *Catalog) Services() []*consent.Service { return c.services }

// Service returns the service with an id.
func (c *Catalog) Service(id consent.ServiceID) (*consent.Service, bool) {
	s, ok := c.byID[id]
	return s, ok
}

// Hash is a hexadecimal SHA-256 of all that the services are. Two catalogs with
// the same hash decide alike and are declared alike.
func (c *Catalog) Hash() string { return c.hash }

func hashOf(services []*consent.Service) (string, error) {
	data, err := json.Marshal(services)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), nil
}

// checkMatch reports what of a service cannot be compiled. That it is complete is
// checked where it is read.
func checkMatch(s *consent.Service) []consent.Mistake {
	e := Entry{URLs: s.URLs}
	for _, g := range s.Inline {
		e.Inline = append(e.Inline, Signature(g))
	}
	return append(checkID(s.ID, string(s.ID)+".id"), e.check(string(s.ID))...)
}
