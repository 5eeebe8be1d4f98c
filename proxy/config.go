package proxy

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/numfocus/consentgate/consent"
	"github.com/numfocus/consentgate/consent/catalog"
	"github.com/numfocus/consentgate/proxy/banner"
	"github.com/numfocus/consentgate/proxy/endpoint"
	"github.com/numfocus/consentgate/proxy/memo"
	"github.com/numfocus/consentgate/proxy/upstream"
)

// A Config is all that a gateway serves.
type Config struct {
	Sites []SiteConfig `yaml:"sites"`
	// TrustedProxies are the addresses or networks of proxies in front of the
	// gateway whose X-Forwarded headers count.
	TrustedProxies []string        `yaml:"trusted_proxies"`
	Cookie         CookieConfig    `yaml:"cookie"`
	Signals        endpoint.Config `yaml:"signals"`
	// Compression is "fast" (the default) or "small": fewer bytes for more of the
	// processor, where edited pages are not remembered yet.
	Compression Compression `yaml:"compression"`
	// Memory is for remembering edited pages.
	Memory memo.Config `yaml:"memory"`
	// Limits bound how much is edited at the same moment.
	Limits LimitsConfig `yaml:"limits"`
}

// A CookieConfig says how the visitor's choice is kept.
type CookieConfig struct {
	// Domain makes the choice hold for all hosts of a domain: "example.org".
	// Empty: for one host, as a __Host- cookie over HTTPS.
	Domain string `yaml:"domain"`
}

// Check returns all mistakes at once, each a [consent.Mistake].
func (c Config) Check() error { return c.check(readBuiltinOnce()) }

func (c Config) check(base builtin) error {
	var errs []error
	if len(c.Sites) == 0 {
		errs = append(errs, consent.Mistake{Field: "sites", Problem: "there is no site", Cure: "add one with its upstream"})
	}
	for i, s := range c.Sites {
		errs = append(errs, consent.Within(fmt.Sprintf("sites[%d]", i), s.check(base)))
	}
	if _, err := upstream.NewTrusted(c.TrustedProxies); err != nil {
		errs = append(errs, err)
	}
	if d := c.Cookie.Domain; d != "" {
		if problem := wrongHost(d); problem != "" {
			errs = append(errs, consent.Mistake{Field: "cookie.domain", Problem: problem, Cure: "write the domain alone, such as example.org"})
		}
	}
	checkOneOf(func(field, problem, cure string) {
		errs = append(errs, consent.Mistake{Field: field, Problem: problem, Cure: cure})
	}, "compression", c.Compression, Fast, Small)
	errs = append(errs, consent.Within("signals", c.Signals.Check()), consent.Within("memory", c.Memory.Check()),
		consent.Within("limits", c.Limits.Check()), c.checkHosts())
	return errors.Join(errs...)
}

// checkHosts looks for what two sites cannot both have.
func (c Config) checkHosts() error {
	var errs []error
	owner := map[string]int{}
	for i, s := range c.Sites {
		if len(s.Hosts) == 0 {
			s.Hosts = []string{""}
		}
		for j, host := range s.Hosts {
			first, taken := owner[host]
			if !taken {
				owner[host] = i
				continue
			}
			m := consent.Mistake{Field: fmt.Sprintf("sites[%d].hosts[%d]", i, j),
				Problem: fmt.Sprintf("%q belongs to sites[%d] already", host, first),
				Cure:    "a host can have one site"}
			if host == "" {
				m = consent.Mistake{Field: fmt.Sprintf("sites[%d]", i),
					Problem: fmt.Sprintf("this site has no hosts, and neither has sites[%d]", first),
					Cure:    "only one site can take every host that no other has; list the hosts of the others"}
			}
			errs = append(errs, m)
		}
	}
	return errors.Join(errs...)
}

// A SiteConfig is one site: who it is, where its origin is, and what the
// visitor is told. Only Upstream.URL has no default.
type SiteConfig struct {
	// Name is used in records and logs; empty: the first host, or "default".
	Name string `yaml:"name"`
	// Hosts are the names the site is visited under, without port. A site
	// without hosts serves every host no other site has; there can be one.
	Hosts    []string        `yaml:"hosts"`
	Upstream upstream.Config `yaml:"upstream"`
	// FirstParty adds hosts that belong to the site: "cdn.example.org", or
	// "*.example.net" for a domain and all below it. The registrable domains of
	// Hosts (of the host asked for, where there are none) are first party
	// without being named.
	FirstParty []string `yaml:"first_party"`
	// Mode is "enforce" (the default) or "observe": nothing is withheld and
	// nobody is asked, but everything is counted as it would have been.
	Mode Mode `yaml:"mode"`
	// Unknown is what happens to third parties the catalog does not know:
	// "block-active" (the default), "block-all" or "allow".
	Unknown Unknown `yaml:"unknown"`
	// Cookies is "lenient" (the default: first-party cookies nobody knows pass
	// and are counted) or "strict" (they wait for consent to marketing).
	Cookies Strictness `yaml:"cookies"`
	// Services changes services of the catalog or adds the site's own.
	Services catalog.Config `yaml:"services"`
	// Excluded are paths whose pages are not edited, with everything below
	// them. Empty: WordPress's administration and login.
	Excluded []string      `yaml:"excluded"`
	Notice   banner.Config `yaml:"notice"`
}

// Compression says how hard pages are compressed while the visitor waits.
type Compression string

const (
	Fast  Compression = "fast"
	Small Compression = "small"
)

// A Mode says whether a site obeys the decision or only counts.
type Mode string

const (
	Enforce Mode = "enforce"
	Observe Mode = "observe"
)

// Strictness says what happens to first-party cookies nobody knows.
type Strictness string

const (
	Lenient Strictness = "lenient"
	Strict  Strictness = "strict"
)

// Check returns all mistakes at once, each a [consent.Mistake].
func (c SiteConfig) Check() error { return c.check(readBuiltinOnce()) }

func (c SiteConfig) check(base builtin) error {
	var errs []error
	add := func(field, problem, cure string) {
		errs = append(errs, consent.Mistake{Field: field, Problem: problem, Cure: cure})
	}
	for i, h := range c.Hosts {
		if problem := wrongHost(h); problem != "" {
			add(fmt.Sprintf("hosts[%d]", i), problem, "write the name alone, such as www.example.org")
		}
	}
	for i, h := range c.FirstParty {
		if problem := wrongHost(strings.TrimPrefix(h, "*.")); problem != "" {
			add(fmt.Sprintf("first_party[%d]", i), problem, "write a name such as cdn.example.org, or *.example.net")
		}
	}
	for i, p := range c.Excluded {
		if !strings.HasPrefix(p, "/") {
			add(fmt.Sprintf("excluded[%d]", i), fmt.Sprintf("%q is not a path", p), "start it with a slash")
		}
	}
	checkOneOf(add, "mode", c.Mode, Enforce, Observe)
	checkOneOf(add, "unknown", c.Unknown, UnknownBlockActive, UnknownBlockAll, UnknownAllow)
	checkOneOf(add, "cookies", c.Cookies, Lenient, Strict)
	errs = append(errs, consent.Within("upstream", c.Upstream.Check()), consent.Within("notice", c.Notice.Check()))
	errs = append(errs, consent.Within("services", c.checkServices(base)))
	return errors.Join(errs...)
}

// checkServices merges, because only then it shows what a service of the site's
// own lacks.
func (c SiteConfig) checkServices(base builtin) error {
	if len(c.Services) == 0 {
		return nil
	}
	services, err := base()
	if err != nil {
		return err
	}
	_, err = catalog.Merge(services, c.Services)
	return err
}

func (c SiteConfig) name() string {
	switch {
	case c.Name != "":
		return c.Name
	case len(c.Hosts) > 0:
		return c.Hosts[0]
	}
	return "default"
}

func wrongHost(h string) string {
	switch {
	case h == "":
		return "a host is empty"
	case h != strings.ToLower(h):
		return fmt.Sprintf("%q has upper-case letters", h)
	case strings.ContainsAny(h, "/:@ *?#"):
		return fmt.Sprintf("%q is not a host name", h)
	}
	return ""
}

func checkOneOf[T ~string](add func(field, problem, cure string), field string, got T, want ...T) {
	if got == "" || slices.Contains(want, got) {
		return
	}
	words := make([]string, len(want))
	for i, w := range want {
		words[i] = string(w)
	}
	add(field, fmt.Sprintf("%q is no value of %s", got, field), "use "+strings.Join(words, ", "))
}
