package serve

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/numfocus/consentgate/consent"
)

// A Config says where to listen and how long to be patient. A zero duration or
// number means its default; there is no way to wait for ever.
type Config struct {
	// Listen are the addresses for visitors: ":8080" (the default),
	// "127.0.0.1:0", "[::1]:8080".
	Listen []string `yaml:"listen"`
	// Ops is the address for those who operate the gateway. It answers without
	// any password, so keep it on loopback. Empty: none.
	Ops string `yaml:"ops"`

	HeaderTimeout time.Duration `yaml:"header_timeout"` // for a request's header; 15s
	IdleTimeout   time.Duration `yaml:"idle_timeout"`   // between two requests of a connection; 2m
	ReadTimeout   time.Duration `yaml:"read_timeout"`   // without a byte in the middle of a request's body; 60s
	WriteTimeout  time.Duration `yaml:"write_timeout"`  // without the visitor taking a byte; 60s
	DrainTimeout  time.Duration `yaml:"drain_timeout"`  // for requests to end at shutdown; 30s

	MaxHeaderBytes int `yaml:"max_header_bytes"` // of a request; 64 KiB
	Connections    int `yaml:"connections"`      // at the same time; more wait to be accepted; 16384
}

// Check returns all mistakes at once, each a [consent.Mistake].
func (c Config) Check() error {
	var errs []error
	add := func(field, problem, cure string) {
		errs = append(errs, consent.Mistake{Field: field, Problem: problem, Cure: cure})
	}
	const cure = "use host:port, such as :8080 or 127.0.0.1:8080"
	for i, address := range c.Listen {
		if problem := checkAddress(address); problem != "" {
			add(fmt.Sprintf("listen[%d]", i), problem, cure)
		}
	}
	if c.Ops != "" {
		if problem := checkAddress(c.Ops); problem != "" {
			add("ops", problem, cure)
		}
	}
	for _, d := range c.durations() {
		if d.value < 0 {
			add(d.field, fmt.Sprintf("%v is less than nothing", d.value), "use a time such as 30s, or leave it out")
		}
	}
	if c.MaxHeaderBytes < 0 || c.Connections < 0 {
		add("", "max_header_bytes and connections cannot be negative", "leave them out")
	}
	return errors.Join(errs...)
}

type duration struct {
	field string
	value time.Duration
}

func (c Config) durations() []duration {
	return []duration{
		{"header_timeout", c.HeaderTimeout},
		{"idle_timeout", c.IdleTimeout},
		{"read_timeout", c.ReadTimeout},
		{"write_timeout", c.WriteTimeout},
		{"drain_timeout", c.DrainTimeout},
	}
}

func checkAddress(address string) (problem string) {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Sprintf("%q is not an address to listen on", address)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return fmt.Sprintf("%q has no valid port", address)
	}
	return ""
}

// withDefaults fills what is zero.
func (c Config) withDefaults() Config {
	if len(c.Listen) == 0 {
		c.Listen = []string{":8080"}
	}
	c.HeaderTimeout = cmp.Or(c.HeaderTimeout, 15*time.Second)
	c.IdleTimeout = cmp.Or(c.IdleTimeout, 2*time.Minute)
	c.ReadTimeout = cmp.Or(c.ReadTimeout, time.Minute)
	c.WriteTimeout = cmp.Or(c.WriteTimeout, time.Minute)
	c.DrainTimeout = cmp.Or(c.DrainTimeout, 30*time.Second)
	c.MaxHeaderBytes = cmp.Or(c.MaxHeaderBytes, 64<<10)
	c.Connections = cmp.Or(c.Connections, 16384)
	return c
}
