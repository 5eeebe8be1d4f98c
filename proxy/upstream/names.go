package upstream

import (
	"net/http"
	"net/textproto"
	"strings"
)

// Header names in this file are in the canonical form of net/http.

// forged reports whether only the gateway, or nobody, says this to the origin.
// Names with an underscore become the same CGI variable as their twin with a
// hyphen, and Proxy becomes HTTP_PROXY.
func forged(name string) bool {
	return name == "Consent" || name == "Proxy" || name == "Host" || strings.Contains(name, "_")
}

// spoofable reports whether a header says where a request came from: origins
// believe it, so it counts only from a trusted proxy.
func spoofable(name string) bool {
	switch name {
	case "Forwarded", "X-Real-Ip", "X-Rewrite-Url", "X-Client-Ip", "X-Cluster-Client-Ip",
		"True-Client-Ip", "Fastly-Client-Ip", "X-Host":
		return true
	}
	return strings.HasPrefix(name, "Cf-") || strings.HasPrefix(name, "X-Forwarded-") || name == "X-Forwarded" || strings.HasPrefix(name, "X-Original-")
}

// conditional reports whether a header makes a request depend on the bytes of
// the representation.
func conditional(name string) bool {
	switch name {
	case "If-None-Match", "If-Modified-Since", "If-Match", "If-Unmodified-Since", "If-Range", "Range":
		return true
	}
	return false
}

// endToEnd reports whether a header is for the other end whatever Connection
// says about it: a visitor could otherwise have the gateway remove a signal, or
// a proxy's word about the visitor.
func endToEnd(name string) bool {
	for _, prefix := range [...]string{"Accept", "Access-", "Content-", "Cross-", "If-", "Sec-", "Set-Cookie"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	switch name {
	case "Authorization", "Cache-Control", "Consent", "Cookie", "Date", "Dnt", "Etag", "Expect", "Expires", "Forwarded",
		"Host", "Last-Modified", "Link", "Location", "Origin", "Pragma", "Range", "Referer", "Referrer-Policy",
		"Strict-Transport-Security", "Tk", "User-Agent", "Vary", "Via":
		return true
	}
	return spoofable(name)
}

// A hopSet is what one message's Connection header names, in addition to the
// headers that are always for the next hop alone.
type hopSet []string

// hopByHop reads Connection.
func hopByHop(h http.Header) hopSet {
	var named hopSet
	for _, line := range h["Connection"] {
		for token := range strings.SplitSeq(line, ",") {
			name := textproto.CanonicalMIMEHeaderKey(textproto.TrimString(token))
			switch name {
			case "", "Close", "Keep-Alive", "Upgrade": // not names, or always hop-by-hop
			default:
				if !endToEnd(name) {
					named = append(named, name)
				}
			}
		}
	}
	return named
}

// has reports whether a header ends at the gateway.
func (s hopSet) has(name string) bool {
	switch name {
	case "Connection", "Proxy-Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization",
		"Proxy-Authentication-Info", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "Http2-Settings":
		return true
	}
	for _, n := range s {
		if n == name {
			return true
		}
	}
	return false
}

// stripResponse removes what the origin said to the gateway alone. Alt-Svc goes
// too: it would lead browsers past the gateway. What a Connection that also says
// "close" names is not known here: the transport has removed that line.
func stripResponse(h http.Header) {
	hop := hopByHop(h)
	for name := range h {
		if hop.has(name) || name == "Alt-Svc" {
			delete(h, name)
		}
	}
}

// hasToken reports whether a comma-separated list holds a token, in any case.
func hasToken(lines []string, token string) bool {
	for _, line := range lines {
		for t := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(textproto.TrimString(t), token) {
				return true
			}
		}
	}
	return false
}

// websocket reports whether a request asks for the only upgrade that goes on to
// the origin. An upgrade to h2c would be a tunnel past the gateway.
func websocket(r *http.Request) bool {
	return r.Method == http.MethodGet && r.ContentLength == 0 && r.ProtoAtLeast(1, 1) && r.ProtoMajor == 1 &&
		hasToken(r.Header["Connection"], "upgrade") &&
		len(r.Header["Upgrade"]) == 1 && strings.EqualFold(r.Header["Upgrade"][0], "websocket")
}
