package encode

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

var (
	// gzipHeader has no name, no time and no known system (RFC 1952).
	gzipHeader = []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff}
	gzipLast   = []byte{3, 0} // a final deflate block with nothing in it (RFC 1951 section 3.2.6)

	// brotliHeader announces a window of 256 KiB, and pads to a byte with an
	// empty block of metadata (RFC 7932 sections 9.1 and 9.2).
	brotliHeader = []byte{0x63, 0}
	brotliLast   = []byte{3} // a last meta-block with nothing in it
)

// enough is how many bytes are worth a write of their own.
const enough = 2 << 10

var errClosed = errors.New("write to a closed writer")

// A Writer compresses a stream. It is not safe for concurrent use. Close or
// Abort must be called, or a compressor is lost to the pool.
type Writer struct {
	pool   *Pool
	kind   kind
	dst    io.Writer
	engine *engine       // nil: parked
	out    *bytes.Buffer // compressed, not yet written to dst; nil: nothing
	begun  bool
	dirty  bool // the engine holds input
	crc    uint32
	size   uint32
	err    error // what broke it, or errClosed
}

// NewWriter makes a writer that sends what is written to it to w, in a coding
// and at a level of that coding's own scale: gzip 1 to 9, br 0 to 11, zstd 1 to
// 22. [Identity] passes everything on. An unknown coding is [ErrCoding].
//
// Write in large pieces: where compressors are scarce, each Write makes a block
// of its own.
func (p *Pool) NewWriter(coding string, w io.Writer, level int) (*Writer, error) {
	z := &Writer{pool: p, kind: kind{coding, level}, dst: w}
	if coding == Identity {
		return z, nil
	}
	if level < 0 {
		return nil, fmt.Errorf("make a %s compressor: there is no level %d", coding, level)
	}
	if err := z.lease(); err != nil {
		return nil, err
	}
	z.letGo()
	return z, nil
}

// Reset makes the writer as new, for another stream in the same coding and of
// the same level.
func (z *Writer) Reset(w io.Writer) {
	z.Abort()
	*z = Writer{pool: z.pool, kind: z.kind, dst: w}
}

// Write compresses p. It may keep some or all of it back.
func (z *Writer) Write(p []byte) (int, error) {
	if z.err != nil {
		return 0, z.err
	}
	if z.kind.coding == Identity {
		return z.dst.Write(p)
	}
	if len(p) == 0 {
		return 0, nil
	}
	if err := z.compress(p); err != nil {
		return 0, z.fail(err)
	}
	if z.parks() && z.pool.crowded() {
		return len(p), z.Park()
	}
	if z.out.Len() >= enough {
		return len(p), z.send()
	}
	return len(p), nil
}

// Flush writes out everything that was written: a reader can decode it from what
// has arrived. It does not flush the underlying writer.
func (z *Writer) Flush() error {
	if z.err != nil || z.kind.coding == Identity {
		return z.err
	}
	if err := z.sync(); err != nil {
		return z.fail(err)
	}
	return z.send()
}

// Park is Flush, and gives the compressor back until something is written
// again. It may be called at any time and as often as one likes; it makes the
// stream a little longer where it interrupts. Brotli above quality 1 and zstd
// keep their compressor.
func (z *Writer) Park() error {
	if z.err != nil || z.kind.coding == Identity {
		return z.err
	}
	if err := z.sync(); err != nil {
		return z.fail(err)
	}
	if z.parks() {
		z.letGo()
	}
	return z.send()
}

// Close ends the stream and gives the compressor back. It does not close the
// underlying writer.
func (z *Writer) Close() error {
	if z.err != nil || z.kind.coding == Identity {
		return z.closed()
	}
	if err := z.finish(); err != nil {
		return z.fail(err)
	}
	z.letGo()
	if err := z.send(); err != nil {
		return err
	}
	z.err = errClosed
	return nil
}

// Abort gives the compressor back and leaves the stream without an end, as
// something that was cut off must look.
func (z *Writer) Abort() {
	if z.err == nil {
		z.err = errClosed
	}
	z.letGo()
	z.drop()
}

func (z *Writer) closed() error {
	if z.err == nil || errors.Is(z.err, errClosed) {
		z.err = errClosed
		return nil
	}
	return z.err
}

// parks reports whether another compressor could go on with the stream.
func (z *Writer) parks() bool { return Parks(z.kind.coding, z.kind.level) }

func (z *Writer) compress(p []byte) error {
	if err := z.lease(); err != nil {
		return err
	}
	z.header()
	z.dirty = true
	if z.kind.coding == Gzip {
		z.crc = crc32.Update(z.crc, crc32.IEEETable, p)
		z.size += uint32(len(p)) // modulo 2^32 (RFC 1952 section 2.3.1)
	}
	_, err := z.engine.Write(p)
	return err
}

// sync moves what the engine holds to out.
func (z *Writer) sync() error {
	if !z.dirty {
		return nil
	}
	z.dirty = false
	return z.engine.Flush()
}

func (z *Writer) finish() error {
	if !z.parks() {
		if err := z.lease(); err != nil {
			return err
		}
		return z.engine.Close()
	}
	if err := z.sync(); err != nil {
		return err
	}
	z.needBuffer()
	z.header()
	z.trailer()
	return nil
}

func (z *Writer) header() {
	if z.begun {
		return
	}
	z.begun = true
	switch {
	case z.kind.coding == Gzip:
		z.out.Write(gzipHeader)
	case z.parks():
		z.out.Write(brotliHeader)
	}
}

func (z *Writer) trailer() {
	if z.kind.coding == Brotli {
		z.out.Write(brotliLast)
		return
	}
	z.out.Write(gzipLast)
	b := binary.LittleEndian.AppendUint32(z.out.AvailableBuffer(), z.crc)
	z.out.Write(binary.LittleEndian.AppendUint32(b, z.size))
}

func (z *Writer) lease() error {
	if z.engine != nil {
		return nil
	}
	z.needBuffer()
	e, err := z.pool.lease(z.kind, z.out)
	if err != nil {
		z.drop()
		return err
	}
	z.engine = e
	return nil
}

func (z *Writer) needBuffer() {
	if z.out == nil {
		z.out = z.pool.buffer()
	}
}

func (z *Writer) letGo() {
	if z.engine != nil {
		z.pool.release(z.kind, z.engine)
		z.engine = nil
	}
	if z.out != nil && z.out.Len() == 0 {
		z.drop()
	}
}

// send writes out to dst. The engine, where the writer still has it, goes on
// appending to the same buffer.
func (z *Writer) send() error {
	if z.out == nil {
		return nil
	}
	if z.out.Len() > 0 {
		_, err := z.dst.Write(z.out.Bytes())
		z.out.Reset()
		if err != nil {
			return z.fail(err)
		}
	}
	if z.engine == nil {
		z.drop()
	}
	return nil
}

func (z *Writer) drop() {
	if z.out != nil {
		z.pool.giveBack(z.out)
		z.out = nil
	}
}

func (z *Writer) fail(err error) error {
	z.err = err
	z.letGo()
	z.drop()
	return err
}
