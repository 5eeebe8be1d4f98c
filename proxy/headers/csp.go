package headers

import (
	"net/http"
	"slices"
	"strings"
)

// An Unknown says what becomes of third parties nobody classified.
type Unknown uint8

const (
	BlockActive Unknown = iota // scripts, frames, connections and objects are refused; pictures, styles, fonts and media load
	BlockAll                   // nothing loads
	Allow                      // everything loads
)

// reportGroup is the name under which the browser knows where reports go.
const reportGroup = "cg"

// maxPolicy is how long, in bytes, a policy may be before it says less: proxies
// in front commonly have 8 KiB for the whole header.
const maxPolicy = 6 << 10

// Sources say from where a document may load.
//
// Hosts are URL patterns of the catalog: `host` or `*.host` (which is the host
// and its sub-domains), with or without a path, which is a prefix and may hold
// wildcards. A pattern for any host ("*") names nobody and is left out.
type Sources struct {
	FirstParty []string // beside the document's own origin
	Services   []string // of the services that are allowed
	Sockets    []string // those to which WebSockets may go, beside the first party
	Narrower   []Hosts  // what to say instead where that would be too long; the first that is short enough
	Unknown    Unknown
	ReportPath string // where reports go: "/_consent/report"; empty: nowhere
	Secure     bool   // the document came by HTTPS: without it browsers know no reporting endpoints
}

// Hosts are a choice of services by their URL patterns.
type Hosts struct{ Services, Sockets []string }

// Policy gives the Content-Security-Policy, the same for the same sources in
// whatever order. It is empty where unknown third parties are allowed: a policy can
// only list who may load, not who may not.
//
// Where it would be longer than 6 KiB it names hosts instead of paths on them, then
// those of a narrower choice, and then leaves out the services' WebSockets; should a
// list be longer still, it stays as long as that.
//
// There is no nonce and no hash: inline code was judged while the page was
// rewritten, and the page may be kept. What a script inserts as text or as a data:
// URL therefore runs, but contacts nobody who is not on the list. There is always a
// default-src: without one, prefetching is not checked at all. It is checked against the most generous directive (CSP Level
// 3, section 6.1.3), so with [BlockActive] a script may prefetch whatever it may
// show as a picture.
func (s Sources) Policy() string {
	if s.Unknown == Allow {
		return ""
	}
	choice := Hosts{s.Services, s.Sockets}
	policy := s.build(withPath, choice)
	for _, narrower := range slices.Concat([]Hosts{choice}, s.Narrower) {
		if len(policy) <= maxPolicy {
			return policy
		}
		choice = narrower
		policy = s.build(withoutPath, choice)
	}
	if len(policy) > maxPolicy {
		choice.Sockets = nil
		policy = s.build(withoutPath, choice)
	}
	return policy
}

// Strict gives the policy for a document that could not be understood, and so
// not rewritten: nothing active, nothing foreign. The sandbox keeps a meta element
// from going elsewhere by itself; links and forms work.
func (s Sources) Strict() string {
	own := strings.Join(append([]string{"'self'"}, sourceList(s.FirstParty, withPath)...), " ")
	return join(
		"default-src 'none'", "script-src 'none'", "frame-src 'none'", "connect-src 'none'", "object-src 'none'",
		"img-src "+own+" data:", "style-src "+own+" 'unsafe-inline'", "font-src "+own+" data:", "media-src "+own,
		"sandbox allow-same-origin allow-forms allow-popups allow-popups-to-escape-sandbox allow-downloads",
		s.reporting(),
	)
}

// build writes the list of hosts, in the given form, once, in default-src: it stands
// for scripts, frames, connections, workers, objects and prefetching.
func (s Sources) build(form func(string) string, of Hosts) string {
	list := []string{"default-src 'self' 'unsafe-inline' 'unsafe-eval' blob: data:"}
	list = append(list, sourceList(slices.Concat(s.FirstParty, of.Services), form)...)
	list = append(list, socketList(slices.Concat(s.FirstParty, of.Sockets))...)
	open := ""
	if s.Unknown == BlockActive {
		open = "img-src * data: blob:; style-src * data: blob: 'unsafe-inline'; font-src * data: blob:; media-src * data: blob:"
	}
	return join(strings.Join(list, " "), open, s.reporting())
}

// reporting names both mechanisms: browsers that know report-to ignore
// report-uri, even where they have no endpoint for it.
func (s Sources) reporting() string {
	switch {
	case s.ReportPath == "":
		return ""
	case !s.Secure:
		return "report-uri " + s.ReportPath
	}
	return "report-uri " + s.ReportPath + "; report-to " + reportGroup
}

// Add puts a policy into a document's header, as a line of its own: policies
// only ever restrict each other, and the origin's keep their bytes. With reportOnly
// the browser only tells what it would refuse.
func (s Sources) Add(h http.Header, policy string, reportOnly bool) {
	if policy == "" {
		return
	}
	name := "Content-Security-Policy"
	if reportOnly {
		name = "Content-Security-Policy-Report-Only"
	}
	h.Add(name, policy)
	if s.ReportPath != "" && s.Secure {
		h.Add("Reporting-Endpoints", reportGroup+`="`+s.ReportPath+`"`)
	}
}

func join(directives ...string) string {
	return strings.Join(slices.DeleteFunc(directives, func(d string) bool { return d == "" }), "; ")
}

// sourceList turns URL patterns into host sources, sorted, each once, without
// those that another one covers. The catalog knows no ports, so any will do.
func sourceList(patterns []string, form func(string) string) []string {
	var sources []string
	for _, pattern := range patterns {
		host, path, _ := strings.Cut(pattern, "/")
		if !plainHost(host) {
			continue
		}
		path = form("/" + path)
		sources = append(sources, host+path)
		if parent, ok := strings.CutPrefix(host, "*."); ok {
			sources = append(sources, parent+path)
		}
	}
	slices.Sort(sources)
	sources = slices.Compact(sources)
	known := make(map[string]bool, len(sources))
	for _, source := range sources {
		known[source] = true
	}
	sources = slices.DeleteFunc(sources, func(source string) bool { return covered(source, known) })
	for i, source := range sources {
		sources[i] = anyPort(source)
	}
	return sources
}

func anyPort(source string) string {
	host, path, cut := strings.Cut(source, "/")
	if !strings.Contains(host, ":") {
		host += ":*"
	}
	if cut {
		path = "/" + path
	}
	return host + path
}

// covered reports whether a source says no more than another one: the same host
// without a path, or a wildcard above it.
func covered(source string, known map[string]bool) bool {
	host, _, narrowed := strings.Cut(source, "/")
	if narrowed && known[host] {
		return true
	}
	for parent, more := strings.TrimPrefix(host, "*."), true; more; {
		if _, parent, more = strings.Cut(parent, "."); known["*."+parent] {
			return true
		}
	}
	return false
}

// socketList names the hosts once more for WebSockets: Chromium takes a host
// without a scheme to mean the document's, which is never wss.
func socketList(patterns []string) []string {
	hosts := sourceList(patterns, withoutPath)
	for i, host := range hosts {
		hosts[i] = "wss://" + host
	}
	return hosts
}

// withPath keeps a path as far as a policy can express it: up to the last slash
// before the first wildcard, since a path that ends in none must match as a
// whole.
func withPath(path string) string {
	if i := strings.IndexAny(path, "*?"); i >= 0 {
		path = path[:i]
	}
	path = path[:strings.LastIndexByte(path, '/')+1]
	if path == "/" || strings.ContainsFunc(path, odd) {
		return ""
	}
	return path
}

func withoutPath(string) string { return "" }

// odd reports what would have to be escaped in a path of a policy.
func odd(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`;,'"%#\`, r) }

// plainHost reports whether a host can stand in a policy: a name, with a leading
// wildcard or a port perhaps.
func plainHost(host string) bool {
	host = strings.TrimPrefix(host, "*.")
	bad := func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '.' || r == '-' || r == '_' || r == ':')
	}
	return host != "" && !strings.ContainsFunc(host, bad)
}
