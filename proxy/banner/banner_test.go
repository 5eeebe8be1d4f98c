package banner

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/numfocus/consentgate/consent"
)

var update = flag.Bool("update", false, "write the golden files anew")

// exampleServices are of every purpose, of several vendors, and set cookies in
// every way.
func exampleServices() []*consent.Service {
	const google, googlePrivacy = "Google LLC", "https://policies.google.com/privacy"
	return []*consent.Service{
		{ID: "jsdelivr", Name: "jsDelivr", Vendor: "Volentio JSD Limited", Country: "GB", PrivacyURL: "https://www.jsdelivr.com/terms/privacy-policy",
			Purpose: consent.Necessary, Loss: "Parts of the site do not work."},
		{ID: "youtube", Name: "YouTube", Vendor: google, Country: "US", PrivacyURL: googlePrivacy,
			Purpose: consent.Preferences, Loss: "Videos are shown as a box with a link.", Withheld: consent.Placeholder,
			Cookies: []consent.Cookie{{Name: "VISITOR_INFO1_LIVE", Lifetime: "6 months", SetBy: consent.ByHTTP, Domain: "youtube.com"}}},
		{ID: "typeform", Name: "Typeform", Vendor: "TYPEFORM SL", Country: "ES", PrivacyURL: "https://www.typeform.com/help/a/privacy/",
			Purpose: consent.Preferences, Loss: "Forms are shown as a box with a link.", Withheld: consent.Placeholder},
		{ID: "google-analytics-4", Name: "Google Analytics 4", Vendor: google, Country: "US", PrivacyURL: googlePrivacy,
			Purpose: consent.Statistics, Loss: "Nothing; the owners of this site learn less about how it is used.",
			Cookies: []consent.Cookie{
				{Name: "_ga", Lifetime: "2 years", SetBy: consent.ByScript},
				{Name: "_ga_*", Lifetime: "2 years", SetBy: consent.ByScript}}},
		{ID: "own-statistics", Name: "Own statistics", Purpose: consent.Statistics, FirstParty: true, Loss: "Nothing.",
			Cookies: []consent.Cookie{{Name: "visits", Lifetime: "1 day", SetBy: consent.ByHTTP}}},
		{ID: "meta-pixel", Name: "Meta Pixel", Vendor: "Meta Platforms, Inc.", Country: "US", PrivacyURL: "https://www.facebook.com/privacy/policy/",
			Purpose: consent.Marketing, Sells: true, Loss: "Nothing; fewer ads about this site follow you.",
			Cookies: []consent.Cookie{
				{Name: "_fbp", Lifetime: "90 days", SetBy: consent.ByScript},
				{Name: "fr", Lifetime: "90 days", SetBy: consent.ByHTTP, Domain: "facebook.com"}}},
	}
}

func exampleService(id consent.ServiceID) *consent.Service {
	for _, s := range exampleServices() {
		if s.ID == id {
			return s
		}
	}
	return nil
}

func exampleConfig() Config {
	return Config{
		Controller:    "NumFOCUS",
		PrivacyPolicy: "/privacy-policy/",
		Contact:       "privacy@example.org",
		Revision:      "2026-11-01",
		Changes: []Change{
			{Revision: "2026-11-01", Date: "2026-11-01", Change: "Typeform was added."},
			{Revision: "1"},
		},
	}
}

func newBanner(t testing.TB, cfg Config) *Banner {
	t.Helper()
	b, err := New(cfg, exampleServices(), "/_consent/")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// example is made once: it takes most of a test's time.
func example(t testing.TB) *Banner {
	t.Helper()
	b, err := exampleOnce()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var exampleOnce = sync.OnceValues(func() (*Banner, error) { return New(exampleConfig(), exampleServices(), "/_consent/") })

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// decide is the decision for a visitor under the example's notice.
func decide(v consent.Visitor) consent.Decision {
	if v.Choice != nil {
		v.Choice.At, v.Choice.Revision = noon, "2026-11-01"
	}
	return consent.Policy{Revision: "2026-11-01"}.Decide(v, noon)
}

func undecided() consent.Decision { return decide(consent.Visitor{}) }

func signalled() consent.Decision {
	return decide(consent.Visitor{Signals: consent.Signals{DNT: consent.DNTOn, GPC: true}})
}

func granted() consent.Decision {
	return decide(consent.Visitor{Choice: &consent.Choice{
		Purposes: consent.PurposesOf(consent.Statistics),
		Services: []consent.ServiceID{"youtube"},
		Record:   "7f6f7d5e-4b3c-4d2a-9e1f-0a1b2c3d4e5f",
	}})
}

// golden compares what a visitor gets with a file in testdata. Names of style
// sheets change with their content and are left out.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	got = regexp.MustCompile(`\.[0-9a-f]{12}\.(css|js)`).ReplaceAll(got, []byte(".HASH.$1"))
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("not as in %s (go test -update writes it anew); got\n%s", file, got)
	}
}

func TestWhatStandsInPagesOfTheSite(t *testing.T) {
	b := example(t)
	golden(t, "head.html", b.Head("en", undecided()))
	golden(t, "banner.html", b.Notice("en", undecided()))
	golden(t, "foot.html", b.Link("en", undecided()))
	golden(t, "foot-signals.html", b.Link("en", signalled()))
	everything := decide(consent.Visitor{Choice: &consent.Choice{Purposes: consent.Everything}})
	golden(t, "foot-everything.html", b.Link("en", everything))
}

func TestOnlyTheUndecidedAreAsked(t *testing.T) {
	b := example(t)
	refused := decide(consent.Visitor{Choice: &consent.Choice{}})
	for name, d := range map[string]consent.Decision{"refused": refused, "granted": granted(), "signal": signalled()} {
		if got := b.Notice("en", d); got != nil {
			t.Errorf("%s: the banner is shown:\n%s", name, got)
		}
		if !bytes.Contains(b.Link("en", d), []byte(`id="cg-settings" href="/_consent/"`)) {
			t.Errorf("%s: the link to the settings is missing", name)
		}
	}
}

// Whoever is asked because of new services is told which these are, on the banner
// and in the settings, where saving the page as it is grants none of them.
func TestWhatIsNewIsNamed(t *testing.T) {
	d := granted()
	d.Ask, d.New = true, []consent.ServiceID{"own-statistics"}
	golden(t, "banner-new.html", example(t).Notice("en", d))
	page := settingsPage(t, View{Decision: d})
	if !strings.Contains(page, "New since you last chose: Own statistics.") {
		t.Error("the settings do not say what is new")
	}
	for id, want := range map[string]bool{"google-analytics-4": true, "youtube": true, "own-statistics": false, "typeform": false} {
		if got := strings.Contains(page, `name="service" value="`+id+`" checked`); got != want {
			t.Errorf("%s is ticked: %t, want %t", id, got, want)
		}
	}
	if strings.Contains(page, `value="statistics" aria-label="Allow: Statistics" checked`) {
		t.Error("the purpose is ticked, and the new service with it")
	}
}

// L2: the two buttons are the same element with the same attributes; only what
// they say and mean differs, and which comes first.
func TestRefusingIsAsEasyAsAgreeing(t *testing.T) {
	notice := string(example(t).Notice("en", undecided()))
	buttons := regexp.MustCompile(`<button[^>]*>[^<]*</button>`).FindAllString(notice, -1)
	if len(buttons) != 2 {
		t.Fatalf("buttons %q, want two", buttons)
	}
	asReject := strings.NewReplacer("accept", "reject", "Accept", "Reject").Replace(buttons[1])
	if buttons[0] != asReject {
		t.Errorf("buttons differ in more than their meaning:\n%s\n%s", buttons[0], buttons[1])
	}
}

// L6: who, what for, how many third parties and which, what refusing costs, and
// how to change one's mind. Extensions that answer banners look for the words
// tested last.
func TestTheBannerSaysWhatTheLawAsksFor(t *testing.T) {
	notice := string(example(t).Notice("en", undecided()))
	for _, want := range []string{
		"run by NumFOCUS",
		"embedded content", "visitor statistics", "advertising",
		`<a href="/_consent/cookies">third parties (3)</a>`, // Google, Typeform, Meta
		"saying no costs you nothing",
		"change your mind at any time",
		`<a href="/privacy-policy/">`,
		"This website", "cookies", "Reject all", "Accept all",
	} {
		if !strings.Contains(notice, want) {
			t.Errorf("%q is not in the banner", want)
		}
	}
}

func TestTheBannerNeedsNoScriptAndNoInlineStyle(t *testing.T) {
	b := example(t)
	page := string(b.Notice("en", undecided())) + string(b.Link("en", signalled())) + string(b.Head("en", signalled()))
	for _, bad := range []string{"<script>", "style=", "onclick", "checked", "autofocus", "javascript:", "<style"} {
		if strings.Contains(page, bad) {
			t.Errorf("%q is in what is put into pages", bad)
		}
	}
}

func TestWithoutAnyConfiguration(t *testing.T) {
	b := newBanner(t, Config{})
	notice := string(b.Notice("", undecided()))
	if !strings.Contains(notice, "This website would like to use cookies") || !strings.Contains(notice, `value="1"`) {
		t.Errorf("the banner does not say what it asks:\n%s", notice)
	}
}

func TestNamesFromTheConfigurationAreText(t *testing.T) {
	cfg := exampleConfig()
	cfg.Controller = `<script>alert(1)</script>"&`
	cfg.Texts = map[string]map[string]string{"en": {"banner.title": "<b>Hi</b>"}}
	notice := string(newBanner(t, cfg).Notice("en", undecided()))
	for _, bad := range []string{"<script", "<b>"} {
		if strings.Contains(notice, bad) {
			t.Errorf("%s got into the banner as markup:\n%s", bad, notice)
		}
	}
}

func TestTheHashCoversWhatIsShown(t *testing.T) {
	first := newBanner(t, exampleConfig()).NoticeHash("en")
	if len(first) != 64 {
		t.Fatalf("hash %q is not SHA-256 in hexadecimal", first)
	}
	if again := newBanner(t, exampleConfig()).NoticeHash("en"); again != first {
		t.Error("the same notice has two hashes")
	}
	words := exampleConfig()
	words.Texts = map[string]map[string]string{"en": {"settings.intro": "Other words."}}
	if newBanner(t, words).NoticeHash("en") == first {
		t.Error("other words in the settings have the same hash")
	}
	fewer, err := New(exampleConfig(), exampleServices()[1:], "/_consent/")
	if err != nil {
		t.Fatal(err)
	}
	if fewer.NoticeHash("en") == first {
		t.Error("other services have the same hash")
	}
}

// What an undecided visitor receives for the banner, over and above the page.
// The rest of the 3 KB (with brotli, which packs a tenth better) is for scripts.
func TestWeight(t *testing.T) {
	const most = 2600
	b := example(t)
	var packed bytes.Buffer
	z, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range [][]byte{b.Head("en", undecided()), b.Notice("en", undecided()), b.Link("en", undecided()), b.Assets()[inPageSheet].Body} {
		if _, err := z.Write(part); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	t.Logf("banner, link and style: %d bytes with gzip", packed.Len())
	if packed.Len() > most {
		t.Errorf("%d bytes with gzip, at most %d are allowed", packed.Len(), most)
	}
}

// manyServices are as many as a catalog has.
func manyServices() []*consent.Service {
	var all []*consent.Service
	for i := range 25 {
		for _, s := range exampleServices() {
			s.ID += consent.ServiceID("-" + strconv.Itoa(i))
			all = append(all, s)
		}
	}
	return all
}

func TestServicesCanChangeWhileTheSiteRuns(t *testing.T) {
	before := newBanner(t, exampleConfig())
	after := before.WithServices(exampleServices()[:2])
	notice := string(after.Notice("en", undecided()))
	if !strings.Contains(notice, "third parties (1)") || !strings.Contains(string(before.Notice("en", undecided())), "third parties (3)") {
		t.Errorf("the banners do not count their own services; the new one:\n%s", notice)
	}
	if after.NoticeHash("de") == before.NoticeHash("de") {
		t.Error("what is shown differs, its hash does not")
	}
	if strings.Contains(string(after.Declaration("de")), "Meta Pixel") {
		t.Error("the declaration has a service that is not used")
	}
	if fmt.Sprint(after.Scripts()) != fmt.Sprint(before.Scripts()) {
		t.Error("scripts do not know all services any more")
	}
}

// A site of which nobody knows yet what it uses.
func TestWithoutServices(t *testing.T) {
	b := newBanner(t, exampleConfig()).WithServices(nil)
	notice := string(b.Notice("en", undecided()))
	if strings.Contains(notice, "third parties") || strings.Contains(notice, "0") && strings.Contains(notice, "(0)") {
		t.Errorf("the banner speaks of third parties that there are not:\n%s", notice)
	}
	golden(t, "banner-no-services.html", []byte(notice))
}

func TestWhatIsShownIsWhatIsHashed(t *testing.T) {
	b := example(t)
	shown, err := b.Shown("de")
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(shown); hex.EncodeToString(sum[:]) != b.NoticeHash("de") {
		t.Error("the hash is of something else")
	}
	for _, part := range [][]byte{b.Notice("de", undecided()), b.Assets()[pageSheet].Body, []byte("Meta Pixel")} {
		if !bytes.Contains(shown, part) {
			t.Errorf("%.60s... is not in what is kept as proof", part)
		}
	}
}

func TestEveryLanguageCanBeShown(t *testing.T) {
	b := newBanner(t, exampleConfig())
	var group sync.WaitGroup
	for _, l := range b.Languages() {
		for range 2 { // the first to ask and one who asks meanwhile
			group.Go(func() {
				if !bytes.Contains(b.Notice(l, undecided()), []byte(`lang="`+string(l)+`"`)) {
					t.Errorf("%s is shown in another language", l)
				}
				if b.NoticeHash(l) == "" || len(b.Declaration(l)) == 0 {
					t.Errorf("%s has no pages", l)
				}
			})
		}
	}
	group.Wait()
}

func TestShowingAgainAllocatesNothing(t *testing.T) {
	b, d := example(t), undecided()
	if n := testing.AllocsPerRun(100, func() { b.Notice("de", d); b.Link("de", d); b.Declaration("de") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkNoticeAndLink(b *testing.B) {
	ban, d := example(b), undecided()
	b.ReportAllocs()
	for b.Loop() {
		if len(ban.Notice("en", d)) == 0 || len(ban.Link("en", d)) == 0 {
			b.Fatal("nothing")
		}
	}
}

func BenchmarkNew(b *testing.B) {
	for name, services := range map[string][]*consent.Service{"6 services": exampleServices(), "150 services": manyServices()} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := New(exampleConfig(), services, "/_consent/"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Before anybody has looked at a site, it tells no number: that would be the
// catalog's.
func TestUnseen(t *testing.T) {
	b := newBanner(t, exampleConfig()).Unseen()
	link := regexp.MustCompile(`<a href="/_consent/cookies[^"]*">([^<]*)</a>`)
	for _, l := range b.Languages() {
		found := link.FindSubmatch(b.Notice(l, undecided()))
		if found == nil || len(found[1]) < 4 || regexp.MustCompile(`[{}()0-9（）]`).Match(found[1][len(found[1])-1:]) {
			t.Errorf("%s: the third parties are %q", l, found)
		}
	}
	if n := b.Notice("en", undecided()); !strings.Contains(string(n), ">third parties</a>") {
		t.Errorf("%s", n)
	}
}

// What it costs when the inventory has seen a new service, and what the first
// visitor of a language waits for then.
func BenchmarkWithServices(b *testing.B) {
	ban, services, d := newBanner(b, exampleConfig()), manyServices(), undecided()
	ban.Notice("de", d) // the language has been read by then
	for _, part := range []string{"nothing shown", "banner", "declaration"} {
		b.Run(part, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				other := ban.WithServices(services)
				switch {
				case part == "banner" && len(other.Notice("de", d)) == 0,
					part == "declaration" && len(other.Declaration("de")) == 0:
					b.Fatal("nothing")
				}
			}
		})
	}
}
