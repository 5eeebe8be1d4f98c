package endpoint

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/numfocus/consentgate/proxy/banner"
)

// addAssets makes a route of each file that our pages and pages of the site
// load. Their names change with their content.
func (e *Endpoint) addAssets() error {
	for _, a := range e.site.Banner.Assets() {
		packed, err := e.pack(a)
		if err != nil {
			return fmt.Errorf("compress %s: %w", a.Name, err)
		}
		e.routes[e.prefix+"assets/"+a.Name] = route{get: packed.serve}
	}
	return nil
}

// A packed asset is ready to be sent in each coding.
type packed struct {
	banner.Asset
	tag    string
	gzip   []byte
	brotli []byte // nil: not sent in it
}

func (e *Endpoint) pack(a banner.Asset) (p packed, err error) {
	sum := sha256.Sum256(a.Body)
	p = packed{Asset: a, tag: hex.EncodeToString(sum[:8])}
	if p.gzip, err = compress(a.Body, gzip.BestCompression); err != nil {
		return p, err
	}
	if e.site.Brotli != nil {
		p.brotli, err = e.site.Brotli(a.Body)
	}
	return p, err
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

func (p packed) serve(w http.ResponseWriter, r *http.Request) {
	h, body, tag := w.Header(), p.Body, p.tag
	public(h, "max-age=31536000, immutable")
	h.Set("Content-Type", p.Type)
	h.Set("Vary", "Accept-Encoding")
	switch {
	case p.brotli != nil && accepts(r, "br"):
		h.Set("Content-Encoding", "br")
		body, tag = p.brotli, tag+"-br"
	case acceptsGzip(r):
		h.Set("Content-Encoding", "gzip")
		body, tag = p.gzip, tag+"-gzip"
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
