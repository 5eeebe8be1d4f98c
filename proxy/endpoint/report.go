package endpoint

import (
	"io"
	"mime"
	"net/http"
)

// report takes what browsers tell of the content security policy they enforced:
// the older form (report-uri) and that of the Reporting API.
func (e *Endpoint) report(w http.ResponseWriter, r *http.Request) {
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || mediaType != "application/csp-report" && mediaType != "application/reports+json" {
		w.WriteHeader(http.StatusUnsupportedMediaType)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, largestBody))
	if err != nil {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	}
	if !e.site.Report(r, mediaType, body) {
		w.Header().Set("Retry-After", "60")
		w.WriteHeader(http.StatusTooManyRequests)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
