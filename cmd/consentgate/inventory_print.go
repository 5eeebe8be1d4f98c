package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/numfocus/consentgate/consent"
	"github.com/numfocus/consentgate/proxy/inventory"
)

// A party is what is told of one service, of one host that nobody knows, or of
// one cookie that nobody knows.
type party struct {
	name             string
	purpose          consent.Purpose
	hosts, kinds     []string
	cookies, pages   []string
	withheld, passed uint64
}

// parties puts the entries of an inventory together: by service, and what
// nobody knows by name.
func parties(seen []inventory.Entry) (services, hosts, cookies []*party) {
	for _, e := range seen {
		switch {
		case e.Service != "":
			addTo(&services, string(e.Service), e)
		case e.Kind == inventory.Cookie:
			addTo(&cookies, e.Name, e)
		default:
			addTo(&hosts, e.Name, e)
		}
	}
	return services, hosts, cookies
}

func addTo(list *[]*party, name string, e inventory.Entry) {
	i := slices.IndexFunc(*list, func(p *party) bool { return p.name == name })
	if i < 0 {
		i = len(*list)
		*list = append(*list, &party{name: name, purpose: e.Purpose})
	}
	p := (*list)[i]
	p.withheld += e.Withheld
	p.passed += e.Passed
	p.kinds = include(p.kinds, e.Kind)
	switch {
	case e.Kind == inventory.Cookie:
		p.cookies = include(p.cookies, e.Name)
	case e.Name != "":
		p.hosts = include(p.hosts, e.Name)
	}
	for _, page := range e.Pages {
		p.pages = include(p.pages, page)
	}
}

func include(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

func printSite(w io.Writer, name string, s inventory.Snapshot) error {
	services, hosts, cookies := parties(s.Seen)
	fmt.Fprintf(w, "%s, since %s: %s, %s that nobody knows\n", name, s.Since,
		count(len(services), "service"), count(len(hosts), "third host"))
	t := table{tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)}
	if len(services) > 0 {
		t.line("\nSERVICE", "PURPOSE", "WITHHELD", "PASSED", "HOSTS", "COOKIES", "PAGES")
	}
	for _, p := range services {
		t.line(p.name, string(p.purpose), number(p.withheld), number(p.passed), few(p.hosts, 2), few(p.cookies, 3), few(p.pages, 3))
	}
	t.Flush()
	if len(cookies) > 0 {
		t.line("\nCOOKIE NOBODY KNOWS", "WITHHELD", "PASSED", "PAGES")
	}
	for _, p := range cookies {
		t.line(p.name, number(p.withheld), number(p.passed), few(p.pages, 3))
	}
	t.Flush()
	printReports(t, s)
	if len(hosts) > 0 {
		t.line("\nTHIRD HOST NOBODY KNOWS", "AS", "WITHHELD", "PASSED", "PAGES")
	}
	for _, p := range hosts {
		t.line(p.name, strings.Join(p.kinds, ", "), number(p.withheld), number(p.passed), few(p.pages, 3))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if s.LeftOut > 0 {
		fmt.Fprintf(w, "\nFor %d sightings there was no room: so many different things were seen.\n", s.LeftOut)
	}
	return printSnippet(w, strangersOf(hosts))
}

// printReports tells what browsers report; anybody can send such reports, so they
// are not added to the rest.
func printReports(t table, s inventory.Snapshot) {
	if len(s.Reports) > 0 {
		t.line("\nREPORTED BY BROWSERS", "SERVICE", "DIRECTIVE", "TIMES", "PAGES")
	}
	for i, r := range s.Reports {
		if i == 20 {
			t.line(fmt.Sprintf("and %d more", len(s.Reports)-i))
			break
		}
		t.line(r.Host, dash(string(r.Service)), r.Directive, number(r.Count), few(r.Pages, 3))
	}
	t.Flush()
}

type table struct{ *tabwriter.Writer }

func (t table) line(cells ...string) {
	for i, cell := range cells {
		cells[i] = dash(printable(cell))
	}
	fmt.Fprintln(t, strings.Join(cells, "\t"))
}

// printable leaves out what would move a terminal's cursor or break a table:
// names come from outside.
func printable(s string) string {
	line, rest := "", s
	if strings.HasPrefix(s, "\n") { // the space before a table
		line, rest = "\n", s[1:]
	}
	return line + strings.Map(func(r rune) rune {
		if strconv.IsPrint(r) {
			return r
		}
		return '?'
	}, rest)
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func number(n uint64) string { return strconv.FormatUint(n, 10) }

// few lists some of many.
func few(list []string, n int) string {
	if len(list) <= n {
		return strings.Join(list, ", ")
	}
	return fmt.Sprintf("%s +%d", strings.Join(list[:n], ", "), len(list)-n)
}
