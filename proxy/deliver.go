package proxy

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/numfocus/consentgate/proxy/upstream"
)

// deliver sends the response on: byte for byte unless it is an HTML document
// that the decision has something to say about.
func (x *exchange) deliver(res *http.Response) {
	body, isPage := x.document(res)
	res.Body = body
	switch {
	case x.site.leftAlone(x.r):
		x.pass(res)
	case !isPage && runsAlone(x.r, res.Header):
		x.passCode(res)
	case !isPage:
		x.pass(res)
	case x.site.observe:
		x.watch(res)
	case res.StatusCode == http.StatusPartialContent, noTransform(res.Header):
		x.fenceUnedited()
		x.pass(res)
	default:
		x.edit(res)
	}
}

// document reports whether a browser would show the response as an HTML
// document. Where the header does not tell, the body is looked into, as far as
// it takes; the body that is returned has everything.
func (x *exchange) document(res *http.Response) (io.ReadCloser, bool) {
	if !upstream.NeedsSniff(res.Header) || !hasBody(x.r, res) {
		return res.Body, upstream.Sniff(res.Header, nil)
	}
	raw, first, known, err := x.gateway.beginning(res)
	rest := io.Reader(res.Body)
	if err != nil && !errors.Is(err, io.EOF) {
		rest = failing{err}
	}
	whole := readCloser{io.MultiReader(bytes.NewReader(raw), rest), res.Body}
	return whole, !known || upstream.Sniff(res.Header, first)
}

// beginning reads a body until it is clear what it is: as it came, and decoded.
// Not known is what cannot be decoded. An origin that sends little at a time is
// thus not waited for any longer than a browser would.
func (g *Gateway) beginning(res *http.Response) (raw, first []byte, known bool, err error) {
	buf := make([]byte, upstream.SniffLen)
	for n := 0; ; {
		var more int
		more, err = res.Body.Read(buf[n:])
		n += more
		raw = buf[:n]
		first, known = g.decoded(res.Header, raw)
		if err != nil || n == len(buf) || !known || !upstream.Undecided(first) {
			return raw, first, known, err
		}
	}
}

// decoded undoes the content coding of the beginning of a body. What it cannot
// undo is not known to be harmless.
func (g *Gateway) decoded(h http.Header, raw []byte) (first []byte, known bool) {
	r, err := g.codings.NewReader(strings.Join(h["Content-Encoding"], ","), bytes.NewReader(raw))
	if err != nil {
		return nil, false
	}
	defer r.Close()
	first, _ = io.ReadAll(io.LimitReader(r, upstream.SniffLen)) // cut off as it is
	return first, true
}

type readCloser struct {
	io.Reader
	io.Closer
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// hasBody reports whether a response to r has one (RFC 9110 section 6.4.1).
func hasBody(r *http.Request, res *http.Response) bool {
	return r.Method != http.MethodHead &&
		res.StatusCode != http.StatusNoContent && res.StatusCode != http.StatusNotModified
}

// noTransform reports whether the origin forbids changing the content
// (RFC 9111 section 5.2.2.6).
func noTransform(h http.Header) bool {
	for _, line := range h["Cache-Control"] {
		for directive := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(directive), "no-transform") {
				return true
			}
		}
	}
	return false
}

// pass sends the body as it came.
func (x *exchange) pass(res *http.Response) {
	upstream.AnnounceTrailers(x.w.Header(), res)
	x.w.WriteHeader(res.StatusCode)
	if !hasBody(x.r, res) {
		return
	}
	x.finish(x.copy(x.w, res))
	upstream.SendTrailers(x.w, res)
}

// copy carries a body and returns what broke it.
func (x *exchange) copy(w http.ResponseWriter, res *http.Response) error {
	_, err := upstream.CopyBody(w, res, upstream.FlushFor(res))
	return err
}

// finish makes a body that is not whole look like it: a visitor must not take a
// part for the whole.
func (x *exchange) finish(err error) {
	if err == nil {
		return
	}
	if b, ok := errors.AsType[*bug](err); ok {
		panic(b)
	}
	if errors.Is(err, errOverloaded) && x.w.status == 0 {
		x.overloaded(err)
		return
	}
	x.failure = err
	panic(http.ErrAbortHandler)
}
