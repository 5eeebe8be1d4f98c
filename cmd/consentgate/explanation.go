package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"unicode/utf8"

	"github.com/numfocus/consentgate/consent"
	"github.com/numfocus/consentgate/proxy"
	"github.com/numfocus/consentgate/proxy/rewrite"
)

func (e explanation) sayURL(ref string) {
	active := e.URL(ref, rewrite.Script, e.decision)
	passive := e.URL(ref, rewrite.Image, e.decision)
	fmt.Fprintln(e.out, ref)
	e.sayWhose(active)
	switch {
	case active.Withheld == passive.Withheld:
		e.line("verdict", e.verdict(active))
	default:
		e.line("verdict", "as a script, a frame or a pixel: "+e.verdict(active))
		e.line("", "as a picture, a style or a font: "+e.verdict(passive))
	}
	e.line("rule", active.Rule)
	e.sayInstead(active)
}

func (e explanation) sayCookie(name string) {
	v := e.Cookie(name, e.decision)
	fmt.Fprintf(e.out, "cookie %s\n", name)
	if v.Service == nil {
		e.line("whose", "nobody's that the catalog knows")
	} else {
		e.sayWhose(v)
	}
	e.line("verdict", e.verdict(v))
	e.line("rule", v.Rule)
	if v.Service == nil {
		return
	}
	for _, c := range v.Service.Cookies {
		if c.Name == v.Rule {
			e.line("kept", c.Lifetime)
			e.line("set by", setBy(c.SetBy))
		}
	}
}

func setBy(s consent.SetBy) string {
	if s == consent.ByScript {
		return "a script in the page"
	}
	return "a Set-Cookie header"
}

func (e explanation) sayWhose(v proxy.Verdict) {
	s := v.Service
	switch {
	case s != nil && s.FirstParty && s.Vendor == "":
		e.line("whose", fmt.Sprintf("%s (%s), on the site itself", s.Name, s.ID))
	case s != nil:
		e.line("whose", fmt.Sprintf("%s (%s) of %s, %s", s.Name, s.ID, s.Vendor, s.Country))
	case v.Host != "":
		e.line("whose", v.Host+", a third party that the catalog does not know")
		return
	default:
		e.line("whose", "the site's own, for a page like "+e.page)
		return
	}
	e.line("purpose", string(s.Purpose))
}

// verdict says what happens, and what it waits for.
func (e explanation) verdict(v proxy.Verdict) string {
	switch {
	case !v.Withheld:
		return "passes"
	case v.Service == nil:
		return "withheld until marketing is granted"
	}
	return fmt.Sprintf("withheld until %s or %s is granted", v.Service.Purpose, v.Service.ID)
}

func (e explanation) sayInstead(v proxy.Verdict) {
	switch {
	case !v.Withheld:
	case v.Service != nil && v.Service.Withheld == consent.Placeholder:
		e.line("instead", "a frame becomes a box of its size that offers to load it")
	default:
		e.line("instead", "nothing stands in its place")
	}
	if v.Withheld && v.Service != nil {
		e.line("loss", v.Service.Loss)
	}
}

func (e explanation) line(name, value string) { fmt.Fprintf(e.out, "  %-8s %s\n", name, value) }

// list shows what a page would load or run: where, what happens, whose, what,
// and by which rule.
func (e explanation) list(name string, text []byte, found []proxy.Finding) {
	slices.SortStableFunc(found, func(a, b proxy.Finding) int { return int(a.At - b.At) })
	table := tabwriter.NewWriter(e.out, 0, 0, 2, ' ', 0)
	withheld := 0
	for _, f := range found {
		line, column := position(text, f.At)
		verdict := "passes"
		if f.Withheld {
			verdict = "withheld"
			withheld++
		}
		fmt.Fprintf(table, "%s:%d:%d\t%s\t%s\t%s\t%s\n", name, line, column, verdict, owner(f), what(f), f.Rule)
	}
	table.Flush()
	fmt.Fprintf(e.out, "%d of %s withheld, on %s with %s granted\n", withheld, count(len(found), "thing"), e.page, e.decision.Purposes)
}

func owner(f proxy.Finding) string {
	switch {
	case f.Service != nil:
		return string(f.Service.ID)
	case f.Host != "":
		return f.Host
	}
	return "-"
}

// what names a finding in the words of the page: "script src https://...".
func what(f proxy.Finding) string {
	if f.URL == "" {
		return "inline " + f.Element
	}
	return strings.Join(strings.Fields(f.Element+" "+f.Attr+" "+f.URL), " ")
}

// position turns an offset in bytes into line and column, both from 1; columns
// are counted in characters.
func position(text []byte, at int64) (line, column int) {
	before := text[:min(max(at, 0), int64(len(text)))]
	start := bytes.LastIndexByte(before, '\n') + 1
	return 1 + bytes.Count(before, []byte("\n")), 1 + utf8.RuneCount(before[start:])
}
