package main

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"
	"text/tabwriter"
)

// printScan writes the report for a terminal.
func printScan(w io.Writer, r *scanReport) error {
	fmt.Fprintf(w, "%s: %s read, %s, %s that nobody knows\n", printable(r.URL), count(len(r.Pages), "page"),
		count(len(r.Services), "service"), count(len(r.Unknown), "third host"))
	for _, remark := range r.Remarks() {
		fmt.Fprintln(w, printable(remark))
	}
	t := table{tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)}
	if len(r.Services) > 0 {
		t.line("\nPURPOSE", "SERVICE", "VENDOR", "BEFORE CONSENT", "AS", "HOSTS", "PAGES")
	}
	for _, s := range r.Services {
		t.line(string(s.Purpose), string(s.ID), vendorOf(s), s.Waits(), strings.Join(s.Kinds, ", "), few(s.Hosts, 2), few(s.Pages, 3))
	}
	t.Flush()
	if len(r.Cookies) > 0 {
		t.line("\nCOOKIE IN A HEADER", "SERVICE", "BEFORE CONSENT", "PAGES")
	}
	for _, c := range r.Cookies {
		t.line(c.Name, string(c.Service), c.Waits(), few(c.Pages, 3))
	}
	t.Flush()
	if len(r.Needs) > 0 {
		t.line("\nPOLICY OF ITS OWN", "WOULD HAVE TO ALLOW")
	}
	for _, n := range r.Needs {
		t.line(n.Directive, few(n.Hosts, 6))
	}
	t.Flush()
	if len(r.Policies) > 0 {
		fmt.Fprintln(w, "\nThe site sends a policy of its own, which the gateway leaves as it is:")
	}
	for _, p := range r.Policies {
		fmt.Fprintln(w, "  "+shorten(printable(p), 300))
	}
	if len(r.Unknown) > 0 {
		t.line("\nTHIRD HOST NOBODY KNOWS", "BEFORE CONSENT", "AS", "PAGES")
	}
	for _, u := range r.Unknown {
		t.line(u.Host, u.Waits(), strings.Join(u.Kinds, ", "), few(u.Pages, 3))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	return printSnippet(w, r.strange)
}

func vendorOf(s scanService) string {
	if s.Vendor == "" {
		return "the site itself"
	}
	return shorten(s.Vendor, 30) + ", " + s.Country
}

// shorten keeps a text within a width.
func shorten(s string, width int) string {
	if text := []rune(s); len(text) > width {
		return string(text[:width-3]) + "..."
	}
	return s
}

// Remarks are what one should know of how the report came to be.
func (r *scanReport) Remarks() []string {
	var remarks []string
	add := func(format string, args ...any) { remarks = append(remarks, fmt.Sprintf(format, args...)) }
	if r.Gateway {
		add("Consentgate stands in front of this site: what it withholds is not in the pages, and not in this report. Scan the site's own server.")
	}
	if r.Cut {
		add("It was ended before it was complete.")
	}
	if r.Left > 0 {
		add("Known and not read: %s.", count(r.Left, "page"))
	}
	if r.Forbidden > 0 {
		add("robots.txt keeps robots from %s.", count(r.Forbidden, "link"))
	}
	for i, p := range r.Problems {
		if i == 5 {
			add("%d more pages could not be read.", len(r.Problems)-i)
			break
		}
		add("%s could not be read: %s", p.URL, p.Problem)
	}
	return remarks
}

//go:embed scan.html
var scanPageText string

// writeScanHTML writes the report as one file that needs no other.
func writeScanHTML(w io.Writer, r *scanReport) error {
	page, err := template.New("scan").Parse(scanPageText)
	if err != nil {
		return err
	}
	return page.Execute(w, r)
}
