package upstream

import (
	"cmp"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"time"

	"github.com/numfocus/consentgate/consent"
)

// A Config says where the origin is and how long to wait for it. A zero
// duration or number means its default; there is no way to wait for ever.
type Config struct {
	// URL is the origin's scheme, host and port: "http://127.0.0.1:8080".
	URL string `yaml:"url"`
	// Host is the Host header the origin sees: "pass" (the visitor's own, the
	// default), "upstream" (the one in URL), or a name.
	Host string `yaml:"host"`
	// ServerName is the name asked for in TLS and looked for in the origin's
	// certificate; empty: the host in URL.
	ServerName string `yaml:"server_name"`
	// CA is a PEM file with the authorities to trust for the origin, instead of
	// the system's.
	CA string `yaml:"ca"`
	// Via says whether the origin is told that a gateway asks. RFC 9110 section
	// 7.6.3 demands it, so it is on unless it is false; but nginx compresses
	// nothing for a request with Via until its gzip_proxied says otherwise.
	Via *bool `yaml:"via"`

	ConnectTimeout time.Duration `yaml:"connect_timeout"` // to a connection, TLS included; 5s
	HeaderTimeout  time.Duration `yaml:"header_timeout"`  // from the request sent to the response header; 60s
	StallTimeout   time.Duration `yaml:"stall_timeout"`   // no byte either way in the middle of a message; 5m
	IdleTimeout    time.Duration `yaml:"idle_timeout"`    // of a connection kept for the next request; 90s
	TunnelTimeout  time.Duration `yaml:"tunnel_timeout"`  // of a WebSocket on which nobody speaks; 1h
	QueueTimeout   time.Duration `yaml:"queue_timeout"`   // for one of Requests to end; 10s

	Requests        int   `yaml:"requests"`         // at the origin at the same time, WebSockets not counted; 1024
	IdleConnections int   `yaml:"idle_connections"` // kept for the next request; 128
	MaxHeaderBytes  int64 `yaml:"max_header_bytes"` // of a response; 256 KiB
}

// The values of Host that are not names.
const (
	hostPass     = "pass"
	hostUpstream = "upstream"
)

// Check returns all mistakes at once, each a [consent.Mistake].
func (c Config) Check() error {
	var errs []error
	add := func(field, problem, cure string) {
		errs = append(errs, consent.Mistake{Field: field, Problem: problem, Cure: cure})
	}
	if problem, cure := checkURL(c.URL); problem != "" {
		add("url", problem, cure)
	}
	if h := c.Host; h != "" && !validHost(h) {
		add("host", fmt.Sprintf("%q is not a host name", h), "use pass, upstream or a name such as www.example.org")
	}
	if n := c.ServerName; n != "" && !validHost(n) {
		add("server_name", fmt.Sprintf("%q is not a host name", n), "use a name such as www.example.org")
	}
	if c.CA != "" {
		if _, err := readCA(c.CA); err != nil {
			add("ca", err.Error(), "name a file with certificates in PEM format")
		}
	}
	for _, d := range c.durations() {
		if d.value < 0 {
			add(d.field, fmt.Sprintf("%v is less than nothing", d.value), "use a time such as 30s, or leave it out")
		}
	}
	if c.Requests < 0 || c.IdleConnections < 0 || c.MaxHeaderBytes < 0 {
		add("", "requests, idle_connections and max_header_bytes cannot be negative", "leave them out")
	}
	return errors.Join(errs...)
}

type duration struct {
	field string
	value time.Duration
}

func (c Config) durations() []duration {
	return []duration{
		{"connect_timeout", c.ConnectTimeout},
		{"header_timeout", c.HeaderTimeout},
		{"stall_timeout", c.StallTimeout},
		{"idle_timeout", c.IdleTimeout},
		{"tunnel_timeout", c.TunnelTimeout},
		{"queue_timeout", c.QueueTimeout},
	}
}

func checkURL(raw string) (problem, cure string) {
	const example = "use a URL such as http://127.0.0.1:8080"
	if raw == "" {
		return "there is no origin", example
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return fmt.Sprintf("%q is not a URL", raw), example
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Sprintf("%q has neither the scheme http nor https", raw), example
	case u.User != nil:
		return "the URL holds a user name", "leave it out"
	case !validHost(u.Host):
		return fmt.Sprintf("%q has no valid host", raw), example
	case u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "":
		return fmt.Sprintf("%q has more than a scheme, a host and a port", raw), "leave the rest out: visitors' paths are passed as they are"
	}
	return "", ""
}

// withDefaults fills what is zero.
func (c Config) withDefaults() Config {
	c.Host = cmp.Or(c.Host, hostPass)
	c.ConnectTimeout = cmp.Or(c.ConnectTimeout, 5*time.Second)
	c.HeaderTimeout = cmp.Or(c.HeaderTimeout, time.Minute)
	c.StallTimeout = cmp.Or(c.StallTimeout, 5*time.Minute)
	c.IdleTimeout = cmp.Or(c.IdleTimeout, 90*time.Second)
	c.TunnelTimeout = cmp.Or(c.TunnelTimeout, time.Hour)
	c.QueueTimeout = cmp.Or(c.QueueTimeout, 10*time.Second)
	c.Requests = cmp.Or(c.Requests, 1024)
	c.IdleConnections = cmp.Or(c.IdleConnections, 128)
	c.MaxHeaderBytes = cmp.Or(c.MaxHeaderBytes, 256<<10)
	return c
}

func readCA(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the origin's authorities: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate", file)
	}
	return pool, nil
}
