package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/numfocus/consentgate/proxy"
)

type scanOptions struct {
	pages                    int
	rate                     float64
	config, site, json, html string
}

func (o *scanOptions) register(f *flag.FlagSet) {
	f.IntVar(&o.pages, "pages", 50, "how many pages to read at most: a `NUMBER`")
	f.Float64Var(&o.rate, "rate", 2, "how many requests in a second at most: a `NUMBER`; robots.txt may ask for fewer")
	f.StringVar(&o.config, "config", "", "judge by the site in this `FILE`, and not by the catalog alone")
	f.StringVar(&o.site, "site", "", "which site, by `NAME`, where the file has several")
	f.StringVar(&o.json, "json", "", "write everything as JSON into a `FILE`; - is the standard output, and then nothing else is there")
	f.StringVar(&o.html, "html", "", "write a report to show and to print into a `FILE`")
}

func scanCommand(c console, args []string) int {
	var o scanOptions
	rest, code, ok := parse(c, "scan", &o, args)
	switch {
	case !ok:
		return code
	case len(rest) != 1:
		return misuse(c, "scan", "name the site's address")
	case o.pages < 1:
		return misuse(c, "scan", "--pages: it should be 1 or more")
	case !(o.rate > 0):
		return misuse(c, "scan", "--rate: it should be more than 0")
	}
	start, err := siteAddress(rest[0])
	if err != nil {
		return misuse(c, "scan", "%v", err)
	}
	site, code, ok := siteFrom(c, "scan", o.config, o.site, start.String())
	if !ok {
		return code
	}
	ctx, stop := untilTold()
	defer stop()
	report, err := o.scan(ctx, c, site, start)
	if err == nil {
		err = o.write(c, report)
	}
	if err != nil {
		return failed(c, "scan", err)
	}
	return exitFine
}

// siteAddress reads the address of a site; a host alone is meant by https, and one of
// this computer by http.
func siteAddress(word string) (*url.URL, error) {
	if !strings.Contains(word, "://") {
		scheme := "https://"
		if isOwnHost(hostOf("//" + word)) {
			scheme = "http://"
		}
		word = scheme + word
	}
	u, err := url.Parse(word)
	switch {
	case err != nil:
		return nil, err
	case u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "":
		return nil, fmt.Errorf("%q is not the address of a site", word)
	}
	u.User, u.Fragment = nil, ""
	if u.Path == "" {
		u.Path = "/"
	}
	return u, nil
}

// isOwnHost reports whether a host is this computer whoever looks it up.
func isOwnHost(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || err == nil && ip.IsLoopback()
}

// scan crawls and judges. When ctx ends, what was found until then is the
// result.
func (o *scanOptions) scan(ctx context.Context, c console, site proxy.SiteConfig, start *url.URL) (*scanReport, error) {
	explainer, err := proxy.NewExplainer(site, start.String())
	if err != nil {
		return nil, err
	}
	found := newFindings(explainer)
	bar := newProgress(c.err, "pages")
	crawl := newCrawler(crawlLimits{pages: o.pages, pause: time.Duration(float64(time.Second) / o.rate)})
	err = crawl.run(ctx, start, func(p *webPage) error {
		bar.show(uint64(crawl.read), uint64(crawl.expected()))
		return found.add(p)
	})
	bar.end()
	cut := errors.Is(err, context.Canceled) && crawl.read > 0
	if err != nil && !cut {
		return nil, err
	}
	return found.report(crawl, cut), nil
}

func (o *scanOptions) write(c console, r *scanReport) error {
	var errs []error
	if o.html != "" {
		errs = append(errs, createFile(o.html, func(w io.Writer) error { return writeScanHTML(w, r) }))
	}
	switch o.json {
	case "":
	case "-":
		return errors.Join(append(errs, writeJSON(c.out, r))...)
	default:
		errs = append(errs, createFile(o.json, func(w io.Writer) error { return writeJSON(w, r) }))
	}
	return errors.Join(append(errs, printScan(c.out, r))...)
}

func createFile(path string, write func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}
