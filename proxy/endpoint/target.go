package endpoint

import (
	"net/http"
	"net/url"
	"strings"
)

// longestTarget is how long a path to go back to may be.
const longestTarget = 2048

// localTarget makes of what a form or an address names the path, query and
// fragment of a page of this very site, written as a Location header takes it.
// It refuses whatever a browser could take for another site: browsers read "\"
// as "/", and leave out tabs and line ends wherever they stand. What it accepts
// it does not take apart and put together again, for that is how an encoded
// slash becomes a real one.
func localTarget(s string) (string, bool) {
	if !strings.HasPrefix(s, "/") || strings.HasPrefix(s, "//") {
		return "", false
	}
	if strings.ContainsFunc(s, func(c rune) bool { return c < ' ' || c == 0x7f || c == '\\' }) {
		return "", false
	}
	target := escapeRaw(s)
	if u, err := url.Parse(target); err != nil || u.Scheme != "" || u.Host != "" || len(target) > longestTarget {
		return "", false
	}
	return target, true
}

// escapeRaw percent-encodes what must not stand in a header field.
func escapeRaw(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c > ' ' && c < 0x7f {
			b.WriteByte(c)
		} else {
			b.WriteString("%" + string(hex[c>>4]) + string(hex[c&15]))
		}
	}
	return b.String()
}

// referer is the page of this site that the request came from, or "".
func (e *Endpoint) referer(r *http.Request) string {
	u, err := url.Parse(r.Referer())
	if err != nil || !e.isOwnHost(r, u.Host) {
		return ""
	}
	_, rest, _ := strings.Cut(r.Referer(), "://")
	_, path, _ := strings.Cut(rest, "/")
	path, _, _ = strings.Cut(path, "#")
	target, _ := localTarget("/" + path)
	return target
}

// back is the page to offer for going back to: the one named in the address,
// else the one the visitor came from unless it is ours, else the home page.
func (e *Endpoint) back(r *http.Request) string {
	if target, ok := localTarget(r.URL.Query().Get("return")); ok {
		return target
	}
	if from := e.referer(r); from != "" && !e.Handles(pathOf(from)) {
		return from
	}
	return "/"
}

// next is the page a choice leads to: the one named in the form, else the one
// the form stood in, else the home page.
func (e *Endpoint) next(r *http.Request, named string) string {
	if target, ok := localTarget(named); ok {
		return target
	}
	switch from := e.referer(r); {
	case from == "":
		return "/"
	case pathOf(from) == e.prefix+"choice":
		return e.prefix // that was a page about a choice gone wrong
	default:
		return from
	}
}

func pathOf(target string) string {
	path, _, _ := strings.Cut(target, "?")
	return path
}

// isOwnHost reports whether host is the one the visitor's browser is on, which
// may leave out the port of its scheme.
func (e *Endpoint) isOwnHost(r *http.Request, host string) bool {
	return host != "" && e.plainHost(r, host) == e.plainHost(r, e.site.Host(r))
}

func (e *Endpoint) plainHost(r *http.Request, host string) string {
	port := ":80"
	if e.site.Secure(r) {
		port = ":443"
	}
	return strings.TrimSuffix(strings.ToLower(host), port)
}
