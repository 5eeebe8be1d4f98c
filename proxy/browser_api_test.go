package proxy_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/numfocus/consentgate/proxy"
)

// asking is the script of a site that wants to know the decision at once and again later.
const asking = `
window.names = ['necessary', 'preferences', 'statistics', 'marketing', 'typeform', 'vimeo', 'google-analytics-4', 'meta-pixel', 'nobody'];
window.ask = () => names.filter(consentgate.has).join(' ');
window.early = ask() + ' / ' + Object.values(consentgate.state).map(a => a.join(' ')).join(' / ');
`

// say answers for the visitor, as a form of the page would.
func (b *tab) say(fields string) {
	b.Helper()
	eval[any](b, "fetch('/_consent/choice', {method: 'POST', headers: {Accept: 'application/json'}, body: new URLSearchParams('"+fields+"&revision=1')})")
}

// A site's own scripts that include the API can rely on it in every state, from the first
// of them on.
func TestAPIInEveryState(t *testing.T) {
	const (
		nothing = "necessary / necessary / "
		all     = "necessary preferences statistics marketing typeform vimeo google-analytics-4 meta-pixel / necessary preferences statistics marketing / "
	)
	b := asker(t, proxy.Enforce)
	for _, c := range []struct {
		state   string
		path    string // empty: one without a placeholder
		say     string
		headers network.Headers
		want    string // has / state.purposes / state.services
	}{
		{state: "undecided", want: nothing},
		{state: "undecided, with a placeholder", path: "/frame", want: nothing},
		{state: "refused", say: "choice=reject", want: nothing},
		{state: "refused, with a placeholder", path: "/frame", say: "choice=reject", want: nothing},
		{state: "signalled", headers: network.Headers{"Sec-GPC": "1"}, want: nothing},
		{state: "Do Not Track", headers: network.Headers{"DNT": "1"}, want: nothing},
		{state: "granted", say: "choice=accept", want: all},
		{state: "granted, and then signalled", say: "choice=accept", headers: network.Headers{"Sec-GPC": "1"},
			want: "necessary preferences statistics typeform google-analytics-4 / necessary preferences statistics / "},
		{state: "a purpose", say: "choice=save&purpose=preferences", want: "necessary preferences typeform / necessary preferences / "},
		{state: "a service", say: "choice=save&service=vimeo", want: "necessary vimeo / necessary / vimeo"},
		{state: "a service, with a placeholder", path: "/frame", say: "choice=save&service=vimeo", want: "necessary vimeo / necessary / vimeo"},
		{state: "a purpose and another's service", say: "choice=save&purpose=statistics&service=vimeo",
			want: "necessary statistics vimeo google-analytics-4 / necessary statistics / vimeo"},
		{state: "withdrawn", say: "choice=withdraw", want: nothing},
	} {
		b.forget()
		b.headers(nil)
		if c.say != "" {
			b.say(c.say)
		}
		b.headers(c.headers)
		b.open("/" + strings.TrimPrefix(c.path, "/"))
		b.wantAnswers(c.state, c.want)
		eval[any](b, "[consentgate.open()]")
		b.until("document.querySelector('#cg-dialog iframe')?.contentDocument?.querySelector('h1')")
	}
	b = asker(t, proxy.Observe)
	b.open("/")
	b.wantAnswers("where nothing is withheld yet", all)
}

// asker is at a site whose scripts ask.
func asker(t *testing.T, mode proxy.Mode) *tab {
	t.Helper()
	o, w := newOrigin(t), newRest(t)
	const api = `<script src="/_consent/api.js"></script>`
	o.serve(api, asking)
	plain := o.handle
	o.serve(api+`<iframe width="560" height="315" src="http://www.dailymotion.com/embed/video/x1"></iframe>`, asking)
	framed := o.handle
	o.handle = func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/frame" {
			framed(w, r)
			return
		}
		plain(w, r)
	}
	b := o.gateway(t, func(c *proxy.Config) { c.Sites[0].Mode = mode }).browser(t, w)
	b.open("/")
	return b
}

// headers are sent along with every request from now on.
func (b *tab) headers(h network.Headers) {
	b.Helper()
	if h == nil {
		h = network.Headers{}
	}
	if _, err := chromedp.Call(b.ctx, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: h}); err != nil {
		b.Fatal(err)
	}
}

func (b *tab) wantAnswers(state, want string) {
	b.Helper()
	b.until("document.readyState == 'complete'")
	if got := eval[string](b, "early"); got != want {
		b.Errorf("%s: at once, the answers are %q, want %q", state, got, want)
	}
	has, _, _ := strings.Cut(want, " /")
	if got := eval[string](b, "ask()"); got != has {
		b.Errorf("%s: later, the answers are %q, want %q", state, got, has)
	}
}

// Scripts that ask hear of another decision, also where the page has nothing of ours that
// would need to know of it.
func TestAPITellsOfChanges(t *testing.T) {
	o, w := newOrigin(t), newRest(t)
	o.serve(`<script src="/_consent/api.js"></script>`, asking+`
const heard = JSON.parse(sessionStorage.heard || '[]');
const hear = (how, s) => sessionStorage.heard = JSON.stringify([...JSON.parse(sessionStorage.heard || '[]'), how + ' ' + s.purposes.length + ' ' + ask()]);
consentgate.onchange = s => hear('called', s);
document.addEventListener('consentgate:change', e => hear('told', e.detail));
`)
	b := o.gateway(t).browser(t, w)
	b.open("/")
	b.say("choice=reject")
	b.open("/")
	b.until("document.readyState == 'complete'")
	other := b.another()
	other.open("/")
	eval[any](other, "[consentgate.open()]")
	const frame = "document.querySelector('#cg-dialog iframe')?.contentDocument"
	other.until(frame + "?.querySelector('.bar [value=accept]')")
	eval[any](other, "["+frame+".querySelector('.bar [value=accept]').click()]")
	b.until("window.ask && consentgate.has('marketing')")
	const all = "necessary preferences statistics marketing typeform vimeo google-analytics-4 meta-pixel"
	if got := eval[[]string](b, "JSON.parse(sessionStorage.heard)"); !slices.Equal(got, []string{"told 4 " + all, "called 4 " + all}) {
		t.Errorf("heard is %q", got)
	}
}

// The address of the API is the site's own to write down: it stays.
func TestAPIIsTheSameForEverybody(t *testing.T) {
	o := newOrigin(t)
	g := o.gateway(t)
	first := g.do(t, g.request(t, http.MethodGet, "/_consent/api.js", nil))
	script := body(t, first.Body)
	if h := first.Header.Get("Cache-Control"); h != "public, max-age=3600" || len(first.Cookies()) > 0 {
		t.Errorf("it may be kept for %q, and comes with the cookies %v", h, first.Cookies())
	}
	for who, header := range map[string]http.Header{"granted": {"Cookie": g.choose(t, map[string][]string{"choice": {"accept"}})}, "signalled": {"Sec-Gpc": {"1"}}} {
		if other := body(t, g.get(t, "/_consent/api.js", header)); other != script {
			t.Errorf("%s: it is another one", who)
		}
	}
}
