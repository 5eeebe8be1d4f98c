package rewrite

import (
	"bytes"
	"errors"
	"io"
)

// A Mode says whether the input is a whole document.
type Mode uint8

const (
	// Detect takes the input for a document if the first thing in it that is
	// neither white space nor a comment is a doctype or one of the start tags
	// html, head, body, title, meta, link, base, style, script and frameset.
	Detect Mode = iota
	Document
	Fragment // withheld from like a document, but nothing is inserted
)

// Options of one page. The zero value is good for any page.
type Options struct {
	Charset  string // the charset parameter of the Content-Type header, or empty
	MaxToken int    // bytes of one tag, inline script or style held at most, data: URLs not counted; 0 means 1 MiB
	Mode     Mode
}

const defaultMaxToken = 1 << 20

// dataFactor bounds what data: URLs may add to a token: so many times MaxToken.
const dataFactor = 16

// ErrClosed is what Write returns after Close.
var ErrClosed = errors.New("rewrite: write after close")

// A Writer rewrites the HTML written to it and passes it on as soon as nothing
// that may still come can change it. It is not for concurrent use.
type Writer struct {
	dst   io.Writer
	rules Rules
	opt   Options
	err   error

	charset charset
	scanner
}

// NewWriter gives a Writer that passes on to dst.
func NewWriter(dst io.Writer, rules Rules, o Options) *Writer {
	w := new(Writer)
	w.el.Attr = w.placeholderAttr
	w.Reset(dst, rules, o)
	return w
}

// Reset makes w as good as new for another page and keeps its buffers.
func (w *Writer) Reset(dst io.Writer, rules Rules, o Options) {
	if o.MaxToken <= 0 {
		o.MaxToken = defaultMaxToken
	}
	w.dst, w.rules, w.opt, w.err = dst, rules, o, nil
	w.scanner.reset(o.Mode)
	w.charset.reset(o.Charset)
}

// Write takes in a part of the page. An error is dst's own, or wraps
// [ErrCharset]; after one nothing more is passed on.
func (w *Writer) Write(p []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	w.decode(p)
	if w.err != nil {
		return 0, w.err
	}
	return len(p), nil
}

// Close passes on what is held and puts the inserts that have found no place
// yet. It does not close dst.
func (w *Writer) Close() error {
	if w.err == nil {
		w.decodeRest()
	}
	if w.err == nil {
		w.finish()
	}
	if w.err == nil {
		w.flushEncoder()
	}
	err := w.err
	if err == nil {
		w.err = ErrClosed
	}
	return err
}

// feed scans p behind what is carried over from before. A carried token is
// completed piece by piece, so that no byte is copied or scanned twice.
func (w *Writer) feed(p []byte) {
	for len(w.carry) > 0 && len(p) > 0 {
		n := bytes.IndexByte(p, '>') + 1
		if n == 0 {
			n = len(p)
		}
		w.carry = append(w.carry, p[:n]...)
		p = p[n:]
		w.run(w.carry)
		if rest := w.settle(); rest > 0 {
			w.carry = w.carry[:copy(w.carry, w.carry[rest:])]
		}
	}
	if len(p) > 0 {
		w.run(p)
		w.carry = append(w.carry[:0], p[w.settle():]...)
	}
	w.b = nil
}

// settle passes on what is decided in the window and moves the scanner's marks
// to a window that starts behind it.
func (w *Writer) settle() int {
	w.limit()
	keep := w.pos
	if w.mode == inTag {
		keep = w.tok
	}
	if w.hold >= 0 {
		keep = w.hold
		w.hold = 0
	}
	w.passTo(keep)
	w.at += int64(keep)
	w.pos -= keep
	w.tok -= keep
	w.done = 0
	return keep
}

// limit withholds a token that has grown too long to be held.
func (w *Writer) limit() {
	if w.late {
		w.skipLate()
		return
	}
	start, data := w.hold, 0
	if start < 0 {
		if w.mode != inTag {
			return
		}
		start = w.tok
	}
	if w.mode == inTag {
		data = w.t.dataBytes(w.b[w.tok:])
	}
	held := w.pos - start
	if held-data > w.opt.MaxToken || held > dataFactor*w.opt.MaxToken {
		w.overflow()
	}
}

// passTo passes on the window up to i.
func (w *Writer) passTo(i int) {
	if i > w.done {
		w.emit(w.b[w.done:i])
		w.done = i
	}
}

// cut withholds the window from i to j.
func (w *Writer) cut(i, j int) {
	w.passTo(i)
	w.done = j
}

// put passes on something of our own, which is UTF-8, before place i of the window.
func (w *Writer) put(i int, text []byte) {
	w.passTo(i)
	w.own = w.appendOwn(w.own[:0], text)
	w.emit(w.own)
}

// emit is the only way out.
func (w *Writer) emit(p []byte) {
	switch {
	case len(p) == 0 || w.err != nil || w.drop.depth > 0:
	case w.aside.open:
		w.wait(p)
	default:
		w.write(p)
	}
}
