package main

import (
	"bytes"
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/numfocus/consentgate/consent"
	"github.com/numfocus/consentgate/consent/catalog"
	"github.com/numfocus/consentgate/examples/demo"
	"github.com/numfocus/consentgate/proxy"
)

type explainOptions struct{ granted, config, site, page string }

func (o *explainOptions) register(f *flag.FlagSet) {
	f.StringVar(&o.granted, "granted", "", "`WORDS` with a comma between: purposes and services that the visitor has granted")
	f.StringVar(&o.config, "config", "", "explain by the site in this `FILE`, and not by the catalog alone")
	f.StringVar(&o.site, "site", "", "which site, by `NAME`, where the file has several")
	f.StringVar(&o.page, "page", "", "`URL` of the page it is on, which says who the first party is")
}

func explainCommand(c console, args []string) int {
	var o explainOptions
	rest, code, ok := parse(c, "explain", &o, args)
	switch {
	case !ok:
		return code
	case len(rest) != 1:
		return misuse(c, "explain", "name one URL, cookie or file")
	}
	site, code, ok := siteFrom(c, "explain", o.config, o.site, o.page)
	if !ok {
		return code
	}
	pageURL := cmp.Or(o.page, homeOf(site))
	explainer, err := proxy.NewExplainer(site, pageURL)
	if err != nil {
		return misuse(c, "explain", "--page: %v", err)
	}
	decision, err := grant(o.granted, explainer.Catalog())
	if err != nil {
		return misuse(c, "explain", "--granted: %v", err)
	}
	e := explanation{c, explainer, decision, pageURL}
	if err := e.say(rest[0]); err != nil {
		return failed(c, "explain", err)
	}
	return exitFine
}

// siteFrom finds the site that a command means by its flags --config, --site and
// a page; without a file it is any, or the demo's.
func siteFrom(c console, command, file, name, page string) (site proxy.SiteConfig, code int, ok bool) {
	if file == "" {
		if name != "" {
			return site, misuse(c, command, "--site needs --config"), false
		}
		return siteWithoutFile(c, command, page)
	}
	conf, ok := readConfig(c, file)
	if !ok {
		return site, exitUsage, false
	}
	var names []string
	for _, s := range conf.Proxy.Sites {
		own := append([]string{s.Name}, s.Hosts...)
		if name == "" && len(conf.Proxy.Sites) == 1 || slices.Contains(own, cmp.Or(name, hostOf(page))) {
			return s, exitFine, true
		}
		names = append(names, strings.Join(own, " "))
	}
	return site, misuse(c, command, "--site: which of %s?", strings.Join(names, "; ")), false
}

// siteWithoutFile knows the demo by its host: whoever tries a command on it means
// the stand-ins to be whom they stand for.
func siteWithoutFile(c console, command, page string) (site proxy.SiteConfig, code int, ok bool) {
	if host := hostOf(page); host != demo.With && host != demo.Without {
		return site, exitFine, true
	}
	services, err := demoServices()
	if err != nil {
		return site, failed(c, command, err), false
	}
	return proxy.SiteConfig{Services: services}, exitFine, true
}

func hostOf(page string) string {
	u, err := url.Parse(page)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// homeOf is a page of the site to start from.
func homeOf(site proxy.SiteConfig) string {
	if len(site.Hosts) > 0 {
		return "https://" + site.Hosts[0] + "/"
	}
	return "https://site.invalid/"
}

// grant makes the decision for a visitor who has granted what the words say.
func grant(words string, known *catalog.Catalog) (consent.Decision, error) {
	now := time.Now()
	choice := consent.Choice{At: now}
	for word := range strings.SplitSeq(words, ",") {
		word = strings.TrimSpace(word)
		purpose, err := consent.ParsePurpose(word)
		_, isService := known.Service(consent.ServiceID(word))
		switch {
		case word == "":
		case err == nil:
			choice.Purposes = choice.Purposes.With(purpose)
		case isService:
			choice.Services = append(choice.Services, consent.ServiceID(word))
		default:
			return consent.Decision{}, noSuchGrant(word, known)
		}
	}
	slices.Sort(choice.Services)
	return consent.Policy{}.Decide(consent.Visitor{Choice: &choice}, now), nil
}

func noSuchGrant(word string, known *catalog.Catalog) error {
	var names []string
	for _, p := range consent.AllPurposes() {
		names = append(names, string(p))
	}
	for _, s := range known.Services() {
		names = append(names, string(s.ID))
	}
	if near := nearest(word, names); near != "" {
		return fmt.Errorf("%q is neither a purpose nor a service; did you mean %q?", word, near)
	}
	return fmt.Errorf("%q is neither a purpose nor a service", word)
}

// An explanation answers one question.
type explanation struct {
	console
	*proxy.Explainer
	decision consent.Decision
	page     string
}

// say tells what the word is by what it looks like: a URL, a file, a host, and
// else a cookie.
func (e explanation) say(word string) error {
	if strings.Contains(word, "://") || strings.HasPrefix(word, "//") {
		e.sayURL(word)
		return nil
	}
	text, err := os.ReadFile(word)
	switch {
	case err == nil:
		return e.sayPage(word, text)
	case !errors.Is(err, fs.ErrNotExist) || strings.HasSuffix(word, ".html") || strings.HasSuffix(word, ".htm"):
		return fmt.Errorf("read the page: %w", err)
	}
	if m := e.Catalog().Cookie(word, ""); m.Service == nil && strings.Contains(word, ".") {
		e.sayURL("https://" + word)
		return nil
	}
	e.sayCookie(word)
	return nil
}

func (e explanation) sayPage(name string, text []byte) error {
	found, err := e.Page(bytes.NewReader(text), "", e.decision)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	e.list(name, text, found)
	return nil
}
