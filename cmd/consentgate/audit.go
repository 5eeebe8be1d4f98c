package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/numfocus/consentgate/proxy"
)

type auditOptions struct {
	browser, config, site string
	json, html, visitors  string
	pages                 int
	shots                 bool
}

func (o *auditOptions) register(f *flag.FlagSet) {
	f.StringVar(&o.browser, "browser", "", "`PATH` of Chromium or Chrome; found by itself where that is empty")
	f.IntVar(&o.pages, "pages", 5, "how many pages are opened in each state, `N`")
	f.StringVar(&o.visitors, "visitors", "", "try only these, with a comma between: `WORDS` of "+strings.Join(visitorWords(), ", "))
	f.StringVar(&o.config, "config", "", "judge by the site in this `FILE`, and not by the catalog alone")
	f.StringVar(&o.site, "site", "", "which site, by `NAME`, where the file has several")
	f.StringVar(&o.json, "json", "", "write all of it to this `FILE`; - prints it instead of the table")
	f.StringVar(&o.html, "html", "", "write a report to show to people to this `FILE`")
	f.BoolVar(&o.shots, "shots", false, "put a picture of the first page in every state into the report")
}

func auditCommand(c console, args []string) int {
	var o auditOptions
	rest, code, ok := parse(c, "audit", &o, args)
	switch {
	case !ok:
		return code
	case len(rest) != 1:
		return misuse(c, "audit", "name the site's address")
	case o.pages < 1:
		return misuse(c, "audit", "--pages: it should be 1 or more")
	}
	if wrong := o.unheardOf(); wrong != "" {
		return misuse(c, "audit", "--visitors: %q is none of %s", wrong, strings.Join(visitorWords(), ", "))
	}
	start, err := siteAddress(rest[0])
	if err != nil {
		return misuse(c, "audit", "%v", err)
	}
	site, code, ok := siteFrom(c, "audit", o.config, o.site, start.String())
	if !ok {
		return code
	}
	ctx, stop := untilTold()
	defer stop()
	report, err := o.audit(ctx, c, site, start)
	if err == nil {
		err = o.write(c, report)
	}
	if err != nil {
		return failed(c, "audit", err)
	}
	if report.Escaped > 0 || report.unseen() > 0 {
		return exitFailed
	}
	return exitFine
}

// only lists the words of --visitors; nil are all.
func (o *auditOptions) only() []string {
	return strings.FieldsFunc(o.visitors, func(r rune) bool { return r == ',' || r == ' ' })
}

// unheardOf gives a word of --visitors that is no visitor's.
func (o *auditOptions) unheardOf() string {
	for _, word := range o.only() {
		if !slices.Contains(visitorWords(), word) {
			return word
		}
	}
	return ""
}

// audit visits the site in every state.
func (o *auditOptions) audit(ctx context.Context, c console, site proxy.SiteConfig, start *url.URL) (*auditReport, error) {
	explainer, err := proxy.NewExplainer(site, start.String())
	if err != nil {
		return nil, err
	}
	browser, err := findBrowser(o.browser)
	if err != nil {
		return nil, err
	}
	a := auditor{browser: browser, start: start, most: o.pages, shots: o.shots, judge: auditJudge{Explainer: explainer}}
	report := &auditReport{URL: start.String(), At: time.Now().UTC(), Tool: buildVersion()}
	if o.config != "" {
		report.Config = filepath.Base(o.config)
	}
	if err := a.survey(ctx, report); err != nil {
		return nil, fmt.Errorf("open %s: %w", start, err)
	}
	states := auditStates(report.Gateway, o.only())
	if len(states) == 0 {
		return nil, errors.New("the site shows no notice of Consentgate, so only visitors who choose nothing can be tried: new, dnt, gpc")
	}
	report.Some = o.only() != nil
	bar := newProgress(c.err, "visits")
	defer bar.end()
	for i, s := range states {
		bar.show(uint64(i), uint64(len(states)))
		visit, err := a.visit(ctx, s)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.title(), err)
		}
		report.add(visit)
	}
	return report, nil
}

func (o *auditOptions) write(c console, r *auditReport) error {
	var errs []error
	if o.html != "" {
		errs = append(errs, createFile(o.html, func(w io.Writer) error { return writeAuditHTML(w, r) }))
	}
	switch o.json {
	case "":
	case "-":
		return errors.Join(append(errs, writeJSON(c.out, r))...)
	default:
		errs = append(errs, createFile(o.json, func(w io.Writer) error { return writeJSON(w, r) }))
	}
	return errors.Join(append(errs, printAudit(c.out, r))...)
}

// browserVariable names the browser in the environment.
const browserVariable = "CONSENTGATE_BROWSER"

func browserNames() []string {
	return []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "headless-shell",
		"/Applications/Google Chrome.app/Contents/MacOS/Google Chrome", "/Applications/Chromium.app/Contents/MacOS/Chromium"}
}

// findBrowser looks where it is told to, and else for the usual names.
func findBrowser(told string) (string, error) {
	if told == "" {
		told = os.Getenv(browserVariable)
	}
	if told != "" {
		path, err := exec.LookPath(told)
		if err != nil {
			return "", fmt.Errorf("there is no browser at %s: %w", told, err)
		}
		return path, nil
	}
	for _, name := range browserNames() {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("found no Chromium or Chrome to look with: install one (apt install chromium), or name it by --browser PATH or " + browserVariable)
}
