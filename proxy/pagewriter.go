package proxy

import (
	"errors"
	"io"
	"net/http"

	"github.com/numfocus/consentgate/proxy/encode"
	"github.com/numfocus/consentgate/proxy/rewrite"
)

// A pageWriter is the way of an edited page to the visitor: what is written to
// it goes through the rewriter, the compressor and a buffer that commits the
// header late.
type pageWriter struct {
	x        *exchange
	rewriter *rewrite.Writer
	encoder  *encode.Writer
	out      *lateWriter

	early []byte // of the page, until the rewriter has accepted its charset
	raw   bool   // it has not: the page is sent as it is, fenced
}

var _ http.ResponseWriter = (*pageWriter)(nil)

// send carries a whole page from its origin.
func (w *pageWriter) send(res *http.Response, decoded io.Reader) error {
	defer w.encoder.Abort()
	plain := *res
	plain.Body, plain.ContentLength = io.NopCloser(decoded), -1
	if err := w.x.copy(w, &plain); err != nil {
		return err
	}
	if err := w.end(); err != nil {
		return err
	}
	return w.out.end()
}

func (w *pageWriter) end() error {
	if !w.raw {
		if err := w.rewriter.Close(); errors.Is(err, rewrite.ErrCharset) {
			if err := w.giveUp(); err != nil {
				return err
			}
		} else if err != nil {
			return err
		}
	}
	return w.encoder.Close()
}

// earlyBytes is more than the rewriter looks at for a charset.
const earlyBytes = 4 << 10

func (w *pageWriter) Write(p []byte) (int, error) {
	if w.raw {
		return w.encoder.Write(p)
	}
	if len(w.early) < earlyBytes {
		w.early = append(w.early, p...)
	}
	if _, err := w.rewriter.Write(p); errors.Is(err, rewrite.ErrCharset) {
		if err := w.giveUp(); err != nil {
			return 0, err
		}
	} else if err != nil {
		return 0, err
	}
	return len(p), nil
}

// giveUp sends a page that cannot be understood as it is, with a policy that
// keeps the browser from loading or running what it asks for. Nothing of it has
// been sent yet: the rewriter holds everything until it knows the charset.
func (w *pageWriter) giveUp() error {
	w.raw = true
	w.x.tally.beyond++
	w.x.fence(true)
	_, err := w.encoder.Write(w.early)
	return err
}

// FlushError is called when the origin is silent for a moment: what has come
// goes to the visitor, and the compressor is free for others.
func (w *pageWriter) FlushError() error {
	if err := w.encoder.Park(); err != nil {
		return err
	}
	return w.out.flush()
}

func (w *pageWriter) Header() http.Header { return w.x.w.Header() }

// WriteHeader does nothing: the buffer commits the header.
func (w *pageWriter) WriteHeader(int) {}
