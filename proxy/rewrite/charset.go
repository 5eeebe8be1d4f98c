package rewrite

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/transform"
)

// ErrCharset says that a page is in a charset that cannot be read, and so
// cannot be cleaned. Nothing of it has been passed on.
var ErrCharset = errors.New("rewrite: charset is not supported")

// maxPrescan is how far into a page browsers look for its charset.
const maxPrescan = 1024

// A charset is what is known of a page's encoding. Where '<' and all that
// markup is made of are the bytes they are in ASCII, the page is scanned as it
// is.
type charset struct {
	label  string // of the Content-Type header
	known  bool
	firm   bool   // nothing in the page can change it any more
	head   []byte // the page while it is not known
	name   string // as in the Encoding Standard, lower case; empty for any like ASCII
	trails bool   // the second byte of a character may look like a backslash

	in  *transform.Writer // turns the page into UTF-8
	out *transform.Writer // and back
}

func (c *charset) reset(label string) {
	*c = charset{label: label, head: c.head[:0]}
}

// decode takes in a part of the page as it comes.
func (w *Writer) decode(p []byte) {
	c := &w.charset
	if !c.known {
		n := min(len(p), maxPrescan-len(c.head))
		c.head = append(c.head, p[:n]...)
		if w.findCharset(false); !c.known || w.err != nil {
			return
		}
		if n < len(c.head) { // some of it came before
			w.scan(c.head)
			p = p[n:]
		}
		if len(p) == 0 || w.err != nil {
			return
		}
	}
	w.scan(p)
}

// decodeRest ends the input.
func (w *Writer) decodeRest() {
	c := &w.charset
	if !c.known {
		if w.findCharset(true); w.err == nil {
			w.scan(c.head)
		}
	}
	if c.in != nil && w.err == nil {
		w.fail(c.in.Close())
	}
}

func (w *Writer) scan(p []byte) {
	if w.charset.in == nil {
		w.feed(p)
		return
	}
	_, err := w.charset.in.Write(p)
	w.fail(err)
}

func (w *Writer) fail(err error) {
	if w.err == nil {
		w.err = err
	}
}

// feeder takes the decoded page.
type feeder struct{ w *Writer }

func (f feeder) Write(p []byte) (int, error) {
	f.w.feed(p)
	return len(p), f.w.err
}

// write passes on to the destination.
func (w *Writer) write(p []byte) {
	var dst io.Writer = w.dst
	if w.charset.out != nil {
		dst = w.charset.out
	}
	_, w.err = dst.Write(p)
}

func (w *Writer) flushEncoder() {
	if w.charset.out != nil {
		w.fail(w.charset.out.Close())
	}
}

// findCharset settles the charset once enough of the page has come.
// HTML Standard 13.2.3.2.
func (w *Writer) findCharset(final bool) {
	c := &w.charset
	name, more := bomCharset(c.head)
	switch {
	case name != "":
		w.setCharset(name, true)
	case more && !final:
	case c.label != "":
		e, err := htmlindex.Get(c.label)
		if err != nil {
			w.err = fmt.Errorf("%w: %q", ErrCharset, c.label)
			return
		}
		name, _ = htmlindex.Name(e)
		w.setCharset(name, true)
	default:
		if label, ok := prescan(c.head[:min(len(c.head), maxPrescan)]); ok {
			w.setCharset(label, false)
		} else if final || len(c.head) >= maxPrescan {
			w.setCharset("", false)
		}
	}
}

// bomCharset reads a byte order mark; more means that one may have begun.
func bomCharset(head []byte) (name string, more bool) {
	for _, m := range [...]struct{ mark, name string }{{"\xEF\xBB\xBF", "utf-8"}, {"\xFE\xFF", "utf-16be"}, {"\xFF\xFE", "utf-16le"}} {
		if bytes.HasPrefix(head, []byte(m.mark)) {
			return m.name, false
		}
		more = more || len(head) < len(m.mark) && string(head) == m.mark[:len(head)]
	}
	return "", more
}

func (w *Writer) setCharset(name string, firm bool) {
	c := &w.charset
	c.known, c.firm, c.name = true, firm, name
	switch name {
	case "shift_jis", "gbk", "gb18030", "big5":
		c.trails = true
	case "replacement":
		w.err = fmt.Errorf("%w: %q", ErrCharset, c.label)
	case "utf-16le", "utf-16be", "iso-2022-jp":
		e, err := htmlindex.Get(name)
		if err != nil {
			w.err = fmt.Errorf("%w: %w", ErrCharset, err)
			return
		}
		c.in = transform.NewWriter(feeder{w}, e.NewDecoder())
		c.out = transform.NewWriter(w.dst, encoding.HTMLEscapeUnsupported(e.NewEncoder()))
	}
}

// judgeCharset withholds a meta that would have a browser start over in a
// charset in which the page reads differently.
func (w *Writer) judgeCharset(label []byte) verdict {
	if w.charset.firm || w.sub.inside {
		return kept
	}
	if name := metaCharset(label); name != w.charset.name && (name == "iso-2022-jp" || name == "replacement") {
		w.rules.Beyond("charset", w.at+int64(w.tok))
		return removed
	}
	return kept
}

// metaCharset gives the encoding a meta element names.
func metaCharset(label []byte) string {
	e, err := htmlindex.Get(string(label))
	if err != nil {
		return ""
	}
	name, _ := htmlindex.Name(e)
	switch name {
	case "utf-16le", "utf-16be":
		return "utf-8" // it could not have been read otherwise
	case "x-user-defined":
		return "windows-1252"
	}
	return name
}

// appendOwn appends text of ours, which is UTF-8, so that the page's charset
// has it.
func (w *Writer) appendOwn(dst, text []byte) []byte {
	if w.charset.name == "utf-8" || w.charset.in != nil {
		return append(dst, text...)
	}
	for len(text) > 0 {
		if text[0] < utf8.RuneSelf {
			dst = append(dst, text[0])
			text = text[1:]
			continue
		}
		r, n := utf8.DecodeRune(text)
		dst = append(dst, "&#"...)
		dst = strconv.AppendInt(dst, int64(r), 10)
		dst = append(dst, ';')
		text = text[n:]
	}
	return dst
}
