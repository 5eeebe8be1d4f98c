package proxy

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strings"

	"github.com/numfocus/consentgate/assets"
	"github.com/numfocus/consentgate/proxy/headers"
)

// runsAlone reports whether a browser gives a response that is no HTML document
// an environment of its own, with its own policy: the script of a worker, and a
// document in XML, such as a picture in SVG that is opened or framed. Workers are
// recognised where browsers send Fetch Metadata, which is over HTTPS alone.
func runsAlone(r *http.Request, h http.Header) bool {
	switch r.Header.Get("Sec-Fetch-Dest") {
	case "worker", "sharedworker", "serviceworker":
		return true
	}
	return isServiceWorker(r) || isXML(h) && asksForPage(r)
}

// isServiceWorker reads the field that browsers set on nothing else
// (Service Workers, section "Update").
func isServiceWorker(r *http.Request) bool { return r.Header.Get("Service-Worker") == "script" }

func isXML(h http.Header) bool {
	mediaType, _, _ := strings.Cut(strings.ToLower(h.Get("Content-Type")), ";")
	mediaType = strings.TrimSpace(mediaType)
	return mediaType == "text/xml" || mediaType == "application/xml" || strings.HasSuffix(mediaType, "+xml")
}

// passCode sends on what runs by itself, with the policy of the decision. It must
// be asked for each time: a copy that was kept would run under an older decision.
func (x *exchange) passCode(res *http.Response) {
	if x.site.observe {
		x.pass(res)
		return
	}
	h := x.w.Header()
	h["Cache-Control"] = []string{"no-store"}
	x.fenceUnedited()
	if isServiceWorker(x.r) && res.StatusCode == http.StatusOK && hasBody(x.r, res) {
		x.startWorker(h, res)
		defer res.Body.Close() // the reader that decodes
	}
	x.pass(res)
}

// startWorker puts our own beginning before the script of a service worker; the
// policy is part of it, because a browser takes a worker of the same bytes for
// the same worker and keeps the policy it had.
func (x *exchange) startWorker(h http.Header, res *http.Response) {
	decoded, err := x.gateway.codings.NewReader(strings.Join(res.Header["Content-Encoding"], ","), res.Body)
	if err != nil { // a coding nobody knows; the origin was asked for none
		x.tally.beyond++
		return
	}
	headers.DropStale(h)
	delete(h, "Content-Encoding")
	policy := strings.Join(h["Content-Security-Policy"], ", ")
	start := fmt.Sprintf("/* %s */%s\n", strings.ReplaceAll(policy, "*/", "* /"), x.site.workerStart)
	res.Body = readCloser{io.MultiReader(strings.NewReader(start), decoded), decoded}
	res.ContentLength = -1
}

// workerStart is our beginning of service workers, without its comments.
func workerStart() ([]byte, error) {
	text, err := fs.ReadFile(assets.Files, "worker.js")
	if err != nil {
		return nil, fmt.Errorf("read scripts: %w", err)
	}
	_, code, _ := bytes.Cut(text, []byte("*/\n"))
	return bytes.TrimSpace(code), nil
}
