package proxy

import (
	"bytes"
	"io"
	"net/http"
	"strings"

	"github.com/numfocus/consentgate/proxy/rewrite"
	"github.com/numfocus/consentgate/proxy/upstream"
)

// pageInfo is what is known of a page before its first byte.
type pageInfo struct {
	status  int
	coding  string // to the visitor
	options rewrite.Options
}

// edit sends a document on through the rewriter.
func (x *exchange) edit(res *http.Response) {
	decoded, err := x.gateway.codings.NewReader(strings.Join(res.Header["Content-Encoding"], ","), res.Body)
	if err != nil { // a coding nobody knows
		x.fence(true)
		x.tally.beyond++
		x.pass(res)
		return
	}
	defer decoded.Close()

	coding := x.pageHeaders(x.w.Header())
	if !hasBody(x.r, res) {
		x.w.WriteHeader(res.StatusCode)
		return
	}
	w := &pageWriter{x: x, page: pageInfo{res.StatusCode, coding, x.options(res)}, held: x.gateway.reuse.buffer()}
	defer w.release()
	plain := *res
	plain.Body, plain.ContentLength = io.NopCloser(decoded), -1
	err = x.copy(w, &plain)
	if err == nil {
		err = w.end()
	}
	x.finish(err)
}

// options says what kind of page the visitor's browser takes the response for.
func (x *exchange) options(res *http.Response) rewrite.Options {
	o := rewrite.Options{Charset: upstream.Charset(res.Header)}
	switch dest := x.r.Header.Get("Sec-Fetch-Dest"); {
	case isDocument(dest):
		o.Mode = rewrite.Document
	case dest != "" || strings.EqualFold(x.r.Header.Get("X-Requested-With"), "XMLHttpRequest"):
		o.Mode = rewrite.Fragment
	}
	return o
}

// rules are this exchange's answers to the rewriter.
func (x *exchange) rules() *page {
	return &page{
		judge:  x.judge,
		accept: strings.Join(x.r.Header["Accept-Language"], ","),
		tally:  &x.tally,
		seen:   &x.seen,
		base:   x.base(),
		nonce:  x.nonce,
	}
}

// A pageWriter takes in a page as it arrives. One that is whole within a small
// buffer and without a pause is edited at once, or was before: see remembered.
// Any other is edited while it streams.
type pageWriter struct {
	x      *exchange
	page   pageInfo
	held   *bytes.Buffer // nil: released
	stream *stream       // nil: the page may still be whole
	broken error         // by a flush, which has nobody to tell
}

var _ http.ResponseWriter = (*pageWriter)(nil)

// wholeMax is how long a page may be to wait for its end.
const wholeMax = 256 << 10

func (w *pageWriter) Write(p []byte) (int, error) {
	if w.broken != nil {
		return 0, w.broken
	}
	if w.stream == nil && w.held.Len()+len(p) <= wholeMax {
		return w.held.Write(p)
	}
	if err := w.begin(); err != nil {
		return 0, err
	}
	return w.stream.Write(p)
}

// begin turns to streaming.
func (w *pageWriter) begin() error {
	if w.stream != nil {
		return nil
	}
	var err error
	if w.stream, err = w.x.newStream(w.page); err != nil {
		return err
	}
	_, err = w.stream.Write(w.held.Bytes())
	w.giveBack()
	return err
}

// FlushError is called when the origin is silent for a moment, by a timer.
func (w *pageWriter) FlushError() (err error) {
	defer func() { w.broken = err }()
	defer caught("page", &err)
	if w.broken != nil {
		return w.broken
	}
	if w.stream == nil && w.held.Len() == 0 {
		return nil // nothing has come yet
	}
	if err := w.begin(); err != nil {
		return err
	}
	return w.stream.flush()
}

func (w *pageWriter) end() error {
	if w.broken != nil {
		return w.broken
	}
	if w.stream != nil {
		return w.stream.end()
	}
	return w.x.whole(w.page, w.held.Bytes())
}

// release gives back what a page holds, whole or cut off.
func (w *pageWriter) release() {
	w.giveBack()
	if w.stream != nil {
		w.stream.release()
	}
}

func (w *pageWriter) giveBack() {
	if w.held != nil {
		w.x.gateway.reuse.giveBack(w.held)
		w.held = nil
	}
}

func (w *pageWriter) Header() http.Header { return w.x.w.Header() }

// WriteHeader does nothing: the header is sent when more is known.
func (w *pageWriter) WriteHeader(int) {}
