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

	early []byte // of the page, until the rewriter has accepted its charset
	raw   bool   // it has not: the page is sent as it is, fenced
}

func (x *exchange) newStream(p pageInfo) (*stream, error) {
	out := &lateWriter{w: x.w, status: p.status}
	encoder, err := x.gateway.codings.NewWriter(p.coding, out, encode.Fast(p.coding))
	if err != nil {
		return nil, err
	}
	return &stream{x: x, out: out, encoder: encoder, rewriter: rewrite.NewWriter(encoder, x.rules(), p.options)}, nil
}

// earlyBytes is more than the rewriter looks at for a charset.
const earlyBytes = 4 << 10

func (s *stream) Write(p []byte) (int, error) {
	if s.raw {
		return s.encoder.Write(p)
	}
	if len(s.early) < earlyBytes {
		s.early = append(s.early, p...)
	}
	_, err := s.rewriter.Write(p)
	return len(p), s.understood(err)
}

// end completes the page.
func (s *stream) end() error {
	if !s.raw {
		if err := s.understood(s.rewriter.Close()); err != nil {
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
// or running what it asks for. Nothing of it has been sent yet: the rewriter holds
// everything until it knows the charset.
func (s *stream) understood(err error) error {
	if !errors.Is(err, rewrite.ErrCharset) {
		return err
	}
	s.raw = true
	s.x.tally.beyond++
	s.x.fence(true)
	_, err = s.encoder.Write(s.early)
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
