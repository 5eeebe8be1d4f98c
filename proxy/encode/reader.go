package encode

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxStacked is how many codings may be applied one on another.
const maxStacked = 3

var errClosedReader = errors.New("read from a closed reader")

// NewReader decodes r by the value of a Content-Encoding field, several lines
// joined with commas: gzip, x-gzip, deflate (with or without zlib's frame), br,
// zstd, identity, and up to three of them stacked. Anything else is [ErrCoding].
//
// Nothing is read from r before the first Read. A body of no bytes decodes to
// no bytes; one that is cut off gives [io.ErrUnexpectedEOF]. Bytes after the end
// of the stream are ignored, as browsers do, except that further gzip members and
// zstd frames are read. How much comes out is not limited here: that is for the
// caller to do. Close gives the decompressors back to the pool; it does not close
// r.
func (p *Pool) NewReader(contentEncoding string, r io.Reader) (io.ReadCloser, error) {
	codings, err := parseCodings(contentEncoding)
	if err != nil {
		return nil, err
	}
	s := &stack{top: r}
	for _, coding := range codings {
		l := &layer{pool: p, coding: coding, src: s.top}
		s.layers = append(s.layers, l)
		s.top = l
	}
	return s, nil
}

// parseCodings gives the codings in the order in which they must be undone: the
// last one applied first.
func parseCodings(contentEncoding string) ([]string, error) {
	var codings []string
	for member := range strings.SplitSeq(contentEncoding, ",") {
		switch coding := canonical(member); coding {
		case Identity, "identity":
		case Gzip, deflate, Brotli, Zstd:
			codings = append([]string{coding}, codings...)
		default:
			return nil, fmt.Errorf("%w %q", ErrCoding, coding)
		}
	}
	if len(codings) > maxStacked {
		return nil, fmt.Errorf("%w: %d of them stacked", ErrCoding, len(codings))
	}
	return codings, nil
}

// A stack undoes several codings.
type stack struct {
	top    io.Reader
	layers []*layer
}

func (s *stack) Read(p []byte) (int, error) {
	if s.top == nil {
		return 0, errClosedReader
	}
	return s.top.Read(p)
}

func (s *stack) Close() error {
	for _, l := range s.layers {
		l.release()
	}
	s.top, s.layers = nil, nil
	return nil
}

// A layer undoes one coding.
type layer struct {
	pool   *Pool
	coding string
	src    io.Reader
	dec    *decoder
	err    error
}

func (l *layer) Read(p []byte) (int, error) {
	if l.err == nil && l.dec == nil {
		l.err = l.explain(l.start())
	}
	if l.err != nil {
		return 0, l.err
	}
	n, err := l.dec.read(p)
	l.err = l.explain(err)
	return n, l.err
}

func (l *layer) start() error {
	var err error
	if l.dec, err = l.pool.decoder(l.coding); err != nil {
		return err
	}
	l.dec.input.Reset(l.src)
	if _, err := l.dec.input.Peek(1); err != nil {
		return err // io.EOF: no bytes in, no bytes out
	}
	if err := l.dec.open(); err != nil {
		if errors.Is(err, io.EOF) {
			return io.ErrUnexpectedEOF
		}
		return err
	}
	return nil
}

func (l *layer) explain(err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return fmt.Errorf("decode %s: %w", l.coding, err)
}

func (l *layer) release() {
	if l.dec != nil {
		l.pool.putDecoder(l.coding, l.dec)
		l.dec = nil
	}
	l.err = errClosedReader
}
