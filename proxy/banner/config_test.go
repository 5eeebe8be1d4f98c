package banner

import (
	"strings"
	"testing"
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
		"a date in words":      {Config{Changes: []Change{{Revision: "1", Date: "1 May"}}}, []string{"changes[0].date"}},
		"a change of no one":   {Config{Changes: []Change{{}}}, []string{"changes[0].revision"}},
		"two mistakes at once": {Config{Revision: "?", Language: "tlh"}, []string{"revision", "language"}},
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
