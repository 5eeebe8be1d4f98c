package endpoint

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/numfocus/consentgate/proxy/banner"
)

// Paths of the well-known resources. That of the tracking status ends in a
// slash (TPE section 6.4.1).
const (
	wellKnown  = "/.well-known/"
	statusPath = wellKnown + "dnt/"
	gpcPath    = wellKnown + "gpc.json"
	policyPath = wellKnown + "dnt-policy.txt"
)

// Status ids, which follow the value in a Tk header: what a class of answers
// means, never who the visitor is.
const (
	ConsentID = "c1" // Tk: C;c1 - the visitor opted in to something
	ThirdID   = "t1" // Tk: T;t1 - the page has a third party that is always allowed
)

// A trackingStatus is the representation of TPE section 6.4.2.
type trackingStatus struct {
	Tracking   string   `json:"tracking"`
	Controller []string `json:"controller,omitempty"`
	SameParty  []string `json:"same-party,omitempty"`
	Policy     string   `json:"policy,omitempty"`
	Config     string   `json:"config"`
}

func (e *Endpoint) addWellKnown(cfg Config) error {
	for path, value := range map[string]string{
		statusPath:             e.siteWide(),
		statusPath + ConsentID: "C",
		statusPath + ThirdID:   "T",
	} {
		if err := e.addJSON(path, "application/tracking-status+json", e.statusOf(cfg, value)); err != nil {
			return err
		}
	}
	gpc := map[string]any{"gpc": !e.site.Observe}
	if cfg.GPCUpdated != "" {
		gpc["lastUpdate"] = cfg.GPCUpdated
	}
	if err := e.addJSON(gpcPath, "application/json", gpc); err != nil {
		return err
	}
	return e.addPolicy(cfg)
}

// siteWide is "dynamic": what is done depends on signal and choice, and every
// answer says so in its Tk header.
func (e *Endpoint) siteWide() string {
	if e.site.Observe {
		return "!"
	}
	return "?"
}

func (e *Endpoint) statusOf(cfg Config, value string) trackingStatus {
	s := trackingStatus{
		Tracking:  value,
		SameParty: append(append([]string{}, e.site.Hosts...), cfg.SameParty...),
		Policy:    e.site.Banner.PolicyURL(),
		Config:    e.prefix,
	}
	if s.Policy != "" {
		s.Controller = []string{s.Policy}
	}
	return s
}

// A day is the longest that a cache may keep what could come to promise less
// (TPE section 6.4.4 asks for 24 hours' notice).
const day = "max-age=86400"

func (e *Endpoint) addJSON(path, mediaType string, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("prepare %s: %w", path, err)
	}
	e.routes[path] = route{get: serveStatic(mediaType, append(body, '\n'))}
	return nil
}

// addPolicy serves the EFF's policy over HTTPS only, as it asks.
func (e *Endpoint) addPolicy(cfg Config) error {
	text, err := cfg.dntPolicy()
	if err != nil || text == nil {
		return err
	}
	serve := serveStatic("text/plain; charset=utf-8", text)
	e.routes[policyPath] = route{get: func(w http.ResponseWriter, r *http.Request) {
		if !e.site.Secure(r) {
			e.fail(w, r, http.StatusNotFound, banner.Missing)
			return
		}
		serve(w, r)
	}}
	return nil
}

func serveStatic(mediaType string, body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		public(w.Header(), day)
		w.Header().Set("Content-Type", mediaType)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
	}
}
