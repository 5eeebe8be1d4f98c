package proxy

import (
	"bytes"
	"fmt"

	"github.com/numfocus/consentgate/proxy/banner"
	"github.com/numfocus/consentgate/proxy/encode"
)

// guarded is what the guard in the visitor's browser has to know of the site
// that is visited under a host.
func (s *site) guarded(host string) banner.Fence {
	return banner.Fence{
		FirstParty:    append(s.firstParty.patterns(host), host),
		Strangers:     s.unknown == UnknownAllow,
		NoPictures:    s.unknown == UnknownBlockAll,
		StrictCookies: s.strictCookies,
	}
}

// smallest is the level of brotli for what is packed once and sent for ever.
const smallest = 11

func brotli(body []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := new(encode.Pool).NewWriter(encode.Brotli, &out, smallest)
	if err != nil {
		return nil, fmt.Errorf("pack with brotli: %w", err)
	}
	defer w.Abort()
	if _, err := w.Write(body); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
