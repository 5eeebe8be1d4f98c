package proxy

import (
	"bytes"
	"io"
	"sync"

	"github.com/numfocus/consentgate/proxy/rewrite"
)

// reuse keeps what editing a page takes for the next one. The zero value is
// ready, and safe for concurrent use.
type reuse struct {
	buffers   sync.Pool // of *bytes.Buffer
	rewriters sync.Pool // of *rewrite.Writer
}

// buffer gives an empty one.
func (r *reuse) buffer() *bytes.Buffer {
	if b, ok := r.buffers.Get().(*bytes.Buffer); ok {
		return b
	}
	return new(bytes.Buffer)
}

// maxKept bounds a buffer that is kept, in bytes.
const maxKept = 2 * wholeMax

func (r *reuse) giveBack(b *bytes.Buffer) {
	if b.Cap() <= maxKept {
		b.Reset()
		r.buffers.Put(b)
	}
}

func (r *reuse) rewriter(dst io.Writer, rules rewrite.Rules, o rewrite.Options) *rewrite.Writer {
	if w, ok := r.rewriters.Get().(*rewrite.Writer); ok {
		w.Reset(dst, rules, o)
		return w
	}
	return rewrite.NewWriter(dst, rules, o)
}

// done takes a rewriter back, without what it knows of its page.
func (r *reuse) done(w *rewrite.Writer) {
	w.Reset(nil, nil, rewrite.Options{})
	r.rewriters.Put(w)
}
