package proxy

import (
	"errors"

	"github.com/numfocus/consentgate/proxy/encode"
	"github.com/numfocus/consentgate/proxy/rewrite"
)

// A stream is the way of a page that is edited while it arrives: the rewriter,
// the compressor, and a buffer that sends the header late.
type stream struct {
	x        *exchange
	rewriter *rewrite.Writer
	encoder  *encode.Writer
	out      *lateWriter

	early []byte // of the page, as long as the rewriter may not know its charset
	late  bool   // it knows it
	raw   bool   // nobody does: the page is sent as it is, fenced
	bytes int64
}

// newStream waits for a turn; release gives it back.
func (x *exchange) newStream(p pageInfo) (*stream, error) {
	limits := &x.gateway.limits
	if err := limits.take(x.r.Context(), limits.streams); err != nil {
		return nil, err
	}
	coding, level := x.streamCoding(p.coding)
	out := &lateWriter{w: x.w, status: p.status, reuse: &x.gateway.reuse}
	encoder, err := x.gateway.codings.NewWriter(coding, out, level)
	if err != nil {
		<-limits.streams
		return nil, err
	}
	return &stream{x: x, out: out, encoder: encoder, rewriter: x.gateway.reuse.rewriter(encoder, x.rules(), p.options)}, nil
}

// streamCoding is a coding that holds no compressor while the origin is silent:
// the one that was chosen, if possible, else the best of the others.
func (x *exchange) streamCoding(chosen string) (coding string, level int) {
	if level = x.gateway.level(chosen); encode.Parks(chosen, level) {
		return chosen, level
	}
	coding, _ = encode.Negotiate(x.r.Header["Accept-Encoding"], encode.Brotli, encode.Gzip)
	setCoding(x.w.Header(), coding)
	return coding, encode.Fast(coding)
}

// release gives back what a stream holds, at its end or where it was cut off.
func (s *stream) release() {
	s.encoder.Abort()
	s.out.release()
	s.x.gateway.reuse.done(s.rewriter)
	<-s.x.gateway.limits.streams
	s.x.gateway.parts.Meter.Edited(s.bytes, 0)
}

// earlyBytes is more than the rewriter looks at for a charset.
const earlyBytes = 4 << 10

func (s *stream) Write(p []byte) (int, error) {
	s.bytes += int64(len(p))
	if s.raw {
		return s.encoder.Write(p)
	}
	_, err := s.rewriter.Write(p)
	if err := s.understood(err, p); err != nil {
		return 0, err
	}
	s.remember(p)
	return len(p), nil
}

// remember keeps the beginning of the page, until there is enough of it.
func (s *stream) remember(p []byte) {
	if s.late = s.late || len(s.early)+len(p) >= earlyBytes; s.late {
		s.early = nil
		return
	}
	s.early = append(s.early, p...)
}

// end completes the page.
func (s *stream) end() error {
	if !s.raw {
		if err := s.understood(s.rewriter.Close(), nil); err != nil {
			return err
		}
	}
	if err := s.encoder.Close(); err != nil {
		return err
	}
	return s.out.end()
}

// understood takes a page whose charset nobody knows out of the rewriter's
// hands: it is sent as it is, with a policy that keeps the browser from loading
// or running what it asks for. Nothing of it has been sent yet, neither what came
// early nor p: the rewriter holds everything until it knows the charset.
func (s *stream) understood(err error, p []byte) error {
	if !errors.Is(err, rewrite.ErrCharset) {
		return err
	}
	s.raw = true
	s.x.tally.beyond++
	s.x.fence(true)
	if _, err := s.encoder.Write(s.early); err != nil {
		return err
	}
	_, err = s.encoder.Write(p)
	return err
}

// flush is called when the origin is silent for a moment: what has come goes to
// the visitor, and the compressor is free for others.
func (s *stream) flush() error {
	if err := s.encoder.Park(); err != nil {
		return err
	}
	return s.out.flush()
}
