package serve

import (
	"io"
	"regexp"
)

// discreet takes visitors' addresses out of what is logged: net/http names them
// whenever a handshake or a handler fails.
type discreet struct{ w io.Writer }

// peer is an IPv4 or IPv6 address with a port.
var peer = regexp.MustCompile(`(\d{1,3}(\.\d{1,3}){3}|\[[0-9a-fA-F:.]+(%\w+)?\]):\d+`)

func (d discreet) Write(p []byte) (int, error) {
	if _, err := d.w.Write(peer.ReplaceAll(p, []byte("a visitor"))); err != nil {
		return 0, err
	}
	return len(p), nil
}
