package main

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	"github.com/chromedp/cdproto/network"

	"github.com/numfocus/consentgate/consent"
	"github.com/numfocus/consentgate/consent/token"
	"github.com/numfocus/consentgate/proxy"
	"github.com/numfocus/consentgate/proxy/rewrite"
)

// An auditJudge holds what a browser did against a decision, by the gateway's
// own rules.
type auditJudge struct {
	*proxy.Explainer
	notice *auditNotice // nil: the site has none of ours
}

func (j auditJudge) at(page string) (auditJudge, error) {
	explainer, err := j.At(page)
	return auditJudge{explainer, j.notice}, err
}

// Verdicts.
const (
	allowed   = "allowed"
	escaped   = "escaped"
	byAllowed = "called by a third party that was allowed"
)

// contact judges one request that went to somebody else.
func (j auditJudge) contact(v *auditVisit, c contact, as network.ResourceType) {
	kind, word := kindOf(c, as)
	verdict := j.URL(c.url, kind, v.decision)
	if verdict.Host == "" && verdict.Service == nil {
		return // the first party
	}
	u, err := url.Parse(c.url)
	if err != nil {
		return
	}
	if verdict.Host == "" { // a service on the site itself is no third party
		if !verdict.Withheld {
			return
		}
		verdict.Host = u.Hostname()
	}
	found := auditContact{Host: verdict.Host, Kind: word, Verdict: allowed, Rule: verdict.Rule}
	if verdict.Service != nil {
		found.Service, found.Name, found.Purpose = verdict.Service.ID, verdict.Service.Name, verdict.Service.Purpose
	}
	switch by := j.thirdParty(c.initiator); {
	case !verdict.Withheld:
	case by != "" && !j.URL(c.initiator+"/", rewrite.Frame, v.decision).Withheld:
		found.Verdict, found.By = byAllowed, by
	default:
		found.Verdict, found.By = escaped, by
	}
	v.addContact(found, c.url)
}

// thirdParty gives the host of an origin that is not the site's own.
func (j auditJudge) thirdParty(origin string) string {
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" {
		return ""
	}
	return j.URL(origin+"/", rewrite.Frame, consent.Decision{}).Host
}

// kindOf says what a request was for. One the window itself knows nothing of
// comes from a worker or a frame, and may be anything.
func kindOf(c contact, as network.ResourceType) (rewrite.Kind, string) {
	switch {
	case c.hint:
		return rewrite.Hint, "connection"
	case c.page:
		return rewrite.Refresh, "page"
	}
	switch as {
	case network.ResourceTypeImage:
		return rewrite.Image, "picture"
	case network.ResourceTypeStylesheet:
		return rewrite.Style, "style sheet"
	case network.ResourceTypeFont:
		return rewrite.Font, "font"
	case network.ResourceTypeMedia, network.ResourceTypeTextTrack:
		return rewrite.Media, "media"
	case network.ResourceTypeDocument:
		return rewrite.Frame, "frame"
	case network.ResourceTypeScript:
		return rewrite.Script, "script"
	case network.ResourceTypePrefetch:
		return rewrite.Prefetch, "prefetch"
	case network.ResourceTypePing:
		return rewrite.Beacon, "beacon"
	case network.ResourceTypeWebSocket:
		return rewrite.Beacon, "WebSocket"
	}
	return rewrite.Beacon, "request"
}

// cookie judges a cookie by its name and the domain it is for.
func (j auditJudge) cookie(v *auditVisit, name, domain string) {
	if token.IsOurs(name) {
		return
	}
	k := auditKept{Name: name, Where: "cookie of " + strings.TrimPrefix(domain, ".")}
	host := j.thirdParty("https://" + strings.TrimPrefix(domain, "."))
	if host == "" {
		k.judge(j.Cookie(name, v.decision))
		v.keep(k)
		return
	}
	m := j.Catalog().Cookie(name, host)
	verdict := proxy.Verdict{Service: m.Service, Withheld: !v.decision.AllowsUnknown()}
	if m.Service == nil {
		verdict = j.URL("https://"+host+"/", rewrite.Frame, v.decision)
	} else {
		verdict.Withheld = !v.decision.Allows(m.Service)
	}
	k.judge(verdict)
	v.keep(k)
}

// key judges the name of something a script keeps in the browser: those who set
// cookies keep the same names there.
func (j auditJudge) key(v *auditVisit, where, name string) {
	k := auditKept{Name: name, Where: where}
	if verdict := j.Cookie(name, v.decision); verdict.Service != nil {
		k.judge(verdict)
	} else {
		k.Verdict = allowed
	}
	v.keep(k)
}

func (k *auditKept) judge(verdict proxy.Verdict) {
	k.Verdict = allowed
	if verdict.Service != nil {
		k.Service, k.By, k.Purpose = verdict.Service.ID, verdict.Service.Name, verdict.Service.Purpose
	}
	if verdict.Withheld {
		k.Verdict = escaped
	}
}

// addContact counts requests that are alike together, with a few examples.
func (v *auditVisit) addContact(found auditContact, url string) {
	i := slices.IndexFunc(v.Contacts, func(c auditContact) bool {
		return c.Host == found.Host && c.Kind == found.Kind && c.Verdict == found.Verdict && c.Service == found.Service && c.By == found.By
	})
	if i < 0 {
		i = len(v.Contacts)
		v.Contacts = append(v.Contacts, found)
	}
	c := &v.Contacts[i]
	c.Count++
	if len(c.URLs) < 3 && !slices.Contains(c.URLs, url) {
		c.URLs = append(c.URLs, url)
	}
}

func (v *auditVisit) keep(k auditKept) {
	same := func(other auditKept) bool { return other.Name == k.Name && other.Where == k.Where }
	if !slices.ContainsFunc(v.Kept, same) {
		v.Kept = append(v.Kept, k)
	}
}

// finish takes out connections that a request followed, sorts what escaped to
// the front, and counts it.
func (v *auditVisit) finish() {
	asked := map[string]bool{}
	for _, c := range v.Contacts {
		if c.Kind != "connection" {
			asked[c.Host] = true
		}
	}
	v.Contacts = slices.DeleteFunc(v.Contacts, func(c auditContact) bool { return c.Kind == "connection" && asked[c.Host] })
	slices.SortStableFunc(v.Contacts, func(a, b auditContact) int {
		return cmp.Or(cmp.Compare(rank(a.Verdict), rank(b.Verdict)), cmp.Compare(a.Host, b.Host), cmp.Compare(a.Kind, b.Kind))
	})
	slices.SortStableFunc(v.Kept, func(a, b auditKept) int {
		return cmp.Or(cmp.Compare(rank(a.Verdict), rank(b.Verdict)), cmp.Compare(a.Where, b.Where), cmp.Compare(a.Name, b.Name))
	})
	for _, c := range v.Contacts {
		if c.Verdict == escaped {
			v.Escaped++
		}
	}
	for _, k := range v.Kept {
		if k.Verdict == escaped {
			v.Escaped++
		}
	}
}

func rank(verdict string) int { return slices.Index([]string{escaped, byAllowed, allowed}, verdict) }
