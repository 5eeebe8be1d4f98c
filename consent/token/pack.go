package token

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
)

// unpackedMax bounds what a value may become. It is signed, so this guards
// against a mistake of ours, not against a visitor.
const unpackedMax = 64 << 10

// The first byte says how the rest is kept.
const (
	asIs     = 'j'
	deflated = 'z'
)

func pack(plain []byte) ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte(deflated)
	z, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(plain); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	if b.Len() <= len(plain) {
		return b.Bytes(), nil
	}
	return append([]byte{asIs}, plain...), nil
}

func unpack(data []byte) ([]byte, error) {
	if len(data) == 0 {
		return nil, errors.New("empty token")
	}
	switch kept, rest := data[0], data[1:]; kept {
	case asIs:
		return rest, nil
	case deflated:
		z := flate.NewReader(bytes.NewReader(rest))
		plain, err := io.ReadAll(io.LimitReader(z, unpackedMax))
		if err != nil {
			return nil, fmt.Errorf("inflate token: %w", err)
		}
		return plain, z.Close()
	default:
		return nil, fmt.Errorf("token of unknown form %q", kept)
	}
}
