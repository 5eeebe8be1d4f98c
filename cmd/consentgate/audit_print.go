package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// printAudit prints a table of visits, and whatever escaped below it.
func printAudit(w io.Writer, r *auditReport) error {
	fmt.Fprintf(w, "%s\n%s, %s, pages opened in each visit: %d\n", printable(r.Landed), r.At.Format("2 January 2006, 15:04 UTC"), r.Browser, len(r.Pages))
	t := table{tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)}
	t.line("\nVISITOR", "HAS ALLOWED", "THIRD PARTIES", "NOT ALLOWED", "KEPT", "NOT ALLOWED")
	for _, v := range r.Visits {
		t.line(v.State, v.Allowed(), number(uint64(v.Hosts())), number(uint64(v.EscapedHosts())), number(uint64(len(v.Kept))), number(uint64(v.EscapedKept())))
	}
	t.Flush()
	printEscaped(t, r.Visits)
	for _, v := range r.Visits {
		for _, problem := range v.Problems {
			fmt.Fprintf(w, "\n%s: %s\n", v.State, printable(problem))
		}
	}
	_, err := fmt.Fprintf(w, "\n%s\n", r.Verdict())
	switch {
	case r.Escaped == 0:
	case !r.Gateway:
		fmt.Fprintln(w, "The site shows no notice of Consentgate, so only visitors who choose nothing were tried.")
	case r.Config == "":
		fmt.Fprintln(w, "Judged by the catalog alone: where the site has services of its own, name its file by --config.")
	}
	return err
}

// printEscaped lists what should not have happened, once for visits to which the
// same did.
func printEscaped(t table, visits []*auditVisit) {
	for len(visits) > 0 {
		first := visits[0]
		var names []string
		visits = slices.DeleteFunc(slices.Clone(visits), func(v *auditVisit) bool {
			same := sameEscapes(v, first)
			if same {
				names = append(names, v.State)
			}
			return same
		})
		if first.Escaped == 0 {
			continue
		}
		fmt.Fprintf(t, "\nNot allowed (%s):\n", strings.Join(names, "; "))
		for _, c := range first.Escapes() {
			cells := []string{"  " + c.Kind, c.Host, c.Who(), string(c.Purpose)}
			if c.By != "" {
				cells = append(cells, "called by "+c.By)
			}
			t.line(cells...)
		}
		for _, k := range first.escapedKept() {
			t.line("  "+k.Where, k.Name, k.By, string(k.Purpose))
		}
		t.Flush()
	}
}

func sameEscapes(a, b *auditVisit) bool {
	sameContact := func(x, y auditContact) bool {
		return x.Host == y.Host && x.Kind == y.Kind && x.Service == y.Service && x.By == y.By
	}
	return slices.EqualFunc(a.Escapes(), b.Escapes(), sameContact) && slices.Equal(a.escapedKept(), b.escapedKept())
}
