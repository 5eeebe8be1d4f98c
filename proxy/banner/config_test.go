package banner

import (
	"strings"
	"testing"

	"github.com/numfocus/consentgate/consent"
)

func TestConfigCheck(t *testing.T) {
	for name, tt := range map[string]struct {
		cfg  Config
		want []string // parts of the complaint; none: it is fine
	}{
		"zero":                 {Config{}, nil},
		"everything":           {exampleConfig(), nil},
		"whole addresses":      {Config{PrivacyPolicy: "https://numfocus.org/privacy", Contact: "https://numfocus.org/contact"}, nil},
		"mailto":               {Config{Contact: "mailto:privacy@numfocus.org"}, nil},
		"script as a link":     {Config{PrivacyPolicy: "javascript:alert(1)"}, []string{"privacy_policy", "javascript", "https://"}},
		"another site's path":  {Config{PrivacyPolicy: "//evil.example/"}, []string{"privacy_policy"}},
		"backslash":            {Config{PrivacyPolicy: `/\evil.example/`}, []string{"privacy_policy"}},
		"mail as a policy":     {Config{PrivacyPolicy: "a@example.org"}, []string{"privacy_policy"}},
		"contact that is none": {Config{Contact: "call us"}, []string{"contact", "e-mail"}},
		"revision with spaces": {Config{Revision: "1 Nov"}, []string{"revision", `"1 Nov"`}},
		"language in capitals": {Config{Language: "EN"}, []string{"language", "write it as en"}},
		"no such language":     {Config{Language: "tlh"}, []string{"language", "en"}},
		"texts in no language": {Config{Texts: map[string]map[string]string{"tlh": {}}}, []string{"texts.tlh"}},
		"text that is none":    {Config{Texts: map[string]map[string]string{"en": {"banner.titel": "x"}}}, []string{"texts.en.banner.titel", "no such sentence"}},
		"text without its blank": {Config{Texts: map[string]map[string]string{"en": {"banner.share": "Data goes away."}}},
			[]string{"texts.en.banner.share", "{parties}"}},
		"a date in words":       {Config{Changes: []Change{{Revision: "1", Date: "1 May"}}}, []string{"changes[0].date"}},
		"a change of no one":    {Config{Changes: []Change{{}}}, []string{"changes[0].revision"}},
		"neither ask nor allow": {Config{NewServices: "never"}, []string{"new_services", "ask, allow"}},
		"losses in no language": {Config{Losses: map[string]map[string]string{"tlh": {}}}, []string{"losses.tlh"}},
		"two mistakes at once":  {Config{Revision: "?", Language: "tlh"}, []string{"revision", "language"}},
	} {
		t.Run(name, func(t *testing.T) {
			err := tt.cfg.Check()
			if len(tt.want) == 0 {
				if err != nil {
					t.Errorf("unexpected: %v", err)
				}
				return
			}
			for _, want := range tt.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("complaint %q does not mention %q", err, want)
				}
			}
		})
	}
}

func TestSqueeze(t *testing.T) {
	for css, want := range map[string]string{
		"a { color: red; }":                           "a{color:red}",
		"/* x\n y */ a b > c {\n  margin: 0 auto;\n}": "a b > c{margin:0 auto}",
		"a :hover , b { --x: 1px; top: -1px }":        "a :hover,b{--x:1px;top:-1px}",
		"@media (max-width: 3em) { a { b: c } }":      "@media (max-width: 3em){a{b:c}}",
	} {
		if got := squeeze(css); got != want {
			t.Errorf("squeeze(%q) = %q, want %q", css, got, want)
		}
	}
}

func TestOnlyMaterialChangesAskAgain(t *testing.T) {
	history := []Change{{Revision: "4"}, {Revision: "3"}, {Revision: "2", Material: true}, {Revision: "1"}}
	for name, tt := range map[string]struct {
		cfg  Config
		want string
	}{
		"no history":            {Config{Revision: "2"}, ""},
		"not in the history":    {Config{Revision: "5", Changes: history}, ""},
		"up to a material one":  {Config{Revision: "4", Changes: history}, "3 2"},
		"itself material":       {Config{Revision: "2", Changes: history}, ""},
		"the first":             {Config{Revision: "1", Changes: history}, ""},
		"one taken back":        {Config{Revision: "3", Changes: history}, "2"},
		"without any, the zero": {Config{}, ""},
	} {
		b := newBanner(t, tt.cfg)
		if got := strings.Join(b.Policy(nil).Earlier, " "); got != tt.want {
			t.Errorf("%s: choices hold under %q, want %q", name, got, tt.want)
		}
	}
}

func TestNewServicesAreAskedAboutUnlessTheSiteSaysOtherwise(t *testing.T) {
	added := []consent.Addition{{Service: exampleService("youtube"), At: noon}}
	if p := newBanner(t, Config{}).Policy(added); len(p.Added) != 1 {
		t.Error("a new service is not asked about")
	}
	if p := newBanner(t, Config{NewServices: "allow"}).Policy(added); len(p.Added) != 0 {
		t.Error("a new service is asked about though the site says otherwise")
	}
}

func TestLossesInOtherLanguages(t *testing.T) {
	b := newBanner(t, Config{Losses: map[string]map[string]string{"de": {"youtube": "Videos erscheinen als Kasten."}}})
	if de := string(b.Declaration("de")); !strings.Contains(de, "Videos erscheinen als Kasten.") || strings.Contains(de, "Videos are shown") {
		t.Error("the German declaration has the English sentence, or both")
	}
	if !strings.Contains(string(b.Declaration("en")), "Videos are shown") {
		t.Error("the English declaration has another one")
	}
}
