package endpoint

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/numfocus/consentgate/proxy/banner"
)

// addAssets makes a route of each file that our pages and pages of the site
// load. Their names change with their content.
func (e *Endpoint) addAssets() error {
	for _, a := range e.site.Banner.Assets() {
		e.routes[e.prefix+"assets/"+a.Name] = route{get: e.pack(a).serve}
	}
	e.routes[e.prefix+"api.js"] = route{get: e.pack(e.site.Banner.API(e.site.Observe)).serveForAWhile}
	return nil
}

// A packed asset is compressed when it is first asked for, and then ready to be
// sent in each coding.
type packed struct {
	banner.Asset
	tag     string
	codings func() (codings, error)
}

type codings struct {
	gzip   []byte
	brotli []byte // nil: not sent in it
}

func (e *Endpoint) pack(a banner.Asset) *packed {
	sum := sha256.Sum256(a.Body)
	return &packed{Asset: a, tag: hex.EncodeToString(sum[:8]), codings: sync.OnceValues(func() (c codings, err error) {
		if c.gzip, err = compress(a.Body, gzip.BestCompression); err != nil || e.site.Brotli == nil {
			return c, err
		}
		c.brotli, err = e.site.Brotli(a.Body)
		return c, err
	})}
}

func compress(body []byte, level int) ([]byte, error) {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, level)
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(body); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// serve is for an asset whose name changes with its content.
func (p *packed) serve(w http.ResponseWriter, r *http.Request) {
	p.serveFor(w, r, "max-age=31536000, immutable")
}

// serveForAWhile is for one that pages of the site name by themselves.
func (p *packed) serveForAWhile(w http.ResponseWriter, r *http.Request) {
	p.serveFor(w, r, "max-age=3600")
}

// serveFor answers with the asset as it is where it cannot be compressed.
func (p *packed) serveFor(w http.ResponseWriter, r *http.Request, lifetime string) {
	h, body, tag := w.Header(), p.Body, p.tag
	public(h, lifetime)
	h.Set("Content-Type", p.Type)
	h.Set("Vary", "Accept-Encoding")
	switch c, err := p.codings(); {
	case err != nil:
	case c.brotli != nil && accepts(r, "br"):
		h.Set("Content-Encoding", "br")
		body, tag = c.brotli, tag+"-br"
	case acceptsGzip(r):
		h.Set("Content-Encoding", "gzip")
		body, tag = c.gzip, tag+"-gzip"
	}
	h.Set("ETag", `"`+tag+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

// public is for an answer that is the same for everybody.
func public(h http.Header, lifetime string) {
	h.Set("Cache-Control", "public, "+lifetime)
	h.Del("Content-Security-Policy")
	h.Del("Referrer-Policy")
}

func acceptsGzip(r *http.Request) bool { return accepts(r, "gzip") }

// accepts reports whether the browser takes a coding by name.
func accepts(r *http.Request, coding string) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, weight, _ := strings.Cut(strings.ReplaceAll(part, " ", ""), ";")
		if strings.EqualFold(name, coding) {
			return strings.Trim(strings.TrimPrefix(weight, "q="), "0.") != "" || weight == ""
		}
	}
	return false
}
