package upstream

import (
	"net/http"
	"net/netip"
	"strings"
)

// Refuse says whether a request cannot be passed on without somebody further on
// reading it differently. status is 0 if it can. It covers what net/http lets
// through, above all in HTTP/2, whose pseudo-headers may hold what no request
// line can; the rest net/http has refused before a handler is called.
func Refuse(r *http.Request) (status int, reason string) {
	switch {
	case r.Method == http.MethodConnect:
		return http.StatusBadRequest, "CONNECT asks for a tunnel"
	case r.Method == http.MethodTrace:
		return http.StatusBadRequest, "TRACE would show what only the gateway and the origin say"
	case r.Host == "" && r.ProtoAtLeast(1, 1):
		return http.StatusBadRequest, "no Host"
	case r.Host != "" && !validHost(r.Host):
		return http.StatusBadRequest, "Host is not a host"
	case differs(r.Header["Host"], r.Host):
		return http.StatusBadRequest, "Host and :authority differ"
	case loops(r.Header["Via"]):
		return http.StatusLoopDetected, "it came through this gateway too often"
	}
	return refuseTarget(r)
}

// loops allows for gateways behind one another.
func loops(via []string) bool {
	const most = 5
	n := 0
	for _, line := range via {
		n += strings.Count(line, pseudonym)
	}
	return n > most
}

func differs(lines []string, host string) bool {
	for _, line := range lines {
		if !strings.EqualFold(line, host) {
			return true
		}
	}
	return false
}

// refuseTarget judges the request-target as it was sent (RFC 9112 section 3.2).
func refuseTarget(r *http.Request) (status int, reason string) {
	target := r.RequestURI
	switch {
	case target == "*":
		return http.StatusBadRequest, "the target * is for the gateway itself"
	case r.URL.User != nil:
		return http.StatusBadRequest, "the target holds a user name"
	case r.URL.Scheme != "" && !validScheme(r.URL.Scheme):
		return http.StatusBadRequest, "the target's scheme is neither http nor https"
	case r.URL.Host != "" && !strings.EqualFold(r.URL.Host, r.Host):
		return http.StatusBadRequest, "the target and Host differ"
	case r.URL.Host == "" && !strings.HasPrefix(target, "/"):
		return http.StatusBadRequest, "the target is not a path"
	}
	path, query, _ := strings.Cut(target, "?")
	if !only(path, inPath) || !only(query, inQuery) {
		return http.StatusBadRequest, "the target holds a character that belongs escaped"
	}
	return 0, ""
}

// Where a byte may stand in a target.
const (
	inPath uint8 = 1 << iota
	inQuery
	inHost
)

// allowed has the characters of RFC 3986, and the few more that browsers leave
// as they are (URL standard, path and query percent-encode sets).
var allowed = func() (t [256]uint8) {
	mark := func(chars string, where uint8) {
		for _, c := range []byte(chars) {
			t[c] |= where
		}
	}
	const alphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	mark(alphanumeric+"-._~!$&'()*+,;=:@/%", inPath|inQuery)
	mark("|^[]", inPath|inQuery)
	mark("?{}`\\", inQuery)
	mark(alphanumeric+"-._~", inHost)
	return t
}()

func only(s string, where uint8) bool {
	for i := 0; i < len(s); i++ {
		if allowed[s[i]]&where == 0 {
			return false
		}
	}
	return true
}

// validHost reports whether s is a name or an IP literal, with or without a
// port. It is stricter than RFC 3986, which allows "a,b" and "a%00b".
func validHost(s string) bool {
	host, port := s, ""
	if i := strings.LastIndexByte(s, ':'); i >= 0 && !strings.HasSuffix(s, "]") {
		host, port = s[:i], s[i+1:]
		if len(port) > 5 || strings.Trim(port, "0123456789") != "" {
			return false
		}
	}
	if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
		a, err := netip.ParseAddr(host[1 : len(host)-1])
		return err == nil && a.Is6() && a.Zone() == ""
	}
	return host != "" && len(host) <= 255 && only(host, inHost)
}
