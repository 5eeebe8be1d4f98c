package encode

import (
	"bytes"
	"fmt"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zstd"
	brrr "github.com/molecule-man/go-brrr"
)

const (
	// brotliBlock is the base-2 logarithm of what brotli takes as one block at
	// the qualities 0 and 1.
	brotliBlock  = 17
	brotliWindow = 18      // likewise, of the window above them
	zstdWindow   = 1 << 17 // bytes
)

// An engine is a compressor with its state, appending to out.
type engine struct {
	encoder
	begin func() // makes it forget the stream before
	out   *bytes.Buffer
}

type encoder interface {
	Write([]byte) (int, error)
	Flush() error // everything written so far can be decoded from what is out
	Close() error
}

// A sink leads an encoder's output to the writer that holds the lease.
type sink struct{ e *engine }

func (s sink) Write(p []byte) (int, error) { return s.e.out.Write(p) }

func newEngine(k kind) (*engine, error) {
	e := new(engine)
	var err error
	switch {
	case k.coding == Gzip:
		err = e.initDeflate(k.level)
	case k.coding == Brotli && k.level <= 1:
		err = e.initBrotliBlocks(k.level)
	case k.coding == Brotli:
		err = e.initBrotli(k.level)
	case k.coding == Zstd:
		err = e.initZstd(k.level)
	default:
		err = fmt.Errorf("%w %q", ErrCoding, k.coding)
	}
	if err != nil {
		return nil, fmt.Errorf("make a %s compressor of level %d: %w", k.coding, k.level, err)
	}
	return e, nil
}

func (e *engine) initDeflate(level int) error {
	w, err := flate.NewWriter(sink{e}, level)
	e.encoder, e.begin = w, func() { w.Reset(sink{e}) }
	return err
}

func (e *engine) initZstd(level int) error {
	w, err := zstd.NewWriter(sink{e}, zstd.WithEncoderLevel(zstd.EncoderLevelFromZstd(level)),
		zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(zstdWindow), zstd.WithZeroFrames(true), zstd.WithLowerEncoderMem(true))
	e.encoder, e.begin = w, func() { w.Reset(sink{e}) }
	return err
}

func (e *engine) initBrotli(level int) error {
	w, err := brrr.NewWriterOptions(sink{e}, level, brrr.WriterOptions{LGWin: brotliWindow})
	e.encoder, e.begin = w, func() { w.Reset(sink{e}) }
	return err
}

// initBrotliBlocks makes an engine that writes meta-blocks alone (RFC 7932
// section 9.2). The stream's header comes out with the first block, so a block
// of one byte is written and thrown away: what follows starts on a byte, and
// belongs after brotliHeader or after any other such meta-block.
func (e *engine) initBrotliBlocks(level int) error {
	w, err := brrr.NewWriterOptions(sink{e}, level, brrr.WriterOptions{LGWin: brotliBlock})
	e.encoder = w
	e.begin = func() {
		w.Reset(sink{e})
		before := e.out.Len()
		_, _ = w.Write([]byte{0}) // neither can fail: a buffer takes everything
		_ = w.Flush()
		e.out.Truncate(before)
	}
	return err
}
