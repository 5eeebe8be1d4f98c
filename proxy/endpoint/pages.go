package endpoint

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"strings"

	"github.com/numfocus/consentgate/proxy/banner"
)

func (e *Endpoint) settings(w http.ResponseWriter, r *http.Request) {
	view, query := e.view(r), r.URL.Query()
	switch c := view.Decision.Choice; {
	case c != nil && query.Has("saved"):
		view.Note = banner.Saved
	case c != nil && !c.Grants() && query.Has("erased"):
		view.Note = banner.Erased
	}
	view.Erase = query.Has("erase")
	e.showSettings(w, r, http.StatusOK, view)
}

func (e *Endpoint) view(r *http.Request) banner.View {
	v := banner.View{Lang: e.language(r), Decision: e.site.Decide(r), Back: e.back(r)}
	if c := v.Decision.Choice; c != nil {
		v.Until = e.site.Policy.Until(c.At)
	}
	return v
}

func (e *Endpoint) showSettings(w http.ResponseWriter, r *http.Request, status int, v banner.View) {
	e.show(w, r, status, v.Lang, func(to io.Writer) error { return e.site.Banner.Settings(to, v) })
}

func (e *Endpoint) cookies(w http.ResponseWriter, r *http.Request) {
	lang := e.language(r)
	e.show(w, r, http.StatusOK, lang, func(to io.Writer) error { return e.site.Banner.Cookies(to, lang) })
}

func (e *Endpoint) toSettings(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Location", e.prefix)
	w.WriteHeader(http.StatusMovedPermanently)
}

// show sends a page once it is whole.
func (e *Endpoint) show(w http.ResponseWriter, r *http.Request, status int, lang banner.Lang, write func(io.Writer) error) {
	var page bytes.Buffer
	if err := write(&page); err != nil {
		// Templates were tried out when the banner was made.
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", string(lang))
	send(w, r, status, page.Bytes())
}

// send packs a page where the browser takes it packed: the settings list every
// service there is.
func send(w http.ResponseWriter, r *http.Request, status int, page []byte) {
	w.Header().Set("Vary", "Accept-Encoding")
	if acceptsGzip(r) {
		if packed, err := compress(page, gzip.DefaultCompression); err == nil {
			w.Header().Set("Content-Encoding", "gzip")
			page = packed
		}
	}
	w.WriteHeader(status)
	_, _ = w.Write(page) // the visitor has gone; there is nobody to tell
}

// fail says that a request came to nothing, and why, as a page or as JSON.
func (e *Endpoint) fail(w http.ResponseWriter, r *http.Request, status int, kind banner.Kind) {
	if wantsJSON(r) {
		showJSON(w, status, "application/json", map[string]banner.Kind{"error": kind})
		return
	}
	lang := e.language(r)
	e.show(w, r, status, lang, func(to io.Writer) error { return e.site.Banner.Message(to, lang, kind) })
}

func showJSON(w http.ResponseWriter, status int, mediaType string, v any) {
	body, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", mediaType)
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
}

// wantsJSON reports whether a script asks, not a person.
func wantsJSON(r *http.Request) bool {
	accept := strings.Join(r.Header.Values("Accept"), ",")
	return strings.Contains(accept, "application/json") && !strings.Contains(accept, "text/html")
}

// language is the one that the page which led here was shown in: named in the
// address or in the form, else the site's own, else for somebody who came from
// elsewhere the browser's.
func (e *Endpoint) language(r *http.Request) banner.Lang {
	named := banner.Lang(r.URL.Query().Get("lang"))
	if r.PostForm != nil {
		named = banner.Lang(r.PostForm.Get("lang"))
	}
	switch {
	case e.site.Banner.Has(named):
		return named
	case e.referer(r) != "":
		return e.site.Banner.Default()
	}
	return e.site.Banner.Match("", r.Header.Get("Accept-Language"))
}
