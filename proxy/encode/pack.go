package encode

import (
	"bytes"
	"fmt"

	"github.com/andybalholm/brotli"
)

// Pack compresses a file that never changes as small as brotli can. It takes a
// hundred times as long as [Fast]: do it once.
//
// It is not brrr, whose workers at this level outlive the writer they belong to.
func Pack(body []byte) ([]byte, error) {
	var out bytes.Buffer
	w := brotli.NewWriterLevel(&out, brotli.BestCompression)
	if _, err := w.Write(body); err != nil {
		return nil, fmt.Errorf("pack with brotli: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("pack with brotli: %w", err)
	}
	return out.Bytes(), nil
}
