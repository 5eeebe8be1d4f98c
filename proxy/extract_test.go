package proxy_test

import (
	"encoding/base64"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// An extract is what a browser would load or run of a page, found by another
// parser than the gateway's.
type extract struct {
	urls    map[string]bool // resolved
	scripts []string        // texts of inline scripts that run, or that an optimiser runs later
}

// extractPage reads a page twice, since what is inside noscript is text or
// markup depending on the visitor's browser.
func extractPage(t *testing.T, page []byte, base string) extract {
	t.Helper()
	e := extract{urls: map[string]bool{}}
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	for _, scripting := range []bool{true, false} {
		doc, err := html.ParseWithOptions(strings.NewReader(string(page)), html.ParseOptionEnableScripting(scripting))
		if err != nil {
			t.Fatal(err)
		}
		x := extractor{base: u, extract: &e, scripts: scripting}
		x.findBase(doc)
		x.walk(doc)
	}
	return e
}

type extractor struct {
	base    *url.URL
	scripts bool
	*extract
}

func (x *extractor) findBase(n *html.Node) bool {
	if n.Type == html.ElementNode && n.Data == "base" {
		if href, ok := attrs(n)["href"]; ok {
			if u, err := x.base.Parse(strings.TrimSpace(href)); err == nil {
				x.base = u
			}
			return true
		}
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if x.findBase(c) {
			return true
		}
	}
	return false
}

func attrs(n *html.Node) map[string]string {
	m := make(map[string]string, len(n.Attr))
	for _, a := range n.Attr {
		key := a.Key
		if a.Namespace != "" {
			key = a.Namespace + ":" + key
		}
		m[key] = a.Val
	}
	return m
}

// sources are the attributes that make a browser, or a lazy-loading script of
// the site, fetch something.
var sources = map[string][]string{
	"script": {"src", "href", "xlink:href", "data-src", "data-rocket-src", "data-litespeed-src", "data-cmplz-src"},
	"iframe": {"src", "data-src", "data-lazy-src", "data-litespeed-src", "data-rocket-src"},
	"frame":  {"src"},
	"embed":  {"src"},
	"object": {"data"},
	"img":    {"src", "data-src", "data-lazy-src", "data-orig-file", "data-original"},
	"input":  {"src"},
	"video":  {"src", "poster"},
	"audio":  {"src"},
	"source": {"src"},
	"track":  {"src"},
	"image":  {"href", "xlink:href"},
	"use":    {"href", "xlink:href"},
	"link":   {"href"},
	"body":   {"background"},
	"table":  {"background"},
	"td":     {"background"},
}

var loadingRels = []string{"stylesheet", "icon", "preload", "modulepreload", "prefetch", "prerender", "preconnect",
	"dns-prefetch", "manifest", "apple-touch-icon", "mask-icon"}

func (x *extractor) walk(n *html.Node) {
	if n.Type == html.ElementNode {
		x.element(n)
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		x.walk(c)
	}
}

func (x *extractor) element(n *html.Node) {
	a := attrs(n)
	if n.Data == "script" && !runs(a["type"]) {
		return
	}
	if n.Data == "link" {
		rels := strings.Fields(strings.ToLower(a["rel"]))
		if !slices.ContainsFunc(rels, func(r string) bool { return slices.Contains(loadingRels, r) }) {
			return
		}
	}
	for _, name := range sources[n.Data] {
		if v, ok := a[name]; ok {
			x.add(v)
		}
	}
	for _, name := range []string{"srcset", "data-srcset", "data-lazy-srcset", "imagesrcset"} {
		x.addSrcset(a[name])
	}
	x.addCSS(a["style"])
	switch n.Data {
	case "style":
		x.addCSS(text(n))
	case "script":
		if body := text(n); x.scripts && strings.TrimSpace(body) != "" {
			x.extract.scripts = append(x.extract.scripts, body)
		}
	case "iframe":
		if doc, err := html.Parse(strings.NewReader(a["srcdoc"])); err == nil {
			x.walk(doc)
		}
	}
}

// runs reports whether a script of this type runs, now or when an optimiser
// plugin lets it.
func runs(typ string) bool {
	typ = strings.ToLower(strings.TrimSpace(typ))
	switch {
	case typ == "", typ == "module", strings.Contains(typ, "javascript"), strings.Contains(typ, "ecmascript"):
		return true
	}
	return slices.Contains([]string{"rocketlazyloadscript", "pmdelayedscript", "text/rocketscript"}, typ)
}

func text(n *html.Node) string {
	var b strings.Builder
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		b.WriteString(c.Data)
	}
	return b.String()
}

func (x *extractor) add(ref string) {
	ref = strings.TrimSpace(ref)
	if rest, ok := strings.CutPrefix(ref, "data:text/javascript;base64,"); ok {
		if js, err := base64.StdEncoding.DecodeString(rest); err == nil && x.scripts {
			x.extract.scripts = append(x.extract.scripts, string(js))
		}
		return
	}
	if u, err := x.base.Parse(ref); err == nil && u.Host != "" {
		u.Fragment = ""
		x.urls[u.String()] = true
	}
}

func (x *extractor) addSrcset(set string) {
	for candidate := range strings.SplitSeq(set, ", ") {
		if fields := strings.Fields(candidate); len(fields) > 0 {
			x.add(strings.TrimSuffix(fields[0], ","))
		}
	}
}

var cssURL = regexp.MustCompile(`(?i)(?:url\(\s*|@import\s+)["']?([^"')\s]+)`)

func (x *extractor) addCSS(css string) {
	for _, m := range cssURL.FindAllStringSubmatch(css, -1) {
		x.add(m[1])
	}
}
