package demo

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"text/template"
)

//go:embed site
var siteFiles embed.FS

// A page of the site; its body is site/pages/NAME.html.
type page struct{ Path, Name, Menu, Title string }

func pages() []page {
	return []page{
		{"/", "home", "Home", "Count what lives between the tides"},
		{"/events", "events", "Spring count", "The spring count"},
		{"/watch", "watch", "Watch", "Four minutes at pool 7"},
		{"/newsletter", "newsletter", "Letter", "The Low Water Letter"},
		{"/contact", "contact", "Contact", "Come by"},
		{"/donate", "donate", "Donate", "Give a tide"},
	}
}

// newSite renders the pages once; local turns the vendors' addresses into those
// of their stand-ins.
func newSite(port string, local *strings.Replacer) (http.Handler, error) {
	layout, err := template.ParseFS(siteFiles, "site/layout.html")
	if err != nil {
		return nil, err
	}
	rendered := map[string][]byte{}
	for _, p := range pages() {
		body, err := siteFiles.ReadFile("site/pages/" + p.Name + ".html")
		if err != nil {
			return nil, err
		}
		var out bytes.Buffer
		err = layout.Execute(&out, struct {
			page
			Pages      []page
			Body, Port string
		}{p, pages(), string(body), port})
		if err != nil {
			return nil, fmt.Errorf("page %s: %w", p.Name, err)
		}
		rendered[p.Path] = []byte(local.Replace(out.String()))
	}
	files, err := fs.Sub(siteFiles, "site")
	if err != nil {
		return nil, err
	}
	static := http.FileServerFS(files)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/style.css" || strings.HasPrefix(r.URL.Path, "/pictures/") {
			static.ServeHTTP(w, r)
			return
		}
		html, ok := rendered[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		// What a WordPress with a marketing plugin does on every page.
		w.Header().Add("Set-Cookie", "wordpress_test_cookie=WP%20Cookie%20check; path=/; HttpOnly")
		w.Header().Add("Set-Cookie", "mailchimp_landing_site=http%3A%2F%2Fopentidepool.example%2F; path=/; max-age=2419200")
		w.Header().Set("Content-Type", "text/html; charset=UTF-8")
		w.Write(html)
	}), nil
}
