package proxy

import (
	"strings"

	"github.com/numfocus/consentgate/consent"
	"github.com/numfocus/consentgate/consent/catalog"
	"github.com/numfocus/consentgate/proxy/rewrite"
)

// A Verdict is what happens to one thing in a page, and why.
type Verdict struct {
	Withheld bool
	Service  *consent.Service // whose it is; nil: the first party's or nobody's we know
	Host     string           // of a third party; empty: the first party's, or of no host
	Rule     string           // which rule decided, for people
}

// Rules that are not a pattern of the catalog.
const (
	ruleFirstParty  = "first party"
	ruleNoNetwork   = "reaches no host"
	ruleUnreadable  = "not a URL a browser could read"
	ruleDataFrame   = "a page inside a data: URL"
	ruleUnknown     = "unknown third party"
	ruleBeacon      = "reports somewhere without saying where"
	ruleUnknownCode = "inline script that loads code of an unknown third party"
	ruleNoService   = "no service is known to set it"
)

// A judge holds one decision against one site's catalog. Its parser makes it
// unfit for concurrent use.
type judge struct {
	site     *site
	offer    *offer // what the visitor is told of
	host     string // the request's host, for whom the site is first party
	decision consent.Decision
	parser   catalog.Parser
}

func (j *judge) withholds(s *consent.Service) bool { return !j.decision.Allows(s) }

// url judges a URL that the page would load.
func (j *judge) url(base *catalog.URL, kind rewrite.Kind, ref []byte) Verdict {
	if kind == rewrite.Beacon && len(ref) == 0 { // an AMP component that knows its vendor by heart
		return Verdict{Withheld: !j.decision.AllowsUnknown(), Rule: ruleBeacon}
	}
	u, ok := j.parser.Parse(base, ref)
	if !ok {
		return Verdict{Withheld: active(kind) && !j.decision.AllowsUnknown(), Rule: ruleUnreadable}
	}
	if len(u.Host) == 0 {
		return j.hostless(kind, string(u.Scheme))
	}
	first := string(u.Host) == j.host || j.site.firstParty.has(j.host, string(u.Host)) // most are, and need no string
	m := j.site.catalog.URL(u)
	switch {
	case m.Service != nil && !first:
		return Verdict{Withheld: j.withholds(m.Service), Service: m.Service, Host: string(u.Host), Rule: m.Rule}
	case m.Service != nil && anyHost(m.Rule):
		return Verdict{Withheld: j.withholds(m.Service), Service: m.Service, Rule: m.Rule}
	case first:
		return Verdict{Rule: ruleFirstParty}
	}
	return Verdict{
		Withheld: j.site.unknown.withholds(kind) && !j.decision.AllowsUnknown(),
		Host:     string(u.Host),
		Rule:     ruleUnknown,
	}
}

// hostless judges data:, blob:, about:, javascript: and the like. The rewriter
// passes the text of data: scripts to script.
func (j *judge) hostless(kind rewrite.Kind, scheme string) Verdict {
	if kind == rewrite.Frame && scheme == "data" && j.site.unknown != UnknownAllow {
		return Verdict{Withheld: !j.decision.AllowsUnknown(), Rule: ruleDataFrame}
	}
	return Verdict{Rule: ruleNoNetwork}
}

// anyHost reports whether a catalog rule names a path on any host: such a rule
// recognises what a plugin serves from the site itself.
func anyHost(rule string) bool { return strings.HasPrefix(rule, "*/") }

// script judges the text of an inline script.
func (j *judge) script(text []byte) Verdict {
	if m := j.site.catalog.Script(text, j.withholds); m.Service != nil {
		return Verdict{Withheld: true, Service: m.Service, Rule: m.Rule}
	}
	if j.site.unknown == UnknownAllow || j.decision.AllowsUnknown() {
		return Verdict{Rule: ruleFirstParty}
	}
	isFirst := func(host []byte) bool { return j.site.firstParty.has(j.host, string(host)) }
	if host, ok := j.site.catalog.UnknownLoader(text, isFirst); ok {
		return Verdict{Withheld: true, Host: string(host), Rule: ruleUnknownCode}
	}
	return Verdict{Rule: ruleFirstParty}
}

// cookie judges a first-party cookie by its name.
func (j *judge) cookie(name string) Verdict {
	if m := j.site.catalog.Cookie(name, ""); m.Service != nil {
		return Verdict{Withheld: j.withholds(m.Service), Service: m.Service, Rule: m.Rule}
	}
	return Verdict{Withheld: j.site.strictCookies && !j.decision.AllowsUnknown(), Rule: ruleNoService}
}

// active reports whether a URL of this kind runs, frames or tells something.
func active(k rewrite.Kind) bool {
	switch k {
	case rewrite.Script, rewrite.Frame, rewrite.Pixel, rewrite.Beacon, rewrite.Hint, rewrite.Prefetch:
		return true
	}
	return false
}

// Unknown says what happens to third parties the catalog does not know.
type Unknown string

const (
	UnknownBlockActive Unknown = "block-active" // scripts, frames, beacons, hidden images and hints wait for marketing
	UnknownBlockAll    Unknown = "block-all"    // everything waits for marketing
	UnknownAllow       Unknown = "allow"        // nothing waits
)

func (u Unknown) withholds(k rewrite.Kind) bool {
	switch u {
	case UnknownAllow:
		return false
	case UnknownBlockAll:
		return true
	}
	return active(k)
}
