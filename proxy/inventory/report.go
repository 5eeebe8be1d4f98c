package inventory

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/numfocus/consentgate/consent"
)

// Media types of what browsers report.
const (
	MediaCSP     = "application/csp-report"   // to a report-uri
	MediaReports = "application/reports+json" // to a report-to, by the Reporting API
)

// maxViolations is how many of one body are looked at.
const maxViolations = 16

// A Violation is what a browser says it refused to load because of the content
// security policy. Whatever else the report holds (user agent, referrer, sample,
// query) is not taken.
type Violation struct {
	Directive   string // "script-src-elem"
	Disposition string // "enforce" or "report"
	Host        string // what was refused: a host, or a word such as "inline"
	URL         string // of what was refused, to find out whose it is; it is not kept
	Document    string // host of the page
	Page        string // path of the page
}

// ParseReports reads a body of either media type. It returns what makes sense in
// it, at most sixteen violations; the error is of a body that is not JSON of
// the right shape.
func ParseReports(mediaType string, body []byte) ([]Violation, error) {
	var found []Violation
	add := func(v Violation, ok bool) {
		if ok && len(found) < maxViolations {
			found = append(found, v)
		}
	}
	switch mediaType {
	case MediaCSP:
		var report struct {
			CSP *struct {
				Document    string `json:"document-uri"`
				Blocked     string `json:"blocked-uri"`
				Effective   string `json:"effective-directive"`
				Violated    string `json:"violated-directive"`
				Disposition string `json:"disposition"`
			} `json:"csp-report"`
		}
		if err := json.Unmarshal(body, &report); err != nil {
			return nil, fmt.Errorf("read CSP report: %w", err)
		}
		r := report.CSP
		if r == nil {
			return nil, errors.New("read CSP report: it has no csp-report")
		}
		if r.Effective == "" { // CSP level 1 has only the other, with its sources
			r.Effective, _, _ = strings.Cut(r.Violated, " ")
		}
		add(violation(r.Document, r.Blocked, r.Effective, r.Disposition))
	case MediaReports:
		var reports []struct {
			Type string `json:"type"`
			Body struct {
				Document    string `json:"documentURL"`
				Blocked     string `json:"blockedURL"`
				Effective   string `json:"effectiveDirective"`
				Disposition string `json:"disposition"`
			} `json:"body"`
		}
		if err := json.Unmarshal(body, &reports); err != nil {
			return nil, fmt.Errorf("read reports: %w", err)
		}
		for _, r := range reports {
			if r.Type == "csp-violation" {
				add(violation(r.Body.Document, r.Body.Blocked, r.Body.Effective, r.Body.Disposition))
			}
		}
	default:
		return nil, fmt.Errorf("%q is not a media type of reports", mediaType)
	}
	return found, nil
}

// violation takes over what is kept of a report. What an extension of the
// browser wanted is not the site's affair.
func violation(document, blocked, directive, disposition string) (v Violation, ok bool) {
	page, err := url.Parse(document)
	if err != nil || !isWeb(page.Scheme) || !slices.Contains(directives(), directive) {
		return Violation{}, false
	}
	if disposition != "report" {
		disposition = "enforce"
	}
	host := blockedHost(blocked)
	return Violation{
		Directive:   directive,
		Disposition: disposition,
		Host:        host,
		URL:         blocked,
		Document:    hostOf(page),
		Page:        page.EscapedPath(),
	}, host != ""
}

// directives are those that can be an effective directive of what the gateway's
// policy says.
func directives() []string {
	return []string{
		"base-uri", "child-src", "connect-src", "default-src", "fenced-frame-src", "font-src", "form-action",
		"frame-ancestors", "frame-src", "img-src", "manifest-src", "media-src", "object-src", "prefetch-src",
		"script-src", "script-src-attr", "script-src-elem", "style-src", "style-src-attr", "style-src-elem", "worker-src",
	}
}

// blockedHost is the host of a URL, or the word that stands for something
// without (CSP3 section 5.3); empty for neither.
func blockedHost(blocked string) string {
	switch blocked {
	case "inline", "eval", "wasm-eval", "data", "blob":
		return blocked
	}
	u, err := url.Parse(blocked)
	if err != nil || !isWeb(u.Scheme) {
		return ""
	}
	return hostOf(u)
}

func isWeb(scheme string) bool {
	switch scheme {
	case "http", "https", "ws", "wss":
		return true
	}
	return false
}

// hostOf is the host of a URL in lower case, or nothing where it holds what no
// host in a browser's report has.
func hostOf(u *url.URL) string {
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	odd := func(c rune) bool {
		return !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || strings.ContainsRune("-._:", c))
	}
	if len(host) > maxName || strings.ContainsFunc(host, odd) {
		return ""
	}
	return host
}

// AllowReport counts a report of a source, such as an address, and reports
// whether it is within the limits. The source is not kept.
func (inv *Inventory) AllowReport(source string) bool {
	if inv.limit.allow(source, inv.now()) {
		return true
	}
	inv.mu.Lock()
	defer inv.mu.Unlock()
	inv.reports.refused++
	return false
}

// Report counts a violation. service is whose that is which was refused; nil is
// nobody's that the catalog knows.
func (inv *Inventory) Report(v Violation, service *consent.Service) {
	r := Reported{Host: v.Host, Directive: v.Directive, Disposition: v.Disposition}
	if service != nil {
		r.Service = service.ID
	}
	inv.mu.Lock()
	defer inv.mu.Unlock()
	today := inv.clock.day(inv.now())
	before := len(inv.reports.known)
	if inv.reports.add(r, v.Page, today); len(inv.reports.known) != before {
		inv.parties.Add(1)
	}
	inv.changed = true
}
