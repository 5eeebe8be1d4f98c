package serve

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/numfocus/consentgate/consent"
)

// A TLSConfig says where to listen with TLS and whence certificates come: from
// a certificate authority by ACME, from files, or from both, in which case files
// go first.
type TLSConfig struct {
	Listen []string          `yaml:"listen"` // as Config.Listen; ":443"
	ACME   ACMEConfig        `yaml:"acme"`
	Files  []CertificateFile `yaml:"files"`
	Plain  Plain             `yaml:"plain"`
	HSTS   HSTSConfig        `yaml:"hsts"`
	// HTTP3 listens for HTTP/3 as well, on UDP at the same addresses, and says
	// so in Alt-Svc.
	HTTP3 bool `yaml:"http3"`
}

// An ACMEConfig names the authority. Without an email address there is none.
type ACMEConfig struct {
	Email     string `yaml:"email"`     // for the account; giving it agrees to the authority's terms
	Directory string `yaml:"directory"` // URL; Let's Encrypt's
	CAFile    string `yaml:"ca_file"`   // PEM: who signs the directory's own certificate, instead of the system's
	EAB       EAB    `yaml:"eab"`
}

// EAB is an external account binding (RFC 8555 section 7.3.4), which some
// authorities hand out.
type EAB struct {
	ID  string `yaml:"id"`
	Key string `yaml:"key"` // base64url
}

// A CertificateFile is a pair of PEM files. They are read again when they
// change.
type CertificateFile struct {
	Certificate string `yaml:"certificate"` // with the intermediate ones
	Key         string `yaml:"key"`
}

// Plain says what a visitor gets without TLS where there is TLS.
type Plain string

const (
	Redirect Plain = "redirect" // to https, for hosts that are served; the default
	Serve    Plain = "serve"    // the site, for a proxy in front that ends TLS itself
)

// An HSTSConfig is Strict-Transport-Security (RFC 6797). A zero MaxAge sends
// none.
type HSTSConfig struct {
	MaxAge            time.Duration `yaml:"max_age"`
	IncludeSubdomains bool          `yaml:"include_subdomains"`
	Preload           bool          `yaml:"preload"`
}

const letsEncrypt = "https://acme-v02.api.letsencrypt.org/directory"

func (c TLSConfig) enabled() bool { return c.ACME.Email != "" || len(c.Files) > 0 }

// Check returns all mistakes at once. It reads the files, and changes nothing.
func (c TLSConfig) Check() error {
	var errs []error
	add := func(field, problem, cure string) {
		errs = append(errs, consent.Mistake{Field: field, Problem: problem, Cure: cure})
	}
	checkListen(add, c.Listen)
	if !c.enabled() && c.ACME == (ACMEConfig{}) && c.asksForMore() {
		add("", "there is no certificate", "add acme with an email address, or files")
	}
	if !slices.Contains([]Plain{"", Redirect, Serve}, c.Plain) {
		add("plain", fmt.Sprintf("%q is no value of plain", c.Plain), "use redirect or serve")
	}
	for i, f := range c.Files {
		if _, err := f.load(); err != nil {
			add(fmt.Sprintf("files[%d]", i), err.Error(), "name the PEM files of a certificate with its chain, and of its key")
		}
	}
	c.ACME.check(func(field, problem, cure string) { add("acme."+field, problem, cure) })
	c.HSTS.check(func(field, problem, cure string) { add("hsts."+field, problem, cure) })
	return errors.Join(errs...)
}

func (c TLSConfig) asksForMore() bool {
	return len(c.Listen) > 0 || c.Plain != "" || c.HTTP3 || c.HSTS != (HSTSConfig{})
}

func (c ACMEConfig) check(add func(field, problem, cure string)) {
	if c != (ACMEConfig{}) && !strings.Contains(c.Email, "@") {
		add("email", fmt.Sprintf("%q is no address of yours", c.Email), "give one; it also says that you agree to the authority's terms")
	}
	if u, err := url.Parse(c.Directory); c.Directory != "" && (err != nil || u.Scheme != "https" || u.Host == "") {
		add("directory", fmt.Sprintf("%q is not the URL of a directory", c.Directory), "write it like "+letsEncrypt)
	}
	if _, err := c.roots(); err != nil {
		add("ca_file", err.Error(), "name a PEM file with certificates")
	}
	if (c.EAB.ID == "") != (c.EAB.Key == "") {
		add("eab", "id and key belong together", "give both, as the authority handed them out")
	}
}

// roots are who may sign the directory's certificate; nil: the system's.
func (c ACMEConfig) roots() (*x509.CertPool, error) {
	if c.CAFile == "" {
		return nil, nil
	}
	text, err := os.ReadFile(c.CAFile)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s has no certificate", c.CAFile)
	}
	return pool, nil
}

func (f CertificateFile) load() (*tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(f.Certificate, f.Key)
	if err != nil {
		return nil, err
	}
	return &pair, nil
}

// preloadAge is what browsers' lists ask for.
const preloadAge = 365 * 24 * time.Hour

func (c HSTSConfig) check(add func(field, problem, cure string)) {
	switch {
	case c.MaxAge < 0:
		add("max_age", "is negative", "write it like 4320h")
	case c.MaxAge == 0 && c != (HSTSConfig{}):
		add("max_age", "is missing", "write it like 4320h, or remove hsts")
	case c.Preload && (c.MaxAge < preloadAge || !c.IncludeSubdomains):
		add("preload", "browsers' lists take sites only with include_subdomains and a max_age of a year", "set both, or leave preload out")
	}
}

// header is the value of Strict-Transport-Security, or "".
func (c HSTSConfig) header() string {
	if c.MaxAge == 0 {
		return ""
	}
	value := fmt.Sprintf("max-age=%d", int64(c.MaxAge.Seconds()))
	if c.IncludeSubdomains {
		value += "; includeSubDomains"
	}
	if c.Preload {
		value += "; preload"
	}
	return value
}
