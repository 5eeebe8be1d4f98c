package upstream

import (
	"io"
	"net/http"
	"net/url"
	"strings"
)

// An Outbound is what the gateway decided about a request to the origin.
type Outbound struct {
	// Trusted are the proxies in front of the gateway.
	Trusted Trusted
	// Consent is the value of the Consent header; a visitor's own is dropped.
	Consent string
	// Page says that the answer may be an HTML document that will be edited:
	// conditions and ranges are about the origin's bytes, not about ours, and
	// are left out (RFC 9110 sections 13 and 14).
	Page bool
	// AcceptEncoding is asked for instead of what the visitor accepts; empty:
	// the visitor's own.
	AcceptEncoding string
}

// Outgoing makes the request to the origin. Target, body and trailers are those
// of in, byte for byte; the header is a new map whose values may be shared with
// in, so replace values and never write into them. Cookie lines are joined into
// one; the caller replaces out.Header["Cookie"] by what the visitor's decision
// leaves of it.
func (u *Upstream) Outgoing(in *http.Request, o Outbound) *http.Request {
	h := u.header(in, o)
	out := in.WithContext(in.Context()) // the cheapest copy there is
	out.URL, out.Host, out.Header = u.target(in), u.hostFor(in.Host), h
	out.RequestURI, out.TransferEncoding, out.Trailer = "", nil, nil
	if in.ContentLength == 0 {
		out.Body = nil // otherwise it counts as a body of unknown length
	}
	if len(in.Trailer) > 0 && out.Body != nil {
		out.Trailer, out.Body = u.carryTrailers(in)
	}
	// Where the origin refuses a body before it came, the transport would send it
	// all the same to keep the connection (CVE-2024-24791); better to lose that one.
	out.Close = len(h["Expect"]) > 0
	return out
}

// pseudonym is what the gateway is called in Via.
const pseudonym = "consentgate"

// target keeps path and query as they came. The transport sends Opaque as it
// is, while a Path is encoded anew where its original has characters that
// net/url would have escaped.
func (u *Upstream) target(in *http.Request) *url.URL {
	t := &url.URL{
		Scheme:     u.origins[0].scheme, // RoundTrip chooses
		Host:       u.origins[0].address,
		Path:       in.URL.Path,
		RawPath:    in.URL.RawPath,
		RawQuery:   in.URL.RawQuery,
		ForceQuery: in.URL.ForceQuery,
	}
	raw, _, _ := strings.Cut(in.RequestURI, "?")
	if strings.HasPrefix(raw, "/") && !strings.HasPrefix(raw, "//") && t.EscapedPath() != raw {
		t.Opaque = raw
	}
	return t
}

func (u *Upstream) hostFor(visitors string) string {
	switch {
	case u.host != hostVisitor && u.host != hostUpstream:
		return u.host
	case u.host == hostUpstream || visitors == "":
		return u.origins[0].address
	}
	return visitors
}

// header copies what goes on to the origin, and adds what only the gateway may
// say.
func (u *Upstream) header(in *http.Request, o Outbound) http.Header {
	from := o.Trusted.sender(in)
	page := o.Page && (in.Method == http.MethodGet || in.Method == http.MethodHead)
	h := make(http.Header, len(in.Header)+6)
	hop := hopByHop(in.Header)
	for name, lines := range in.Header {
		if hop.has(name) || forged(name) || name == u.secretName || spoofable(name) && !from.maySay(name) || page && conditional(name) {
			continue
		}
		h[name] = lines
	}
	added := make(values, 0, 8)
	if websocket(in) {
		h["Connection"] = added.one("Upgrade")
		h["Upgrade"] = added.one("websocket")
	}
	if hasToken(in.Header["Te"], "trailers") {
		h["Te"] = added.one("trailers")
	}
	if lines := h["Cookie"]; len(lines) > 1 {
		h["Cookie"] = added.one(strings.Join(lines, "; "))
	}
	if o.AcceptEncoding != "" {
		h["Accept-Encoding"] = added.one(o.AcceptEncoding)
	}
	if o.Consent != "" {
		h["Consent"] = added.one(o.Consent)
	}
	if u.via {
		h["Via"] = added.one(list(in.Header["Via"], "1.1 "+pseudonym))
	}
	if len(h["User-Agent"]) == 0 {
		h["User-Agent"] = nil // or the transport would invent one
	}
	hideIdempotencyKey(h)
	added.setForwarded(h, in, from)
	u.sign(h)
	return h
}

// values are the header values of one request, made in one allocation.
type values []string

func (v *values) one(s string) []string {
	*v = append(*v, s)
	n := len(*v)
	return (*v)[n-1 : n : n]
}

// hideIdempotencyKey writes the names in a way that means the same to the
// origin and nothing to the transport, which would send a POST twice for it.
func hideIdempotencyKey(h http.Header) {
	for _, name := range [...]string{"Idempotency-Key", "X-Idempotency-Key"} {
		if lines, ok := h[name]; ok {
			delete(h, name)
			h[strings.ToLower(name)] = lines
		}
	}
}

// sign adds the secret by which the origin knows the gateway.
func (u *Upstream) sign(h http.Header) {
	if u.secretName != "" {
		h[u.secretName] = []string{u.secretValue}
	}
}

// setForwarded tells the origin who asked for what. What a trusted proxy says
// is kept and added to; of X-Forwarded-For, what stands left of the visitor's
// address is left out, for anybody can have written it.
func (v *values) setForwarded(h http.Header, in *http.Request, from sender) {
	if from.peer.IsValid() {
		h["X-Forwarded-For"] = v.one(from.forwardedFor(in.Header["X-Forwarded-For"]))
	}
	if len(h["X-Forwarded-Host"]) == 0 {
		h["X-Forwarded-Host"] = v.one(in.Host)
	}
	if said := h["X-Forwarded-Proto"]; from.trusted && len(said) == 1 && validScheme(said[0]) {
		return
	}
	scheme := "http"
	if in.TLS != nil {
		scheme = "https"
	}
	h["X-Forwarded-Proto"] = v.one(scheme)
}

// list makes one comma-separated line of several and one more member.
func list(lines []string, last string) string {
	if len(lines) == 0 {
		return last
	}
	return strings.Join(lines, ", ") + ", " + last
}

// carryTrailers passes on the announced trailers that may go to the origin, as
// soon as the body has been read.
func (u *Upstream) carryTrailers(in *http.Request) (http.Header, io.ReadCloser) {
	out := http.Header{}
	for name := range in.Trailer {
		if !forged(name) && !spoofable(name) && !endToEnd(name) && name != u.secretName {
			out[name] = nil
		}
	}
	return out, &trailerBody{ReadCloser: in.Body, from: in, to: out}
}

type trailerBody struct {
	io.ReadCloser
	from *http.Request
	to   http.Header
}

func (b *trailerBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF {
		for name := range b.to {
			b.to[name] = b.from.Trailer[name]
		}
	}
	return n, err
}
