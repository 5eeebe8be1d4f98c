package main

import (
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"slices"
	"time"

	"github.com/numfocus/consentgate/consent"
)

// An auditReport is what an audit found, as JSON and as a page for people.
type auditReport struct {
	URL     string        `json:"url"`
	Landed  string        `json:"landed"` // where the address led
	At      time.Time     `json:"at"`
	Tool    string        `json:"consentgate"`
	Browser string        `json:"browser"`
	Config  string        `json:"config,omitempty"` // name of the file that was judged by; empty: none
	Gateway bool          `json:"gateway"`          // whether there is a notice of ours
	Some    bool          `json:"some,omitempty"`   // not every kind of visitor was wanted
	Notice  *auditNotice  `json:"-"`
	Pages   []string      `json:"pages"`
	Visits  []*auditVisit `json:"visits"`
	Escaped int           `json:"escaped"`
}

// An auditVisit is what happened in one state.
type auditVisit struct {
	State      string            `json:"state"`
	Says       string            `json:"visitor"`
	Allows     []consent.Purpose `json:"allows"`
	JavaScript bool              `json:"javascript"`
	Contacts   []auditContact    `json:"contacts"`
	Kept       []auditKept       `json:"kept"`
	Escaped    int               `json:"escaped"`
	Problems   []string          `json:"problems,omitempty"`
	Picture    []byte            `json:"-"` // JPEG

	decision consent.Decision
}

// An auditContact is requests of a kind to a host.
type auditContact struct {
	Host    string            `json:"host"`
	Kind    string            `json:"kind"`
	Service consent.ServiceID `json:"service,omitempty"`
	Name    string            `json:"name,omitempty"`
	Purpose consent.Purpose   `json:"purpose,omitempty"`
	Rule    string            `json:"rule"`
	By      string            `json:"by,omitempty"` // the third party that asked
	Verdict string            `json:"verdict"`
	Count   int               `json:"count"`
	URLs    []string          `json:"urls"` // a few, without queries
}

// An auditKept is something that lies in the browser afterwards.
type auditKept struct {
	Name    string            `json:"name"`
	Where   string            `json:"where"`
	Service consent.ServiceID `json:"service,omitempty"`
	By      string            `json:"by,omitempty"`
	Purpose consent.Purpose   `json:"purpose,omitempty"`
	Verdict string            `json:"verdict"`
}

func (c auditContact) escaped() bool { return c.Verdict == escaped }
func (k auditKept) escaped() bool    { return k.Verdict == escaped }

func (r *auditReport) add(v *auditVisit) {
	r.Visits = append(r.Visits, v)
	r.Escaped += v.Escaped
}

// Verdict says in a sentence what came out.
func (r *auditReport) Verdict() string {
	switch {
	case r.Escaped > 0:
		return fmt.Sprintf("In %d of %d visits something went to third parties, or was kept in the browser, that the visitor had not allowed.", r.failed(), len(r.Visits))
	case r.unseen() > 0:
		return fmt.Sprintf("Nothing was seen to escape, but in %d of %d visits not everything could be looked at.", r.unseen(), len(r.Visits))
	case !r.Gateway:
		return "Nothing escaped, but only visitors who choose nothing could be tried: the site shows no notice of Consentgate."
	}
	return fmt.Sprintf("Nothing escaped in any of %d visits.", len(r.Visits))
}

// unseen counts the visits of which something is not known.
func (r *auditReport) unseen() int {
	n := 0
	for _, v := range r.Visits {
		if len(v.Problems) > 0 {
			n++
		}
	}
	return n
}

// Sound reports whether nothing escaped as far as everything was looked at.
func (r *auditReport) Sound() bool { return r.Escaped == 0 && r.unseen() == 0 }

func (r *auditReport) failed() int {
	n := 0
	for _, v := range r.Visits {
		if v.Escaped > 0 {
			n++
		}
	}
	return n
}

// Judged says what told the third parties and their purposes apart.
func (r *auditReport) Judged() string {
	switch {
	case r.Config != "":
		return "the site's configuration, " + r.Config
	case r.Gateway:
		return "the catalog of Consentgate; what the site's own configuration adds was not given (--config)"
	}
	return "the catalog of Consentgate"
}

// Escapes are the contacts that were not allowed.
func (v *auditVisit) Escapes() []auditContact {
	return slices.DeleteFunc(slices.Clone(v.Contacts), func(c auditContact) bool { return !c.escaped() })
}

func (v *auditVisit) escapedKept() []auditKept {
	return slices.DeleteFunc(slices.Clone(v.Kept), func(k auditKept) bool { return !k.escaped() })
}

// Hosts counts the third parties that were contacted, and EscapedHosts those of
// them that should not have been.
func (v *auditVisit) Hosts() int        { return hostsOf(v.Contacts) }
func (v *auditVisit) EscapedHosts() int { return hostsOf(v.Escapes()) }
func (v *auditVisit) EscapedKept() int  { return len(v.escapedKept()) }

func hostsOf(contacts []auditContact) int {
	hosts := map[string]bool{}
	for _, c := range contacts {
		hosts[c.Host] = true
	}
	return len(hosts)
}

// Allowed says in words what the visitor has allowed.
func (v *auditVisit) Allowed() string { return v.decision.Purposes.String() }

// Source is the picture as a page can hold it.
func (v *auditVisit) Source() template.URL {
	return template.URL("data:image/jpeg;base64," + base64.StdEncoding.EncodeToString(v.Picture))
}

// Who names whom a contact was with.
func (c auditContact) Who() string {
	if c.Name == "" {
		return "unknown"
	}
	return c.Name
}

// Limits are what an audit cannot see.
func (r *auditReport) Limits() []string {
	limits := []string{
		count(len(r.Pages), "page") + " opened, and nothing on them clicked: what happens after a click was not tried.",
		"The network log is the browser's own. It has every request, whoever made it, but not what is inside one.",
		"A server of the site may pass on what it learns without the browser's knowing.",
		"A third party that was allowed may call others; those are listed, and not counted as escaped.",
		"Pictures, styles, fonts and media of hosts that nobody knows are allowed unless the configuration says unknown: block-all.",
		"Names in the browser's storage say whose they are only where the catalog knows them.",
	}
	if r.Some {
		limits = append(limits, "Not every kind of visitor was tried: those that are not in the table were left out.")
	}
	switch {
	case !r.Gateway:
		limits = append([]string{"No notice of Consentgate was found. Only visitors who choose nothing were tried, and whether the site asks in its own way was not."}, limits...)
	case r.Config == "":
		limits = append(limits, "The site's own configuration was not given (--config). Where it has services of its own, or gives one another purpose, this report does not know of it.")
	}
	return limits
}

//go:embed audit.html
var auditPageText string

// writeAuditHTML writes the report as one file that needs no other.
func writeAuditHTML(w io.Writer, r *auditReport) error {
	page, err := template.New("audit").Parse(auditPageText)
	if err != nil {
		return err
	}
	return page.Execute(w, r)
}
