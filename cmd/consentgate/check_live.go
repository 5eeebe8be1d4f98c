package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/numfocus/consentgate/consent"
	"github.com/numfocus/consentgate/proxy"
	"github.com/numfocus/consentgate/proxy/upstream"
)

// checkLive looks at what really reaches a new visitor, for what somebody
// between the gateway and the visitor has added: a CDN can put its beacon into a
// page after the gateway has cleaned it, and the gateway cannot see that.
func checkLive(c console, o checkOptions, rest []string) int {
	start, err := siteAddress(o.live)
	if err != nil {
		return misuse(c, "check", "--live: %v", err)
	}
	var file string
	if len(rest) == 1 {
		file = rest[0]
	}
	site, code, ok := siteFrom(c, "check", file, o.site, start.String())
	if !ok {
		return code
	}
	ctx, stop := untilTold()
	defer stop()
	found, err := lookLive(ctx, o, site, start)
	if err != nil {
		return failed(c, "check", err)
	}
	return printLive(c.out, start, found)
}

// A liveFinding is something about the page that reached the visitor.
type liveFinding struct {
	problem string
	cure    string
	harmful bool // else it is only told
}

func lookLive(ctx context.Context, o checkOptions, site proxy.SiteConfig, start *url.URL) ([]liveFinding, error) {
	public, err := visitLive(ctx, start, nil)
	if err != nil {
		return nil, err
	}
	explainer, err := proxy.NewExplainer(site, public.url.String())
	if err != nil {
		return nil, err
	}
	look := liveLook{public: public, explainer: explainer, nobody: consent.Policy{}.Decide(consent.Visitor{}, time.Now())}
	if o.gateway != "" {
		at, err := siteAddress(o.gateway)
		if err != nil {
			return nil, fmt.Errorf("--gateway: %w", err)
		}
		if look.direct, err = visitLive(ctx, public.url, at); err != nil {
			return nil, fmt.Errorf("ask the gateway itself: %w", err)
		}
	}
	return look.findings()
}

// visitLive asks for a page as a browser does that was never there. With at, it
// is asked for at another address.
func visitLive(ctx context.Context, page, at *url.URL) (*webPage, error) {
	to := *page
	if at != nil {
		to.Scheme, to.Host = at.Scheme, at.Host
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, to.String(), nil)
	if err != nil {
		return nil, err
	}
	for name, value := range map[string]string{
		"User-Agent": "Mozilla/5.0 (compatible; consentgate-check/" + buildVersion() + ")",
		"Accept":     "text/html,application/xhtml+xml,*/*;q=0.8", "Accept-Language": "en",
		"Sec-Fetch-Dest": "document", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "none",
	} {
		req.Header.Set(name, value)
	}
	if at != nil {
		req.Host = page.Host
		req.Header.Set("X-Forwarded-Proto", page.Scheme)
		req.Header.Set("X-Forwarded-Host", page.Host)
	}
	client := http.Client{Timeout: time.Minute}
	if at != nil {
		client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	res, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxLiveBytes))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", page, err)
	}
	p := &webPage{url: res.Request.URL, status: res.StatusCode, header: res.Header, body: body}
	if p.status != http.StatusOK || !p.isHTML() {
		return nil, fmt.Errorf("%s answers %d %s, which is no page", &to, p.status, p.header.Get("Content-Type"))
	}
	return p, nil
}

// maxLiveBytes of a page are looked at.
const maxLiveBytes = 32 << 20

// A liveLook compares what reached the visitor with what the gateway sends.
type liveLook struct {
	public    *webPage
	direct    *webPage // nil: the gateway was not asked itself
	explainer *proxy.Explainer
	nobody    consent.Decision // what somebody who was never there has agreed to
}

func (l *liveLook) findings() ([]liveFinding, error) {
	found := l.gatewayItself()
	found = append(found, l.injected()...)
	foreign, err := l.foreign()
	if err != nil {
		return nil, err
	}
	return append(found, foreign...), nil
}

// gatewayItself looks for the gateway's own marks.
func (l *liveLook) gatewayItself() (found []liveFinding) {
	if !bytes.Contains(l.public.body, []byte(`id="cg-settings"`)) {
		found = append(found, liveFinding{"the page does not come from the gateway, or what it puts into pages was taken out", "let the public address lead to the gateway", true})
	}
	if status := strings.ToUpper(l.public.header.Get("Cf-Cache-Status")); status == "HIT" || status == "STALE" || status == "REVALIDATED" {
		found = append(found, liveFinding{"Cloudflare keeps this page: one visitor gets what another has agreed to",
			"leave HTML out of the cache rules (no \"Cache Everything\", no APO): the gateway sends it as private", true})
	}
	if l.direct == nil {
		return found
	}
	for _, name := range []string{"Content-Security-Policy", "Tk"} {
		if !slices.Equal(l.public.header.Values(name), l.direct.header.Values(name)) {
			found = append(found, liveFinding{"the header " + name + " is another one than the gateway's", "leave it alone in the rules of what stands in front", true})
		}
	}
	return found
}

// An injection is something that Cloudflare puts into pages on their way.
type injection struct {
	name    string
	marks   []string
	cure    string
	harmful bool
}

func injections() []injection {
	return []injection{
		{"Cloudflare Web Analytics", []string{"static.cloudflareinsights.com/beacon", "data-cf-beacon"}, "Web Analytics > Manage site: no automatic setup", true},
		{"Cloudflare Zaraz", []string{"/cdn-cgi/zaraz/"}, "Zaraz > Settings: no auto-injection, or remove its tools", true},
		{"Cloudflare Rocket Loader", []string{"rocket-loader.min.js", "data-cf-settings", `-text/javascript"`}, "Speed > Optimization: Rocket Loader off; it runs scripts in another order, the gateway's guard among them", true},
		{"Cloudflare's apps", []string{"/cdn-cgi/apps/"}, "Apps: uninstall", true},
		{"Cloudflare's protection of e-mail addresses", []string{"email-decode.min.js", "/cdn-cgi/l/email-protection"}, "no tracker; Scrape Shield > Email Address Obfuscation turns it off", false},
		{"Cloudflare's detection of robots", []string{"/cdn-cgi/challenge-platform/"}, "no tracker, but it sets __cf_bm; Security > Bots turns it off", false},
		{"Cloudflare Mirage", []string{"/mirage2.min.js"}, "Speed > Optimization: Mirage off", false},
	}
}

// injected looks for what Cloudflare is known to put into pages. What the
// gateway itself sends, because the origin has it, is not of that kind.
func (l *liveLook) injected() (found []liveFinding) {
	for _, i := range injections() {
		for _, mark := range i.marks {
			if !bytes.Contains(l.public.body, []byte(mark)) || l.direct != nil && bytes.Contains(l.direct.body, []byte(mark)) {
				continue
			}
			found = append(found, liveFinding{i.name + " is put into the page behind the gateway (" + mark + ")", i.cure, i.harmful})
			break
		}
	}
	return found
}

// foreign looks for what the gateway would have withheld, and so cannot have
// sent; and, where it was asked itself, for whatever it did not send.
func (l *liveLook) foreign() (found []liveFinding, err error) {
	charset := upstream.Charset(l.public.header)
	all, err := l.explainer.Page(bytes.NewReader(l.public.body), charset, l.nobody)
	if err != nil {
		return nil, fmt.Errorf("read the page: %w", err)
	}
	sent, err := l.sent()
	if err != nil {
		return nil, err
	}
	for _, f := range all {
		switch what := thing(f); {
		case f.Withheld:
			found = append(found, liveFinding{what + " was not in what the gateway sent: a new visitor has not agreed to it" + l.refusal(f), "find who adds it between the gateway and the visitor", true})
		case sent != nil && sent[what] == 0:
			found = append(found, liveFinding{what + " is not in what the gateway sends", "find who adds it between the gateway and the visitor; a page that changes with each request shows it too", false})
		case sent != nil:
			sent[what]--
		}
	}
	return found, nil
}

// sent counts what the gateway's own page has; nil if it was not asked.
func (l *liveLook) sent() (map[string]int, error) {
	if l.direct == nil {
		return nil, nil
	}
	all, err := l.explainer.Page(bytes.NewReader(l.direct.body), upstream.Charset(l.direct.header), l.nobody)
	if err != nil {
		return nil, fmt.Errorf("read the gateway's page: %w", err)
	}
	n := map[string]int{}
	for _, f := range all {
		n[thing(f)]++
	}
	return n, nil
}

func thing(f proxy.Finding) string {
	if f.URL == "" {
		if f.Service != nil {
			return fmt.Sprintf("an inline script of %s", f.Service.Name)
		}
		return "an inline " + f.Element
	}
	ref, _, _ := strings.Cut(f.URL, "?")
	return fmt.Sprintf("<%s %s=%q>", f.Element, f.Attr, ref)
}

// refusal says whether the page's policy has browsers refuse a script all the
// same: the second fence.
func (l *liveLook) refusal(f proxy.Finding) string {
	if f.Element != "script" || f.Host == "" {
		return ""
	}
	for _, line := range l.public.header.Values("Content-Security-Policy") {
		for policy := range strings.SplitSeq(line, ",") {
			if sources, ok := scriptSources(policy); ok && !allowsHost(sources, f.Host) {
				return "; the gateway's policy has browsers refuse it, and tell /_consent/report"
			}
		}
	}
	return "; no policy keeps browsers from it"
}

// scriptSources gives the sources that a policy allows script elements from.
func scriptSources(policy string) (sources []string, ok bool) {
	directives := map[string][]string{}
	for directive := range strings.SplitSeq(policy, ";") {
		if words := strings.Fields(directive); len(words) > 0 {
			if name := strings.ToLower(words[0]); directives[name] == nil {
				directives[name] = words[1:]
			}
		}
	}
	for _, name := range []string{"script-src-elem", "script-src", "default-src"} {
		if sources, ok = directives[name]; ok {
			return sources, true
		}
	}
	return nil, false
}

func allowsHost(sources []string, host string) bool {
	for _, s := range sources {
		s = strings.TrimPrefix(strings.TrimPrefix(strings.ToLower(s), "https://"), "http://")
		s, _, _ = strings.Cut(s, "/")
		if s == "*" || s == "https:" || s == "http:" || s == host || strings.HasPrefix(s, "*.") && strings.HasSuffix(host, s[1:]) {
			return true
		}
	}
	return false
}

func printLive(w io.Writer, page *url.URL, found []liveFinding) int {
	code := exitFine
	told := map[liveFinding]bool{}
	for _, f := range found {
		told[f] = true
		if f.harmful {
			code = exitFailed
		}
	}
	if len(told) == 0 {
		fmt.Fprintf(w, "%s: fine, nothing was added between the gateway and a new visitor\n", page)
		return code
	}
	fmt.Fprintf(w, "%s, as a new visitor gets it:\n", page)
	list := slices.SortedFunc(maps.Keys(told), func(a, b liveFinding) int {
		if a.harmful != b.harmful {
			if a.harmful {
				return -1
			}
			return 1
		}
		return strings.Compare(a.problem, b.problem)
	})
	for _, f := range list {
		sign := "!"
		if !f.harmful {
			sign = "-"
		}
		fmt.Fprintf(w, "%s %s\n  %s\n", sign, f.problem, f.cure)
	}
	return code
}
