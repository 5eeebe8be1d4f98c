package catalog_test

import (
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/numfocus/consentgate/consent"
	"github.com/numfocus/consentgate/consent/catalog"
)

func builtin(t *testing.T) []consent.Service {
	t.Helper()
	services, err := catalog.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	return services
}

func TestBuiltinKnowsEveryVendorOfThePrivacyPolicy(t *testing.T) {
	c, err := catalog.New(builtin(t))
	if err != nil {
		t.Fatal(err)
	}
	vendors := map[string]map[consent.ServiceID]consent.Purpose{
		"Cloudflare":         {"cloudflare-edge": consent.Necessary, "cloudflare-web-analytics": consent.Statistics, "cloudflare-zaraz": consent.Marketing},
		"Eventbrite":         {"eventbrite": consent.Preferences},
		"Flipcause":          {"flipcause": consent.Preferences},
		"Google":             {"google-tag-manager": consent.Marketing, "google-analytics-4": consent.Statistics, "google-maps": consent.Preferences, "youtube": consent.Marketing},
		"Little Green Light": {"little-green-light": consent.Preferences},
		"Mailchimp":          {"mailchimp-form": consent.Preferences, "mailchimp-connected-site": consent.Marketing},
		"Typeform":           {"typeform": consent.Preferences},
		"WordPress":          {"wordpress-core": consent.Necessary, "jetpack-stats": consent.Statistics, "gravatar": consent.Preferences},
		"WP Engine":          {"wp-engine": consent.Necessary},
		"Zapier":             {"zapier": consent.Preferences},
	}
	for vendor, services := range vendors {
		for id, purpose := range services {
			s, ok := c.Service(id)
			if !ok {
				t.Errorf("%s: no service %q", vendor, id)
				continue
			}
			if s.Purpose != purpose {
				t.Errorf("%s: %s waits for %s, want %s", vendor, id, s.Purpose, purpose)
			}
		}
	}
}

// What a visitor is told about a service: nothing of it may be missing.
func TestBuiltinTellsTheVisitorEverything(t *testing.T) {
	for _, s := range builtin(t) {
		t.Run(string(s.ID), func(t *testing.T) {
			if s.Name == "" {
				t.Error("no name")
			}
			if _, err := consent.ParsePurpose(string(s.Purpose)); err != nil {
				t.Error(err)
			}
			if !s.FirstParty && (s.Vendor == "" || len(s.Country) != 2 || !strings.HasPrefix(s.PrivacyURL, "https://")) {
				t.Errorf("vendor %q, country %q, privacy %q", s.Vendor, s.Country, s.PrivacyURL)
			}
			if n := len(s.Loss); n < 20 || n > 120 || !strings.HasSuffix(s.Loss, ".") {
				t.Errorf("loss is %d bytes: %q", n, s.Loss)
			}
			if s.Withheld != consent.Remove && s.Withheld != consent.Placeholder {
				t.Errorf("withheld is %q", s.Withheld)
			}
			if len(s.URLs)+len(s.Inline)+len(s.Cookies) == 0 {
				t.Error("nothing recognises it")
			}
			for _, c := range s.Cookies {
				if c.Lifetime == "" || strings.Contains(c.Lifetime, "?") || (c.SetBy != consent.ByScript && c.SetBy != consent.ByHTTP) {
					t.Errorf("cookie %q: lifetime %q, set by %q", c.Name, c.Lifetime, c.SetBy)
				}
			}
		})
	}
}

// Two services that claim the same pattern would make the answer depend on the
// order of the files; two that share a sentence say nothing about either.
func TestBuiltinServicesDoNotOverlap(t *testing.T) {
	owner := make(map[string]consent.ServiceID)
	claim := func(what, value string, id consent.ServiceID) {
		t.Helper()
		key := what + " " + value
		if other, taken := owner[key]; taken {
			t.Errorf("%s of %s is also that of %s", key, id, other)
		}
		owner[key] = id
	}
	for _, s := range builtin(t) {
		claim("id", string(s.ID), s.ID)
		claim("name", s.Name, s.ID)
		claim("loss", s.Loss, s.ID)
		for _, u := range s.URLs {
			claim("url", u, s.ID)
		}
		for _, i := range s.Inline {
			claim("inline", i.Pattern, s.ID)
		}
	}
}

// What the site cannot work without is never asked about, so it must not be
// able to sell anything or leave a box behind.
func TestBuiltinNecessaryServicesSellNothing(t *testing.T) {
	for _, s := range builtin(t) {
		if s.Purpose == consent.Necessary && (s.Sells || s.Withheld != consent.Remove) {
			t.Errorf("%s: sells %v, withheld %s", s.ID, s.Sells, s.Withheld)
		}
	}
}

// Every sample in the files belongs to the service it stands under.
func TestBuiltinSamples(t *testing.T) {
	c, err := catalog.New(builtin(t))
	if err != nil {
		t.Fatal(err)
	}
	var p catalog.Parser
	tested := 0
	for id, urls := range samples(t) {
		for _, sample := range urls {
			tested++
			u, ok := p.Parse(nil, []byte(sample))
			if !ok {
				t.Errorf("%s: %s is no URL", id, sample)
				continue
			}
			switch m := c.URL(u); {
			case m.Service == nil:
				t.Errorf("%s: nobody knows %s", id, sample)
			case m.Service.ID != id:
				t.Errorf("%s: %s belongs to %s by %q", id, sample, m.Service.ID, m.Rule)
			}
		}
	}
	if tested < 200 {
		t.Errorf("only %d samples found", tested)
	}
}

// samples reads the samples of all vendors' files, which a [consent.Service]
// does not carry.
func samples(t *testing.T) map[consent.ServiceID][]string {
	t.Helper()
	files, err := filepath.Glob("services/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[consent.ServiceID][]string)
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var f struct {
			Services []struct {
				ID      consent.ServiceID
				Samples []string
				URLs    []string
			}
		}
		if err := yaml.Unmarshal(data, &f); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, s := range f.Services {
			if len(s.URLs) > 0 && len(s.Samples) == 0 {
				t.Errorf("%s: %s has URL patterns and no sample to try them on", name, s.ID)
			}
			all[s.ID] = s.Samples
		}
	}
	return all
}

// The table of further cookie names is only for what no service claims.
func TestBuiltinCookieTable(t *testing.T) {
	data, err := os.ReadFile("cookies.tsv")
	if err != nil {
		t.Fatal(err)
	}
	services := builtin(t)
	last := ""
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "#") {
			continue
		}
		columns := strings.Split(line, "\t")
		if len(columns) != 4 || columns[2] == "" || columns[3] == "" {
			t.Errorf("%q has not four columns", line)
			continue
		}
		name, purpose := columns[0], consent.Purpose(columns[1])
		if name <= last {
			t.Errorf("%q stands after %q", name, last)
		}
		last = name
		if len(strings.ReplaceAll(name, "*", "")) < 3 {
			t.Errorf("%q could be anybody's", name)
		}
		if purpose != consent.Statistics && purpose != consent.Marketing {
			t.Errorf("%q waits for %q", name, purpose)
		}
		if id := claims(services, name); id != "" {
			t.Errorf("%q belongs to %s", name, id)
		}
	}
	if last == "" {
		t.Error("the table is empty")
	}
}

// claims returns which service has the first-party cookie, if any.
func claims(services []consent.Service, name string) consent.ServiceID {
	for _, s := range services {
		for _, c := range s.Cookies {
			if hit, err := path.Match(c.Name, name); c.Domain == "" && err == nil && hit {
				return s.ID
			}
		}
	}
	return ""
}
