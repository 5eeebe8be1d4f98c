package encode

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
	brrr "github.com/molecule-man/go-brrr"
)

const (
	maxWindow = 8 << 20  // bytes a zstd frame may ask for (RFC 9659)
	readAhead = 16 << 10 // bytes of compressed input
)

// A decoder is a decompressor with its input, to be used again and again.
type decoder struct {
	input  *bufio.Reader
	open   func() error // starts with what input has
	read   func([]byte) (int, error)
	forget func() // lets go of what was read
}

// decoders holds idle ones, by coding.
type decoders struct{ gzip, deflate, brotli, zstd sync.Pool }

func (d *decoders) of(coding string) *sync.Pool {
	switch coding {
	case Gzip:
		return &d.gzip
	case deflate:
		return &d.deflate
	case Brotli:
		return &d.brotli
	}
	return &d.zstd
}

func (p *Pool) decoder(coding string) (*decoder, error) {
	if d, ok := p.decoders.of(coding).Get().(*decoder); ok {
		return d, nil
	}
	d := &decoder{input: bufio.NewReaderSize(nil, readAhead), forget: func() {}}
	switch coding {
	case Gzip:
		d.initGzip()
	case deflate:
		d.initDeflate()
	case Brotli:
		d.initBrotli()
	default:
		return d, d.initZstd()
	}
	return d, nil
}

func (p *Pool) putDecoder(coding string, d *decoder) {
	d.input.Reset(nil)
	d.forget()
	p.decoders.of(coding).Put(d)
}

// initGzip reads all members. What follows a member and does not begin like
// another one is no error: some servers pad.
func (d *decoder) initGzip() {
	z := new(gzip.Reader)
	d.open = func() error {
		if err := z.Reset(d.input); err != nil {
			return err
		}
		z.Multistream(false)
		return nil
	}
	d.read = func(p []byte) (int, error) {
		n, err := z.Read(p)
		if err != io.EOF {
			return n, err
		}
		magic, err := d.input.Peek(2)
		if err != nil || magic[0] != 0x1f || magic[1] != 0x8b {
			return n, eofOr(err)
		}
		return n, d.open()
	}
}

func eofOr(err error) error {
	if err == nil {
		return io.EOF
	}
	return err
}

// initDeflate reads what the standard means by deflate (RFC 1950) and what some
// servers send instead (RFC 1951); browsers read both.
func (d *decoder) initDeflate() {
	raw := flate.NewReader(d.input)
	var framed io.ReadCloser
	d.open = func() error {
		if !zlibFramed(d.input) {
			d.read = raw.Read
			return raw.(flate.Resetter).Reset(d.input, nil)
		}
		var err error
		if framed == nil {
			framed, err = zlib.NewReader(d.input)
		} else {
			err = framed.(zlib.Resetter).Reset(d.input, nil)
		}
		if err != nil {
			return err
		}
		d.read = framed.Read
		return nil
	}
}

// zlibFramed tells zlib's header (RFC 1950 section 2.2) from a raw block.
func zlibFramed(input *bufio.Reader) bool {
	b, _ := input.Peek(2)
	return len(b) == 2 && b[0]&0x0f == 8 && (int(b[0])<<8|int(b[1]))%31 == 0
}

func (d *decoder) initBrotli() {
	z := brrr.NewReader(nil)
	d.open = func() error { z.Reset(d.input); return nil }
	d.forget = func() { z.Reset(nil) }
	d.read = func(p []byte) (int, error) {
		n, err := z.Read(p)
		switch {
		case errors.Is(err, brrr.ErrExcessiveInput):
			return n, io.EOF
		case err != nil && err != io.EOF && d.exhausted():
			return n, fmt.Errorf("%w: %w", io.ErrUnexpectedEOF, err)
		}
		return n, err
	}
}

// exhausted reports whether the input has ended.
func (d *decoder) exhausted() bool {
	_, err := d.input.Peek(1)
	return err == io.EOF
}

func (d *decoder) initZstd() error {
	z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return fmt.Errorf("make a zstd decoder: %w", err)
	}
	d.open = func() error { return z.Reset(d.input) }
	d.forget = func() { _ = z.Reset(nil) } // says that nil is no input, which it is not
	d.read = z.Read
	return nil
}
