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
		packed, err := compress(a.Body, gzip.BestCompression)
		if err != nil {
			return fmt.Errorf("compress %s: %w", a.Name, err)
		}
		e.routes[e.prefix+"assets/"+a.Name] = route{get: serveAsset(a, packed)}
	}
	return nil
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

func serveAsset(a banner.Asset, packed []byte) http.HandlerFunc {
	sum := sha256.Sum256(a.Body)
	tag := hex.EncodeToString(sum[:8])
	return func(w http.ResponseWriter, r *http.Request) {
		h, body := w.Header(), a.Body
		public(h, "max-age=31536000, immutable")
		h.Set("Content-Type", a.Type)
		h.Set("Vary", "Accept-Encoding")
		h.Set("ETag", `"`+tag+`"`)
		if acceptsGzip(r) {
			h.Set("Content-Encoding", "gzip")
			h.Set("ETag", `"`+tag+`-gzip"`)
			body = packed
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
	}
}

// public is for an answer that is the same for everybody.
func public(h http.Header, lifetime string) {
	h.Set("Cache-Control", "public, "+lifetime)
	h.Del("Content-Security-Policy")
	h.Del("Referrer-Policy")
}

func acceptsGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, weight, _ := strings.Cut(strings.ReplaceAll(part, " ", ""), ";")
		if strings.EqualFold(name, "gzip") {
			return strings.Trim(strings.TrimPrefix(weight, "q="), "0.") != "" || weight == ""
		}
	}
	return false
}
