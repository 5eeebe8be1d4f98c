package main

import (
	"cmp"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
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
	Gateway bool          `json:"gateway"` // whether there is a notice of ours
	Notice  *auditNotice  `json:"-"`
	Pages   []string      `json:"pages"`
	Visits  []*auditVisit `json:"visits"`
	Escaped int           `json:"escaped"`
}

// An auditVisit is what happened in one state.
type auditVisit struct {
	State      string         `json:"state"`
	Says       string         `json:"visitor"`
	JavaScript bool           `json:"javascript"`
	Contacts   []auditContact `json:"contacts"`
	Kept       []auditKept    `json:"kept"`
	Escaped    int            `json:"escaped"`
	Problems   []string       `json:"problems,omitempty"`
	Picture    []byte         `json:"-"` // JPEG

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
	Verdict string            `json:"verdict"`
}

func (r *auditReport) add(v *auditVisit) {
	r.Visits = append(r.Visits, v)
	r.Escaped += v.Escaped
}

// Verdict says in a sentence what came out.
func (r *auditReport) Verdict() string {
	switch {
	case r.Escaped > 0:
		return fmt.Sprintf("Something went to third parties, or was kept, that the visitor had not allowed: in %d of %d visits.", r.failed(), len(r.Visits))
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

// Escapes are the contacts that were not allowed.
func (v *auditVisit) Escapes() []auditContact {
	var list []auditContact
	for _, c := range v.Contacts {
		if c.Verdict == escaped {
			list = append(list, c)
		}
	}
	return list
}

// An auditParty is somebody who was contacted without being allowed.
type auditParty struct {
	Name    string
	Purpose consent.Purpose
	Hosts   []string
	Visits  int
}

// Parties lists them by purpose, for those who read no further.
func (r *auditReport) Parties() []*auditParty {
	var list []*auditParty
	for _, v := range r.Visits {
		counted := map[*auditParty]bool{}
		for _, c := range v.Escapes() {
			p := partyOf(&list, c)
			p.Hosts = include(p.Hosts, c.Host)
			if !counted[p] {
				counted[p] = true
				p.Visits++
			}
		}
	}
	slices.SortStableFunc(list, func(a, b *auditParty) int {
		return cmp.Or(cmp.Compare(purposeRank(b.Purpose), purposeRank(a.Purpose)), cmp.Compare(a.Name, b.Name))
	})
	return list
}

// partyOf gives the service of a contact, or the host where nobody knows whose it is.
func partyOf(list *[]*auditParty, c auditContact) *auditParty {
	name := cmp.Or(c.Name, c.Host)
	i := slices.IndexFunc(*list, func(p *auditParty) bool { return p.Name == name })
	if i < 0 {
		i = len(*list)
		*list = append(*list, &auditParty{Name: name, Purpose: c.Purpose})
	}
	return (*list)[i]
}

func (v *auditVisit) escapedKept() []auditKept {
	var list []auditKept
	for _, k := range v.Kept {
		if k.Verdict == escaped {
			list = append(list, k)
		}
	}
	return list
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
		fmt.Sprintf("%d pages were opened, and nothing on them was clicked: what happens after a click was not tried.", len(r.Pages)),
		"The network log is the browser's own. It has every request, whoever made it, but not what is inside one.",
		"A server of the site may pass on what it learns without the browser's knowing.",
		"A third party that was allowed may call others; those are listed, and not counted as escaped.",
		"Pictures, styles, fonts and media of hosts that nobody knows are allowed unless the configuration says unknown: block-all.",
		"Names in the browser's storage say whose they are only where the catalog knows them.",
	}
	if !r.Gateway {
		limits = append([]string{"No notice of Consentgate was found. Only visitors who choose nothing were tried, and whether the site asks in its own way was not."}, limits...)
	}
	return limits
}

// printAudit prints a table of visits, and whatever escaped below it.
func printAudit(w io.Writer, r *auditReport) error {
	fmt.Fprintf(w, "%s\n%s, %s, pages opened in each visit: %d\n\n", r.Landed, r.At.Format("2 January 2006, 15:04 UTC"), r.Browser, len(r.Pages))
	t := table{tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)}
	fmt.Fprintln(t, "VISITOR\tALLOWED\tTHIRD PARTIES\tKEPT\tESCAPED")
	for _, v := range r.Visits {
		fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%d\n", v.State, v.Allowed(), len(v.hosts()), len(v.Kept), v.Escaped)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, v := range r.Visits {
		v.printEscaped(w)
	}
	fmt.Fprintf(w, "\n%s\n", r.Verdict())
	if !r.Gateway && r.Escaped > 0 {
		fmt.Fprintln(w, "The site shows no notice of Consentgate, so only visitors who choose nothing were tried.")
	}
	return nil
}

func (v *auditVisit) hosts() map[string]bool {
	hosts := map[string]bool{}
	for _, c := range v.Contacts {
		hosts[c.Host] = true
	}
	return hosts
}

func (v *auditVisit) printEscaped(w io.Writer) {
	for _, problem := range v.Problems {
		fmt.Fprintf(w, "\n%s: %s\n", v.State, problem)
	}
	if v.Escaped == 0 {
		return
	}
	fmt.Fprintf(w, "\nEscaped, %s:\n", v.State)
	for _, c := range v.Escapes() {
		fmt.Fprintf(w, "  %-11s %-34s %s\n", c.Kind, c.Host, strings.TrimSpace(c.Who()+" "+string(c.Purpose)))
	}
	for _, k := range v.escapedKept() {
		fmt.Fprintf(w, "  %-11s %-34s %s\n", "kept", k.Name+", "+k.Where, k.By)
	}
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
