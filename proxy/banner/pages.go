package banner

import (
	"html/template"
	"io"
	"net/http"
	"strings"
)

// declaration is what the template of that name fills in.
type declaration struct {
	*edition
	Sections []section
}

// Declaration is the cookie declaration as a fragment of HTML, for pages of the
// site that ask for it: one div whose headings are h3 and h4 and whose ids start
// with "cg-". It can do without a style sheet. The caller must not change it.
func (b *Banner) Declaration(l Lang) []byte { return b.in(l).pages().declaration }

// Part is the declaration with its style sheet, as a page of the site has it that asks
// for one.
func (b *Banner) Part(l Lang) []byte {
	link := `<link rel="stylesheet" href="` + template.HTMLEscapeString(b.site.Prefix+"assets/"+b.assets[partSheet].Name) + `">`
	return append([]byte(link), b.Declaration(l)...)
}

// Cookies writes the cookie declaration as a page.
func (b *Banner) Cookies(w io.Writer, l Lang) error {
	e := b.in(l)
	page, err := b.render("cookies", struct {
		*edition
		Title, Back string
		Declaration template.HTML
	}{e, e.text("cookies.title"), "/", raised(e.pages().declaration)})
	if err != nil {
		return err
	}
	_, err = w.Write(page)
	return err
}

// raised makes the headings of a declaration those of a page that has nothing else.
func raised(declaration []byte) template.HTML {
	levels := strings.NewReplacer("<h3", "<h2", "</h3>", "</h2>", "<h4", "<h3", "</h4>", "</h3>")
	return template.HTML(levels.Replace(string(declaration)))
}

// A Kind is why a visitor gets a page that says something instead of the one
// asked for.
type Kind string

const (
	Down    Kind = "down"    // the origin cannot be reached
	Slow    Kind = "slow"    // it does not answer in time
	Busy    Kind = "busy"    // too many requests at once
	Other   Kind = "other"   // anything else
	Stored  Kind = "stored"  // the ledger could not store a grant
	Erase   Kind = "erase"   // the ledger could not erase a record
	Unknown Kind = "unknown" // a choice names what the site does not have
	Foreign Kind = "foreign" // a choice sent from another site
	Large   Kind = "large"   // a choice longer than choices are
	Missing Kind = "missing" // no such page under our prefix
	Method  Kind = "method"  // not with this method
)

// KindOf gives the kind for a failed request to the origin.
func KindOf(status int) Kind {
	switch status {
	case http.StatusBadGateway:
		return Down
	case http.StatusGatewayTimeout, http.StatusRequestTimeout:
		return Slow
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		return Busy
	}
	return Other
}

// cure is what a page about a kind offers to do.
func (k Kind) cure() string {
	switch k {
	case Down, Slow, Busy, Other:
		return "retry"
	case Missing:
		return "home"
	}
	return "settings"
}

// Message writes a page that tells what went wrong and what can be done.
func (b *Banner) Message(w io.Writer, l Lang, kind Kind) error {
	e := b.in(l)
	key := "error." + string(kind)
	page, err := b.render("message", struct {
		*edition
		Title, Text, Back, Cure string
	}{edition: e, Title: e.text(key + ".title"), Text: e.text(key + ".text"), Cure: kind.cure()})
	if err != nil {
		return err
	}
	_, err = w.Write(page)
	return err
}
