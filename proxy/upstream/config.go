package upstream

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/numfocus/consentgate/consent"
)

// A Config says where the origin is and how long to wait for it. A zero
// duration or number means its default; there is no way to wait for ever.
type Config struct {
	// URL is the origin's scheme, host and port: "http://127.0.0.1:8080".
	URL string `yaml:"url"`
	// URLs are several servers that serve the same site, instead of URL. The one
	// with the fewest requests is asked, of those that work; see Health.
	URLs []string `yaml:"urls"`
	// Host is the Host header the origin sees: "visitor" (the visitor's own, the
	// default), "upstream" (the one in URL), or a name. "pass" is an older word
	// for "visitor".
	Host string `yaml:"host"`
	// Protocol is "auto" (the default: HTTP/2 where an https origin offers it,
	// else HTTP/1.1), "http1", or "http2" (to an http origin without asking it
	// before, RFC 9113 section 3.3).
	Protocol string    `yaml:"protocol"`
	TLS      TLSConfig `yaml:"tls"`
	Secret   Secret    `yaml:"secret"`
	Health   Health    `yaml:"health"`
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

	// Of each origin:
	Requests        int   `yaml:"requests"`         // there at the same time, WebSockets not counted; 1024
	WebSockets      int   `yaml:"websockets"`       // open at the same time; 4096
	IdleConnections int   `yaml:"idle_connections"` // kept for the next request; 128
	MaxHeaderBytes  int64 `yaml:"max_header_bytes"` // of a response; 256 KiB
}

// A TLSConfig is for origins with the scheme https.
type TLSConfig struct {
	// ServerName is the name asked for (SNI) and looked for in the origin's
	// certificate; empty: the host in its URL.
	ServerName string `yaml:"server_name"`
	// CA is a PEM file with the authorities to trust for the origin, instead of
	// the system's.
	CA string `yaml:"ca"`
}

// The values of Host that are not names.
const (
	hostVisitor  = "visitor"
	hostPass     = "pass"
	hostUpstream = "upstream"
)

// The values of Protocol.
const (
	protocolAuto  = "auto"
	protocolHTTP1 = "http1"
	protocolHTTP2 = "http2"
)

// mostOrigins is how many servers one site may have.
const mostOrigins = 32

// Origins are the URLs of all servers, as they were written.
func (c Config) Origins() []string {
	if c.URL == "" {
		return c.URLs
	}
	return append([]string{c.URL}, c.URLs...)
}

// Check returns all mistakes at once, each a [consent.Mistake].
func (c Config) Check() error {
	var errs []error
	add := func(field, problem, cure string) {
		errs = append(errs, consent.Mistake{Field: field, Problem: problem, Cure: cure})
	}
	c.checkURLs(add)
	if h := c.Host; h != "" && !validHost(h) {
		add("host", fmt.Sprintf("%q is not a host name", h), "use visitor, upstream or a name such as www.example.org")
	}
	switch c.Protocol {
	case "", protocolAuto, protocolHTTP1, protocolHTTP2:
	default:
		add("protocol", fmt.Sprintf("%q is no protocol to ask an origin by", c.Protocol), "use auto, http1 or http2")
	}
	c.TLS.check(add)
	c.Secret.check(add)
	c.Health.check(add)
	checkDurations(add, c.durations())
	if c.Requests < 0 || c.WebSockets < 0 || c.IdleConnections < 0 || c.MaxHeaderBytes < 0 {
		add("", "requests, websockets, idle_connections and max_header_bytes cannot be negative", "leave them out")
	}
	return errors.Join(errs...)
}

// An adder notes a mistake.
type adder func(field, problem, cure string)

func (c Config) checkURLs(add adder) {
	if len(c.URLs) == 0 {
		if problem, cure := checkURL(c.URL); problem != "" {
			add("url", problem, cure)
		}
		return
	}
	if c.URL != "" {
		add("url", "there are url and urls", "write all of them under urls")
	}
	if len(c.URLs) > mostOrigins {
		add("urls", fmt.Sprintf("%d are too many", len(c.URLs)), fmt.Sprintf("use %d at most", mostOrigins))
	}
	for i, raw := range c.URLs {
		if problem, cure := checkURL(raw); problem != "" {
			add(fmt.Sprintf("urls[%d]", i), problem, cure)
		}
	}
}

func (t TLSConfig) check(add adder) {
	if n := t.ServerName; n != "" && !validHost(n) {
		add("tls.server_name", fmt.Sprintf("%q is not a host name", n), "use a name such as www.example.org")
	}
	if t.CA != "" {
		if _, err := readCA(t.CA); err != nil {
			add("tls.ca", err.Error(), "name a file with certificates in PEM format")
		}
	}
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

func checkDurations(add adder, list []duration) {
	for _, d := range list {
		if d.value < 0 {
			add(d.field, fmt.Sprintf("%v is less than nothing", d.value), "use a time such as 30s, or leave it out")
		}
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
	if c.Host == "" || c.Host == hostPass {
		c.Host = hostVisitor
	}
	c.Protocol = cmp.Or(c.Protocol, protocolAuto)
	c.Health = c.Health.withDefaults()
	c.ConnectTimeout = cmp.Or(c.ConnectTimeout, 5*time.Second)
	c.HeaderTimeout = cmp.Or(c.HeaderTimeout, time.Minute)
	c.StallTimeout = cmp.Or(c.StallTimeout, 5*time.Minute)
	c.IdleTimeout = cmp.Or(c.IdleTimeout, 90*time.Second)
	c.TunnelTimeout = cmp.Or(c.TunnelTimeout, time.Hour)
	c.QueueTimeout = cmp.Or(c.QueueTimeout, 10*time.Second)
	c.Requests = cmp.Or(c.Requests, 1024)
	c.WebSockets = cmp.Or(c.WebSockets, 4096)
	c.IdleConnections = cmp.Or(c.IdleConnections, 128)
	c.MaxHeaderBytes = cmp.Or(c.MaxHeaderBytes, 256<<10)
	return c
}
