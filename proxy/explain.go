package proxy

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"slices"

	"github.com/numfocus/consentgate/consent"
	"github.com/numfocus/consentgate/consent/catalog"
	"github.com/numfocus/consentgate/proxy/headers"
	"github.com/numfocus/consentgate/proxy/inventory"
	"github.com/numfocus/consentgate/proxy/rewrite"
)

// An Explainer says what a gateway would do with something on a page of a site,
// and why. It decides with the gateway's own rules, and needs neither an origin
// nor a visitor. It is not for concurrent use.
type Explainer struct {
	site *site
	page catalog.URL
}

// NewExplainer makes one for a page of a site by its full URL. Only what judges
// is taken from the configuration: neither its upstream nor its notice is read.
func NewExplainer(c SiteConfig, pageURL string) (*Explainer, error) {
	known, err := newCatalog(readBuiltinOnce(), c.Services)
	if err != nil {
		return nil, err
	}
	e := &Explainer{site: &site{
		catalog:       known,
		firstParty:    newParties(c.Hosts, c.FirstParty),
		unknown:       cmp.Or(c.Unknown, UnknownBlockActive),
		strictCookies: c.Cookies == Strict,
	}}
	return e.At(pageURL)
}

// At makes one for another page of the same site.
func (e *Explainer) At(pageURL string) (*Explainer, error) {
	var parser catalog.Parser
	u, ok := parser.Parse(nil, []byte(pageURL))
	if !ok || len(u.Host) == 0 {
		return nil, fmt.Errorf("%q is not the full URL of a page", pageURL)
	}
	return &Explainer{
		site: e.site,
		page: catalog.URL{Scheme: slices.Clone(u.Scheme), Host: slices.Clone(u.Host), Path: slices.Clone(u.Path)},
	}, nil
}

// Catalog is the one the site decides by.
func (e *Explainer) Catalog() *catalog.Catalog { return e.site.catalog }

func (e *Explainer) judge(d consent.Decision) judge {
	return judge{site: e.site, host: string(e.page.Host), decision: d}
}

// URL judges a reference on the page.
func (e *Explainer) URL(ref string, k rewrite.Kind, d consent.Decision) Verdict {
	j := e.judge(d)
	return j.url(&e.page, k, []byte(ref))
}

// Cookie judges a cookie of the site by its name.
func (e *Explainer) Cookie(name string, d consent.Decision) Verdict {
	j := e.judge(d)
	return j.cookie(name)
}

// Page judges all that a page would load or run, in the order in which it
// stands there. charset is that of the Content-Type header; it may be empty.
func (e *Explainer) Page(html io.Reader, charset string, d consent.Decision) ([]Finding, error) {
	var found []Finding
	rules := onlyJudge{&page{
		judge: e.judge(d),
		base:  e.page,
		tally: new(tally),
		seen:  new(inventory.Sightings),
		trace: func(f Finding) { found = append(found, f) },
	}}
	w := rewrite.NewWriter(io.Discard, rules, rewrite.Options{Charset: charset})
	if _, err := io.Copy(w, html); err != nil {
		return found, err
	}
	return found, w.Close()
}

// Header judges what a response's header has a browser load, connect to or report
// to, whatever the body is.
func (e *Explainer) Header(h http.Header, d consent.Decision) []Finding {
	var found []Finding
	headers.Filter(h.Clone(), headers.Policy{Ads: true, Allowed: func(kind headers.Kind, url string) bool {
		found = append(found, Finding{Kind: inPage(kind), URL: url, Verdict: e.URL(url, inPage(kind), d)})
		return true
	}})
	return found
}

// onlyJudge leaves out what a page gets from the banner.
type onlyJudge struct{ *page }

func (onlyJudge) Language([]byte)                                         {}
func (onlyJudge) AppendContent(dst, _ []byte) []byte                      { return dst }
func (onlyJudge) AppendPlaceholder(dst []byte, _ *rewrite.Element) []byte { return dst }
func (onlyJudge) AppendInsert(dst []byte, _ rewrite.Place) []byte         { return dst }
