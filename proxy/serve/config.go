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
	// Listen are the addresses for visitors without TLS: ":8080",
	// "127.0.0.1:0", "[::1]:8080", or "systemd" and "systemd:NAME" for sockets
	// that systemd has opened. The default is ":8080", and ":80" beside TLS.
	Listen []string `yaml:"listen"`
	// TLS is for visitors with TLS; the zero value means that there is none.
	TLS TLSConfig `yaml:"tls"`
	// ProxyProtocol are the addresses or networks of load balancers that begin
	// every connection with a PROXY header, version 1 or 2. From them one is
	// required, from everybody else it is not understood.
	ProxyProtocol []string `yaml:"proxy_protocol"`
	// Ops is the address for those who operate the gateway. It answers without
	// any password, so keep it on loopback. Empty: none.
	Ops string `yaml:"ops"`

	HeaderTimeout  time.Duration `yaml:"header_timeout"`  // for a request's header, and for a TLS handshake; 15s
	IdleTimeout    time.Duration `yaml:"idle_timeout"`    // between two requests of a connection; 2m
	ReadTimeout    time.Duration `yaml:"read_timeout"`    // without a byte in the middle of a request's body; 60s
	WriteTimeout   time.Duration `yaml:"write_timeout"`   // without the visitor taking a byte; 60s
	DrainTimeout   time.Duration `yaml:"drain_timeout"`   // for requests to end at shutdown; 30s
	UpgradeTimeout time.Duration `yaml:"upgrade_timeout"` // for what the old process has under way to end after an upgrade; 5m

	MaxHeaderBytes int `yaml:"max_header_bytes"` // of a request; 64 KiB
	Connections    int `yaml:"connections"`      // at the same time; more wait to be accepted; 16384
}

// Check returns all mistakes at once, each a [consent.Mistake].
func (c Config) Check() error {
	var errs []error
	add := func(field, problem, cure string) {
		errs = append(errs, consent.Mistake{Field: field, Problem: problem, Cure: cure})
	}
	checkListen(add, c.Listen)
	if c.Ops != "" {
		if problem := checkAddress(c.Ops); problem != "" {
			add("ops", problem, addressCure)
		}
	}
	if _, err := parseNetworks(c.ProxyProtocol); err != nil {
		errs = append(errs, err)
	}
	for _, d := range c.durations() {
		if d.value < 0 {
			add(d.field, fmt.Sprintf("%v is less than nothing", d.value), "use a time such as 30s, or leave it out")
		}
	}
	if c.MaxHeaderBytes < 0 || c.Connections < 0 {
		add("", "max_header_bytes and connections cannot be negative", "leave them out")
	}
	errs = append(errs, consent.Within("tls", c.TLS.Check()))
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
		{"upgrade_timeout", c.UpgradeTimeout},
	}
}

const addressCure = "use host:port, such as :8080 or 127.0.0.1:8080"

func checkListen(add func(field, problem, cure string), addresses []string) {
	for i, address := range addresses {
		if problem := checkAddress(address); problem != "" {
			add(fmt.Sprintf("listen[%d]", i), problem, addressCure)
		}
	}
}

func checkAddress(address string) (problem string) {
	if _, ok := activated(address); ok {
		return ""
	}
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
	if c.TLS.enabled() {
		c.Listen = orOne(c.Listen, ":80")
		c.TLS.Listen = orOne(c.TLS.Listen, ":443")
	}
	c.Listen = orOne(c.Listen, ":8080")
	c.HeaderTimeout = cmp.Or(c.HeaderTimeout, 15*time.Second)
	c.IdleTimeout = cmp.Or(c.IdleTimeout, 2*time.Minute)
	c.ReadTimeout = cmp.Or(c.ReadTimeout, time.Minute)
	c.WriteTimeout = cmp.Or(c.WriteTimeout, time.Minute)
	c.DrainTimeout = cmp.Or(c.DrainTimeout, 30*time.Second)
	c.UpgradeTimeout = cmp.Or(c.UpgradeTimeout, 5*time.Minute)
	c.MaxHeaderBytes = cmp.Or(c.MaxHeaderBytes, 64<<10)
	c.Connections = cmp.Or(c.Connections, 16384)
	return c
}

func orOne(list []string, one string) []string {
	if len(list) == 0 {
		return []string{one}
	}
	return list
}
