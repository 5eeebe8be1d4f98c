package proxy

import (
	"bytes"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/numfocus/consentgate/proxy/encode"
	"github.com/numfocus/consentgate/proxy/headers"
	"github.com/numfocus/consentgate/proxy/inventory"
	"github.com/numfocus/consentgate/proxy/memo"
	"github.com/numfocus/consentgate/proxy/rewrite"
)

// whole answers with a page that has arrived whole. What was made of the same
// bytes before, for the same decision, is not made again; and a visitor who has it
// is told so.
func (x *exchange) whole(p pageInfo, body []byte) error {
	key := x.gateway.memo.KeyOf(x.dependsOn(p), body)
	h := x.w.Header()
	h["Etag"] = []string{headers.ETag(hex.EncodeToString(key.Sum[:]), key.Context)}
	if p.status == http.StatusOK && headers.NotModified(x.r.Header["If-None-Match"], h["Etag"][0]) {
		x.w.WriteHeader(http.StatusNotModified)
		return nil
	}
	fresh := false
	entry, err := x.gateway.memo.Do(x.r.Context(), key, func() ([]byte, error) {
		fresh = true
		return x.render(p, body, x.gateway.level(p.coding), nil)
	})
	if errors.Is(err, rewrite.ErrCharset) {
		return x.unreadable(p, body)
	}
	if err != nil {
		return err
	}
	refs, made := readRefs(x.tally.read(entry.Body))
	if !fresh {
		x.site.inventory.Again(refs)
	}
	h["Content-Length"] = []string{strconv.Itoa(len(made))}
	x.w.WriteHeader(p.status)
	if _, err := x.w.Write(made); err != nil {
		return err
	}
	if entry.Hits == worthwhile {
		return x.improve(p, key, body)
	}
	return nil
}

// worthwhile is how often a page must have been asked for again before a
// smaller coding of it pays.
const worthwhile = 2

// dependsOn names all that an edited page depends on besides its bytes.
func (x *exchange) dependsOn(p pageInfo) string {
	lang := x.site.banner.Match("", strings.Join(x.r.Header["Accept-Language"], ","))
	base := x.base()
	return strings.Join([]string{
		x.judge.offer.generation, x.decision().Key(), string(lang), p.coding, p.options.Charset,
		strconv.Itoa(int(p.options.Mode)), string(base.Scheme), string(base.Host), x.r.URL.EscapedPath(), x.nonce,
	}, "\x00")
}

// render edits and encodes a page. In front is its tally, and where the
// inventory has what was seen in it: refs, where that is known already.
func (x *exchange) render(p pageInfo, body []byte, level int, refs []byte) ([]byte, error) {
	limits := &x.gateway.limits
	if err := limits.take(x.r.Context(), limits.pages); err != nil {
		return nil, err
	}
	defer func() { <-limits.pages }()
	begun := time.Now()
	defer func() { x.gateway.parts.Meter.Edited(int64(len(body)), time.Since(begun)) }()
	plain, out := x.gateway.reuse.buffer(), x.gateway.reuse.buffer()
	defer x.gateway.reuse.giveBack(plain)
	defer x.gateway.reuse.giveBack(out)
	rules := x.rules()
	rules.tally, rules.seen = new(tally), new(inventory.Sightings)
	if err := x.rewrite(plain, rules, p.options, body); err != nil {
		return nil, err
	}
	if refs == nil {
		refs = x.site.inventory.Record(nil, x.example(p.status), rules.seen)
	}
	out.Write(appendRefs(rules.tally.append(out.AvailableBuffer()), refs))
	encoder, err := x.gateway.codings.NewWriter(p.coding, out, level)
	if err != nil {
		return nil, err
	}
	defer encoder.Abort()
	if _, err := encoder.Write(plain.Bytes()); err != nil {
		return nil, err
	}
	if err := encoder.Close(); err != nil {
		return nil, err
	}
	return bytes.Clone(out.Bytes()), nil
}

func (x *exchange) rewrite(dst *bytes.Buffer, rules rewrite.Rules, o rewrite.Options, body []byte) error {
	w := x.gateway.reuse.rewriter(dst, rules, o)
	defer x.gateway.reuse.done(w)
	if _, err := w.Write(body); err != nil {
		return err
	}
	return w.Close()
}

// improve replaces a page that is asked for again and again by a smaller coding
// of it. The visitor has the page already.
func (x *exchange) improve(p pageInfo, key memo.Key, body []byte) error {
	if p.coding == encode.Identity {
		return nil
	}
	if err := http.NewResponseController(x.w).Flush(); err != nil {
		return err
	}
	_, err := x.gateway.memo.Upgrade(key, func(edited []byte) ([]byte, error) {
		refs, _ := readRefs(new(tally).read(edited))
		return x.render(p, body, encode.Small(p.coding), refs)
	})
	if errors.Is(err, errOverloaded) {
		return nil // it stays as it is
	}
	return err
}

// unreadable sends a page in a charset nobody knows as it is, behind the strict
// policy.
func (x *exchange) unreadable(p pageInfo, body []byte) error {
	delete(x.w.Header(), "Etag")
	s, err := x.newStream(p)
	if err != nil {
		return err
	}
	defer s.release()
	if _, err := s.Write(body); err != nil {
		return err
	}
	return s.end()
}
