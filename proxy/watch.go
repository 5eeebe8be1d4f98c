package proxy

import (
	"io"
	"net/http"
	"strings"

	"github.com/numfocus/consentgate/proxy/rewrite"
)

// watch sends a document on as it came and lets the rewriter look at a copy, so
// that a site that only observes counts what would be withheld.
func (x *exchange) watch(res *http.Response) {
	x.fence(false)
	if !hasBody(x.r, res) {
		x.pass(res)
		return
	}
	look, show := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		x.look(res, look)
	}()
	defer func() {
		show.Close()
		<-done // the counts are complete before they are logged
	}()
	res.Body = readCloser{io.TeeReader(res.Body, show), res.Body}
	x.pass(res)
}

// look counts. A page that cannot be understood is read all the same: whoever
// shows it waits for that.
func (x *exchange) look(res *http.Response, raw io.Reader) {
	defer io.Copy(io.Discard, raw)
	decoded, err := x.gateway.codings.NewReader(strings.Join(res.Header["Content-Encoding"], ","), raw)
	if err != nil {
		x.tally.beyond++
		return
	}
	defer decoded.Close()
	w := rewrite.NewWriter(io.Discard, x.rules(), x.options(res))
	if _, err := io.Copy(w, decoded); err != nil {
		x.tally.beyond++
		return
	}
	_ = w.Close() // nothing is written anywhere
}
