package banner

import (
	"net/url"
	"regexp"
	"strings"
)

// widgetLink gives the address at which a person finds what a script would have
// drawn, or "" where none is known. Scripts are no pages themselves.
func widgetLink(script string, text []byte) string {
	if event := eventbriteID.FindSubmatch(text); event != nil {
		return "https://www.eventbrite.com/e/" + string(event[1])
	}
	u, err := url.Parse(script)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	host := strings.ToLower(u.Hostname())
	for _, w := range drawing {
		if host != w.host && !strings.HasSuffix(host, "."+w.host) {
			continue
		}
		if path := w.path.FindStringSubmatch(u.EscapedPath()); path != nil {
			return "https://" + host + path[1]
		}
	}
	return ""
}

// ContainerLink gives the address at which a person finds what a script would have drawn
// in an element that names it in an attribute, or "" where none is known. There is none
// for Typeform's data-tf-live and for HubSpot's forms: their ids have no page.
func ContainerLink(attr, value string) string {
	switch {
	case attr == "data-tf-widget" && identifier.MatchString(value):
		return "https://form.typeform.com/to/" + value
	case attr == "data-url" && calendlyPage.MatchString(value):
		return ContentLink(value)
	}
	return ""
}

var calendlyPage = regexp.MustCompile(`^https://calendly\.com/[A-Za-z0-9]`)

// eventbriteID finds the event in the call that draws its tickets.
var eventbriteID = regexp.MustCompile(`EBWidgets\.createWidget\s*\([^)]*?eventId['"]?\s*:\s*['"]?([0-9]{6,20})`)

// A widget says where the scripts of a host lead to: the page of the same host whose
// path is the group in theirs.
type widget struct {
	host string
	path *regexp.Regexp
}

var drawing = []widget{
	{"lglforms.com", regexp.MustCompile(`^(/form_engine/s/[A-Za-z0-9_-]+)\.js$`)},
	{"jotform.com", regexp.MustCompile(`^/jsform(/[0-9]+)$`)},
	{"buzzsprout.com", regexp.MustCompile(`^(/[0-9]+(?:/[A-Za-z0-9_-]+)?)\.js$`)},
	{"ck.page", regexp.MustCompile(`^(/[0-9a-f]+)/index\.js$`)},
}
