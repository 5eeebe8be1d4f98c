package serve

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/mholt/acmez/v3/acme"
)

// certificates are those that visitors are shown: the admin's own files first,
// then what a certificate authority gives by ACME, for configured hosts only.
// A certificate is asked for when it is first needed, by a visitor or by tend,
// which also renews those that nobody visits.
type certificates struct {
	files  *ownFiles
	hosts  func() []string
	tell   func(Event)
	failed *failures

	magic   *certmagic.Config // nil: no ACME
	cache   *certmagic.Cache
	issuer  *certmagic.ACMEIssuer
	storage certmagic.Storage

	patience time.Duration // of a visitor for whom one is asked for
	waiting  chan struct{} // a slot for each of those visitors
	ctx      context.Context
	cancel   context.CancelFunc
}

// mostWaiting is how many handshakes wait for certificates that are not there
// yet; more are refused.
const mostWaiting = 256

var (
	errNoCertificate = errors.New("there is no certificate for this host")
	errNotYet        = errors.New("the certificate for this host is still being asked for")
)

// newCertificates returns nil where there is no TLS.
func (s *Server) newCertificates(files *ownFiles, hosts func() []string, d *doors) (*certificates, error) {
	if !s.config.TLS.enabled() {
		return nil, nil
	}
	c := &certificates{
		files: files, hosts: hosts, tell: s.parts.Tell, failed: newFailures(),
		patience: s.config.HeaderTimeout, waiting: make(chan struct{}, mostWaiting),
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	if s.config.TLS.ACME.Email == "" {
		return c, nil
	}
	storage, err := s.parts.storage()
	if err != nil {
		return nil, err
	}
	c.storage = storage
	return c, c.startACME(s.config.TLS.ACME, d)
}

func (c *certificates) startACME(conf ACMEConfig, d *doors) error {
	template, err := acmeTemplate(conf, d)
	if err != nil {
		return err
	}
	logger := newZap(c.tell)
	c.cache = certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert: func(certmagic.Certificate) (*certmagic.Config, error) { return c.magic, nil },
		Logger:           logger,
	})
	c.magic = certmagic.New(c.cache, certmagic.Config{
		Storage:  c.storage,
		Logger:   logger,
		OnDemand: &certmagic.OnDemandConfig{DecisionFunc: func(_ context.Context, name string) error { return c.decide(name) }},
		OnEvent:  c.noteEvent,
	})
	template.Logger = logger
	c.issuer = certmagic.NewACMEIssuer(c.magic, template)
	c.magic.Issuers = []certmagic.Issuer{c.issuer}
	return nil
}

// acmeTemplate tells certmagic where challenges arrive: at our own sockets, so
// that it opens none.
func acmeTemplate(conf ACMEConfig, d *doors) (certmagic.ACMEIssuer, error) {
	roots, err := conf.roots()
	if err != nil {
		return certmagic.ACMEIssuer{}, fmt.Errorf("read who signs the ACME directory's certificate: %w", err)
	}
	t := certmagic.ACMEIssuer{CA: conf.Directory, Email: conf.Email, Agreed: true, TrustedRoots: roots}
	if conf.Directory == "" {
		t.CA, t.TestCA = letsEncrypt, certmagic.LetsEncryptStagingCA
	}
	if conf.EAB != (EAB{}) {
		t.ExternalAccount = &acme.EAB{KeyID: conf.EAB.ID, MACKey: conf.EAB.Key}
	}
	if t.ListenHost, t.AltTLSALPNPort, err = port(d.secure); err != nil {
		return t, fmt.Errorf("answer ACME challenges: %w", err)
	}
	if _, t.AltHTTPPort, err = port(d.plain); err != nil {
		return t, fmt.Errorf("answer ACME challenges: %w", err)
	}
	return t, nil
}

func (c *certificates) tlsConfig() *tls.Config {
	return &tls.Config{
		GetCertificate: c.get,
		MinVersion:     tls.VersionTLS12,
		NextProtos:     c.protocols(),
	}
}

// protocols are what the listener speaks; the last one is TLS-ALPN-01 (RFC 8737).
func (c *certificates) protocols() []string {
	list := []string{"h2", "http/1.1"}
	if c.magic != nil {
		list = append(list, challengeProtocol)
	}
	return list
}

const challengeProtocol = "acme-tls/1"

func (c *certificates) get(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	challenge := slices.Equal(hello.SupportedProtos, []string{challengeProtocol})
	if !challenge {
		if own := c.files.find(hello); own != nil {
			return own, nil
		}
	}
	if c.magic == nil {
		return nil, errNoCertificate
	}
	host := canonical(hello.ServerName)
	if challenge || len(c.cache.AllMatchingCertificates(host)) > 0 {
		return c.magic.GetCertificateWithContext(c.ctx, hello)
	}
	if err := c.decide(host); err != nil {
		return nil, err
	}
	return c.waitFor(hello)
}

// waitFor loads a certificate, or has one asked for. What is under way goes on
// when the visitor has lost patience: the next one will find it done.
func (c *certificates) waitFor(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	select {
	case c.waiting <- struct{}{}:
	default:
		return nil, errTooMany
	}
	type result struct {
		certificate *tls.Certificate
		err         error
	}
	done := make(chan result, 1)
	go func() {
		defer func() { <-c.waiting }()
		certificate, err := c.magic.GetCertificateWithContext(c.ctx, hello)
		done <- result{certificate, err}
	}()
	select {
	case r := <-done:
		return r.certificate, r.err
	case <-time.After(c.patience):
		return nil, errNotYet
	}
}

// decide says whether a certificate may be asked for.
func (c *certificates) decide(name string) error {
	name = canonical(name)
	if !c.serves(name) {
		return errNoCertificate
	}
	return c.failed.check(name, time.Now())
}

func (c *certificates) serves(host string) bool { return slices.Contains(c.hosts(), host) }

// knows says whether visitors of a host can be served with TLS.
func (c *certificates) knows(host string) bool {
	return c.magic != nil && c.serves(host) || c.files.covers(host)
}

func canonical(host string) string { return strings.ToLower(strings.TrimSuffix(host, ".")) }

func (c *certificates) noteEvent(_ context.Context, event string, data map[string]any) error {
	name, _ := data["identifier"].(string)
	switch event {
	case "cert_failed":
		c.failed.note(name, time.Now())
	case "cert_obtained":
		c.failed.forget(name)
	}
	return nil
}

// challenged answers a challenge of HTTP-01, and says whether it was one.
func (c *certificates) challenged(w http.ResponseWriter, r *http.Request) bool {
	return c.issuer != nil && c.issuer.HandleHTTPChallenge(w, r)
}

const (
	tendEvery   = time.Hour
	tendAtOnce  = 4 // hosts
	cleanEvery  = 24 * time.Hour
	graceExpiry = 14 * 24 * time.Hour
)

// tend sees that each host has a certificate, and that files that change are
// read again, until ctx is done.
func (c *certificates) tend(ctx context.Context) {
	go c.files.watch(ctx, c.tell)
	if c.magic == nil {
		return
	}
	tick := time.NewTicker(tendEvery)
	defer tick.Stop()
	for {
		c.askForAll(ctx)
		c.clean(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (c *certificates) askForAll(ctx context.Context) {
	var all sync.WaitGroup
	turn := make(chan struct{}, tendAtOnce)
	for _, host := range c.hosts() {
		if ctx.Err() != nil || c.files.covers(host) {
			continue
		}
		turn <- struct{}{}
		all.Go(func() {
			defer func() { <-turn }()
			c.askFor(ctx, host)
		})
	}
	all.Wait()
}

// askFor does what a visitor's handshake would, which is told in the log.
func (c *certificates) askFor(ctx context.Context, host string) {
	here, there := net.Pipe()
	defer here.Close()
	defer there.Close()
	_, err := c.magic.GetCertificateWithContext(ctx, &tls.ClientHelloInfo{
		ServerName:        host,
		Conn:              here,
		SupportedProtos:   []string{"h2"},
		CipherSuites:      []uint16{tls.TLS_AES_128_GCM_SHA256, tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256},
		SupportedCurves:   []tls.CurveID{tls.CurveP256, tls.X25519},
		SupportedPoints:   []uint8{0},
		SignatureSchemes:  []tls.SignatureScheme{tls.ECDSAWithP256AndSHA256},
		SupportedVersions: []uint16{tls.VersionTLS13, tls.VersionTLS12},
	})
	if err != nil && ctx.Err() == nil {
		c.tell(Event{Level: Error, Text: "certificates: a host has none", Fields: map[string]any{"host": host, "error": err.Error()}})
	}
}

func (c *certificates) clean(ctx context.Context) {
	err := certmagic.CleanStorage(ctx, c.storage, certmagic.CleanStorageOptions{
		Logger: newZap(c.tell), Interval: cleanEvery, OCSPStaples: true, ExpiredCerts: true, ExpiredCertGracePeriod: graceExpiry,
	})
	if err != nil && ctx.Err() == nil {
		c.tell(Event{Level: Warn, Text: "certificates: clean the storage", Fields: map[string]any{"error": err.Error()}})
	}
}

func (c *certificates) stop() {
	if c == nil {
		return
	}
	c.cancel()
	if c.cache != nil {
		c.cache.Stop()
	}
}
