package endpoint

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/numfocus/consentgate/consent"
	"github.com/numfocus/consentgate/consent/ledger"
	"github.com/numfocus/consentgate/consent/signal"
	"github.com/numfocus/consentgate/consent/token"
	"github.com/numfocus/consentgate/proxy/banner"
)

const (
	revision = "2026-11-01"
	host     = "numfocus.example"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func services() []*consent.Service {
	return []*consent.Service{
		{ID: "jsdelivr", Name: "jsDelivr", Vendor: "Volentio JSD Limited", Country: "GB", Purpose: consent.Necessary},
		{ID: "youtube", Name: "YouTube", Vendor: "Google LLC", Country: "US", Purpose: consent.Preferences},
		{ID: "typeform", Name: "Typeform", Vendor: "TYPEFORM SL", Country: "ES", Purpose: consent.Preferences},
		{ID: "google-analytics-4", Name: "Google Analytics 4", Vendor: "Google LLC", Country: "US", Purpose: consent.Statistics},
		{ID: "meta-pixel", Name: "Meta Pixel", Vendor: "Meta Platforms, Inc.", Country: "US", Purpose: consent.Marketing, Sells: true},
	}
}

// book is a ledger in memory that can be made to fail.
type book struct {
	mu       sync.Mutex
	receipts []ledger.Receipt
	refusals []ledger.Refusal
	broken   bool
}

var errBroken = errors.New("the disk is full")

func (b *book) Append(_ context.Context, r ledger.Receipt) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.broken {
		return errBroken
	}
	b.receipts = append(b.receipts, r)
	return nil
}

func (b *book) Refuse(_ context.Context, r ledger.Refusal) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.broken {
		return errBroken
	}
	b.refusals = append(b.refusals, r)
	return nil
}

func (b *book) Find(_ context.Context, record string) ([]ledger.Receipt, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.broken {
		return nil, errBroken
	}
	found := slices.DeleteFunc(slices.Clone(b.receipts), func(r ledger.Receipt) bool { return r.Record != record })
	if len(found) == 0 {
		return nil, ledger.ErrNotFound
	}
	return found, nil
}

func (b *book) Erase(ctx context.Context, record string) error {
	if _, err := b.Find(ctx, record); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.receipts = slices.DeleteFunc(b.receipts, func(r ledger.Receipt) bool { return r.Record == record })
	return nil
}

func (b *book) Close() error { return nil }

// counter is a source of "random" bytes that are the same in every run.
type counter byte

func (c *counter) Read(p []byte) (int, error) {
	for i := range p {
		*c++
		p[i] = byte(*c)
	}
	return len(p), nil
}

// world is a site behind a real server, and what happens to it.
type world struct {
	*testing.T
	endpoint *Endpoint
	server   *httptest.Server
	book     *book
	tokens   *token.Codec
	secure   bool
	mu       sync.Mutex // browsers ask for several things at once
	now      time.Time
	policy   consent.Policy
	reports  []string
	problems []error
}

func newWorld(t *testing.T, changes ...func(*Config, *Site)) *world {
	t.Helper()
	tokens, err := token.New([]token.Key{{1}})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{T: t, book: &book{}, tokens: tokens, now: noon, policy: consent.Policy{Revision: revision}}
	cfg := Config{GPCUpdated: "2026-11-01", SameParty: []string{"pydata.org"}}
	site := w.site()
	for _, change := range changes {
		change(&cfg, &site)
	}
	if site.Banner, err = notice(cfg.prefix()); err != nil {
		t.Fatal(err)
	}
	w.policy = site.Policy
	if w.endpoint, err = New(cfg, site); err != nil {
		t.Fatal(err)
	}
	w.server = httptest.NewServer(w.endpoint)
	t.Cleanup(w.server.Close)
	return w
}

func (w *world) site() Site {
	return Site{
		Name:     "numfocus",
		Hosts:    []string{host, "www." + host},
		Policy:   w.policy,
		Services: services(),
		Catalog:  "catalog-hash",
		Ledger:   w.book,
		Tokens:   w.tokens,
		Decide:   w.decide,
		Secure:   func(*http.Request) bool { return w.secure },
		Host:     func(r *http.Request) string { return r.Host },
		Now:      w.clock,
		Random:   new(counter),
		Report: func(_ *http.Request, mediaType string, body []byte) bool {
			w.reports = append(w.reports, mediaType+" "+string(body))
			return !strings.Contains(string(body), "too much")
		},
		Problem: func(_ *http.Request, err error) { w.problems = append(w.problems, err) },
	}
}

func (w *world) decide(r *http.Request) consent.Decision {
	v := consent.Visitor{Signals: signal.Read(r.Header)}
	name := token.Cookie{Secure: w.secure}.Name()
	for _, value := range token.Find(r.Header["Cookie"], name) {
		if c, err := w.tokens.Decode(value); err == nil {
			v.Choice = &c
		}
	}
	for _, value := range token.Find(r.Header["Cookie"], token.Cookie{Secure: w.secure}.OnceName()) {
		v.Once, _ = w.tokens.DecodeOnce(value)
	}
	return w.policy.Decide(v, w.clock())
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

// setClock lets time pass or go back while a browser is open.
func (w *world) setClock(now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = now
}

// notice is made once for the default prefix: it takes most of a test's time.
func notice(prefix string) (*banner.Banner, error) {
	if prefix == DefaultPrefix {
		return defaultNotice()
	}
	return banner.New(noticeConfig(), services(), prefix)
}

var defaultNotice = sync.OnceValues(func() (*banner.Banner, error) {
	return banner.New(noticeConfig(), services(), DefaultPrefix)
})

func noticeConfig() banner.Config {
	return banner.Config{
		Controller: "NumFOCUS", PrivacyPolicy: "/privacy-policy", Contact: "privacy@numfocus.example", Revision: revision,
	}
}

// visitor has the cookies and headers of one browser.
type visitor struct {
	*world
	cookies map[string]string
	headers http.Header
}

func (w *world) visitor(headers ...string) *visitor {
	v := &visitor{world: w, cookies: make(map[string]string), headers: make(http.Header)}
	for i := 0; i < len(headers); i += 2 {
		v.headers.Set(headers[i], headers[i+1])
	}
	return v
}

// answer is a response with its body read.
type answer struct {
	*http.Response
	body string
}

func (v *visitor) do(method, path, body string, headers ...string) answer {
	v.Helper()
	r, err := http.NewRequest(method, v.server.URL+path, strings.NewReader(body))
	if err != nil {
		v.Fatal(err)
	}
	r.Host = host
	r.Header = v.headers.Clone()
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	for name, value := range v.cookies {
		r.Header.Add("Cookie", name+"="+value)
	}
	response, err := (&http.Transport{DisableCompression: true}).RoundTrip(r)
	if err != nil {
		v.Fatal(err)
	}
	defer response.Body.Close()
	v.remember(response)
	text, err := io.ReadAll(response.Body)
	if err != nil {
		v.Fatal(err)
	}
	return answer{response, string(text)}
}

func (v *visitor) remember(response *http.Response) {
	for _, c := range response.Cookies() {
		if v.cookies == nil {
			return // the test keeps its own
		}
		v.cookies[c.Name] = c.Value
	}
}

func (v *visitor) get(path string, headers ...string) answer {
	v.Helper()
	return v.do(http.MethodGet, path, "", headers...)
}

// choose sends a form as a page of the site would.
func (v *visitor) choose(fields url.Values, headers ...string) answer {
	v.Helper()
	if !fields.Has("revision") {
		fields.Set("revision", revision)
	}
	return v.post(fields, append([]string{"Origin", v.origin(), "Sec-Fetch-Site", "same-origin"}, headers...)...)
}

func (v *visitor) post(fields url.Values, headers ...string) answer {
	v.Helper()
	headers = append([]string{"Content-Type", "application/x-www-form-urlencoded"}, headers...)
	return v.do(http.MethodPost, "/_consent/choice", fields.Encode(), headers...)
}

func (v *visitor) origin() string {
	if v.secure {
		return "https://" + host
	}
	return "http://" + host
}

// choice is what the visitor's cookie says.
func (v *visitor) choice() consent.Choice {
	v.Helper()
	value, ok := v.cookies[token.Cookie{Secure: v.secure}.Name()]
	if !ok {
		v.Fatal("the visitor has no consent cookie")
	}
	c, err := v.tokens.Decode(value)
	if err != nil {
		v.Fatal(err)
	}
	return c
}

func (v *visitor) hasChosen() bool {
	_, ok := v.cookies[token.Cookie{Secure: v.secure}.Name()]
	return ok
}

func fields(pairs ...string) url.Values {
	f := make(url.Values)
	for i := 0; i < len(pairs); i += 2 {
		f.Add(pairs[i], pairs[i+1])
	}
	return f
}
