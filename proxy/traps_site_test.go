package proxy_test

import (
	"embed"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"golang.org/x/tools/txtar"
)

//go:embed testdata/traps
var trapFiles embed.FS

// A trap is a page that tries to reach somebody.
type trap struct {
	kind     string // the file it is from
	name     string
	text     string
	stranger string // the only host it reaches; empty: as it is told
}

// Whom traps try to reach: a service that waits for statistics, and somebody
// nobody knows.
const (
	tracker  = "hotjar.com"
	stranger = "stranger.example"
)

var trapKinds = []string{"scripts", "markup", "parser", "strangers"}

func loadTraps(t *testing.T) []trap {
	t.Helper()
	var traps []trap
	for _, kind := range trapKinds {
		text, err := trapFiles.ReadFile("testdata/traps/" + kind + ".txtar")
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range txtar.Parse(text).Files {
			one := trap{kind: kind, name: f.Name, text: string(f.Data)}
			if kind == "strangers" {
				one.stranger = strangerHosts[f.Name]
			}
			traps = append(traps, one)
		}
	}
	return traps
}

// strangerHosts are what a browser makes of the hosts in strangers.txtar.
var strangerHosts = map[string]string{
	"idn":          "idn.xn--bcher-kva.example",
	"idn-escaped":  "escaped.xn--bcher-kva.example",
	"idn-punycode": "punycode.xn--bcher-kva.example",
	"ipv6":         "2001:db8::1",
	"ipv6-mapped":  "::ffff:c000:204",
	"ipv4":         "192.0.2.1",
	"ipv4-number":  "192.0.2.2",
	"ipv4-hex":     "192.0.2.3",
}

func (p trap) id() string { return p.kind + "/" + p.name }

// host is whom the trap reaches: each one has a host of its own below to.
func (p trap) host(to string) string {
	if p.stranger != "" {
		return p.stranger
	}
	return p.kind + "-" + p.name + "." + to
}

// word is one that no other trap on a page has.
func (p trap) word(to string) string {
	if to == tracker {
		return p.name + "-known"
	}
	return p.name + "-strange"
}

// alone reports whether a trap needs a page of its own: it is about the page as a
// whole, ends it, or leaves it in a state in which nothing else could be tried. All
// others of a kind share one page, since frames are what takes browsers long.
func (p trap) alone() bool {
	switch p.kind {
	case "markup":
		first, _, _ := strings.Cut(p.text, "\n")
		return strings.Contains(p.text, "<!doctype") || isField(first) || strings.HasPrefix(p.name, "base") ||
			strings.HasSuffix(p.name, "-lazy") // must be in view
	case "scripts":
		return strings.HasSuffix(p.name, "-unload") || p.name == "refresh" || p.name == "script-history"
	}
	return true
}

// page writes the trap's page and returns its header's fields.
func (p trap) page(to string) (header http.Header, page string) {
	header = http.Header{"Content-Type": {"text/html; charset=utf-8"}}
	if p.kind == "scripts" {
		src := url.Values{"trap": {p.name}, "to": {to}}
		return header, `<!doctype html><html><head><title>x</title></head><body><script src="/trap.js?` + src.Encode() + `"></script></body></html>`
	}
	text := p.text
	for {
		line, rest, _ := strings.Cut(text, "\n")
		if !isField(line) {
			break
		}
		name, value, _ := strings.Cut(line, ": ")
		header.Set(name, p.fill(value, to))
		text = rest
	}
	if !strings.Contains(text, "<!doctype") && !strings.HasPrefix(p.name, "no-") {
		text = "<!doctype html><html><head><title>x</title></head><body>" + text
	}
	text = p.fill(text, to)
	if strings.HasSuffix(header.Get("Content-Type"), "utf-16le") {
		text = utf16le(text)
	}
	return header, text
}

func isField(line string) bool { return field.MatchString(line) }

var field = regexp.MustCompile(`^[A-Z][A-Za-z-]+: `)

func (p trap) fill(text, to string) string {
	host := p.host(to)
	url := "http://" + host + "/" + p.name
	return strings.NewReplacer(
		"{{url}}", url,
		"{{host}}", host,
		"{{HOST}}", strings.ToUpper(host),
		"{{name}}", p.name,
		"{{id}}", p.word(to),
		"{{secret}}", base64.StdEncoding.EncodeToString([]byte(url)),
		"{{hex}}", fmt.Sprintf("%x", host[0])+host[1:],
		"{{wide}}", strings.Map(wide, host),
		"{{stop}}", strings.ReplaceAll(host, ".", "。"),
		"{{nul}}", "\x00", "{{ff}}", "\f", "{{cr}}", "\r",
	).Replace(text)
}

// wide gives the full-width form of a letter.
func wide(r rune) rune {
	if r >= 'a' && r <= 'z' {
		return r - 'a' + 'ａ'
	}
	return r
}

func utf16le(s string) string {
	var out []byte
	for _, u := range utf16.Encode([]rune(s)) {
		out = append(out, byte(u), byte(u>>8))
	}
	return string(out)
}

// A trapSite serves the traps, alone or many on one page in frames.
type trapSite []trap

func (s trapSite) find(id string) (trap, bool) {
	i := slices.IndexFunc(s, func(p trap) bool { return p.id() == id })
	if i < 0 {
		return trap{}, false
	}
	return s[i], true
}

func (s trapSite) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	to := r.FormValue("to")
	h := w.Header()
	if id, ok := strings.CutPrefix(r.URL.Path, "/trap/"); ok {
		if p, ok := s.find(id); ok {
			header, page := p.page(to)
			for name, lines := range header {
				h[name] = lines
			}
			io.WriteString(w, page)
			return
		}
	}
	switch r.URL.Path {
	case "/all":
		h.Set("Content-Type", "text/html")
		io.WriteString(w, s.all())
	case "/together/markup":
		h.Set("Content-Type", "text/html")
		io.WriteString(w, s.together())
	case "/together/scripts":
		h.Set("Content-Type", "text/html")
		io.WriteString(w, `<!doctype html><html><head><title>x</title></head><body><script src="/together.js"></script></body></html>`)
	case "/together.js":
		h.Set("Content-Type", "text/javascript")
		io.WriteString(w, s.script(func(p trap) bool { return !p.alone() }, tracker, stranger))
	case "/trap.js":
		h.Set("Content-Type", "text/javascript")
		io.WriteString(w, s.script(func(p trap) bool { return p.name == r.FormValue("trap") }, to))
	case "/worker.js":
		h.Set("Content-Type", "text/javascript")
		fmt.Fprintf(w, "fetch(%q, {mode: 'no-cors'}).catch(() => {}); importScripts(%[1]q)", to)
	case "/fragment":
		h.Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<p>A part of a page.<script src="%s"></script><iframe src="%[1]s"></iframe></p>`, to)
	case "/picture.svg", "/document.svg", "/document.xhtml", "/document.xml":
		s.xml(w, r.URL.Path, to)
	default:
		h.Set("Content-Type", "text/javascript")
	}
}

const scriptsStart = `'use strict';
const put = globalThis.put = (tag, props) => (document.body || document.documentElement).appendChild(Object.assign(document.createElement(tag), props));
const markup = html => document.body.insertAdjacentHTML('beforeend', html);
`

// script is the scripts that are chosen. One that is refused and throws ends by
// itself.
func (s trapSite) script(chosen func(trap) bool, to ...string) string {
	var script strings.Builder
	script.WriteString(scriptsStart)
	for _, p := range s {
		if p.kind != "scripts" || !chosen(p) {
			continue
		}
		for _, to := range to {
			fmt.Fprintf(&script, "((host, name, id, url = 'http://' + host + '/' + name) => { try {\n%s\n} catch (e) { console.log(name, e); } })(%q, %q, %q);\n",
				p.text, p.host(to), p.name, p.word(to))
		}
	}
	return script.String()
}

// together is a page of the markup that can share one.
func (s trapSite) together() string {
	var page strings.Builder
	page.WriteString("<!doctype html><html lang=en><head><title>x</title></head><body>\n")
	for _, p := range s {
		for _, to := range p.reach() {
			if p.kind == "markup" && !p.alone() {
				fmt.Fprintf(&page, "<div>%s</div>\n", p.fill(p.text, to))
			}
		}
	}
	page.WriteString("</body></html>")
	return page.String()
}

// all is a page with all traps in frames, for either host.
func (s trapSite) all() string {
	var page strings.Builder
	page.WriteString("<!doctype html><html lang=en><head><title>Traps</title></head><body>\n")
	page.WriteString("<iframe width=1300 height=900 src=/together/scripts></iframe>\n<iframe width=1300 height=900 src=/together/markup></iframe>\n")
	for _, p := range s {
		for _, to := range p.reach() {
			if p.alone() {
				fmt.Fprintf(&page, "<iframe width=60 height=40 src=\"/trap/%s?to=%s\"></iframe>\n", p.id(), to)
			}
		}
	}
	page.WriteString("</body></html>")
	return page.String()
}

// hosts lists those whom the traps that are chosen reach.
func (s trapSite) hosts(chosen func(p trap, to string) bool) []string {
	var hosts []string
	for _, p := range s {
		for _, to := range p.reach() {
			if chosen(p, to) {
				hosts = append(hosts, p.host(to))
			}
		}
	}
	return hosts
}

// reach lists whom the trap is tried on. How a browser reads a page has nothing to
// do with whom it then calls.
func (p trap) reach() []string {
	switch p.kind {
	case "strangers":
		return []string{stranger}
	case "parser":
		return []string{tracker}
	}
	return []string{tracker, stranger}
}

// xml answers with a document that is no HTML and yet runs scripts.
func (s trapSite) xml(w http.ResponseWriter, path, secret string) {
	to, err := base64.StdEncoding.DecodeString(secret)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	mediaType, text := "image/svg+xml", `<svg xmlns="http://www.w3.org/2000/svg"><script href="%s"/></svg>`
	if path == "/picture.svg" {
		text = `<svg xmlns="http://www.w3.org/2000/svg"><image href="%s" width="9" height="9"/></svg>`
	}
	if strings.HasPrefix(path, "/document.x") {
		mediaType, text = "application/xhtml+xml", `<html xmlns="http://www.w3.org/1999/xhtml"><head><title>x</title></head><body><script src="%s"/></body></html>`
	}
	if path == "/document.xml" {
		mediaType = "text/xml"
	}
	w.Header().Set("Content-Type", mediaType)
	fmt.Fprintf(w, text, to)
}
