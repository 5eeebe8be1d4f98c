package rewrite

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

type snippet struct {
	ID, HTML   string
	Gone, Stay []string
}

func snippets(t testing.TB) []snippet {
	t.Helper()
	b, err := os.ReadFile(sharedData(t, "snippets.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Snippets []snippet }
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	return file.Snippets
}

// Rules that know no service, but the words that must be gone, are enough for
// every snippet: what is left is understanding the markup.
func TestSnippets(t *testing.T) {
	for _, s := range snippets(t) {
		t.Run(s.ID, func(t *testing.T) {
			rules := &deny{words: snippetWords(s)}
			got := rewritten(t, s.HTML, rules, Options{Charset: "utf-8"}, atOnce)
			for _, gone := range s.Gone {
				if strings.Contains(got, gone) {
					t.Errorf("%q is still there in %s\nlog: %q", gone, got, rules.log)
				}
			}
			for _, stay := range s.Stay {
				if !strings.Contains(got, stay) {
					t.Errorf("%q is lost from %s", stay, got)
				}
			}
		})
	}
}

func snippetWords(s snippet) []string {
	return []string{
		"googletagmanager", "google-analytics", "googleanalyticsobject", "doubleclick", "facebook", "tagmanager", "gtag(", "gtm.start",
		"hotjar", "hs-scripts", "hsforms", "hsappstatic", "pixel.wp.com", "lglforms", "licdn", "ads.linkedin", "chimpstatic",
		"google.com/maps", "matomo", "newrelic", "nr-data", "youtube", "scientific-python", "quantserve", "recaptcha", "segment.com",
		"stripe", "typeform.com/to", "tiktok", "bing.com", "vgwort", "vimeo", "twitter", "ads-twitter", "ytimg", "disqus", "eventbrite",
		"flipcause", "fonts.g", "clarity.ms", "cloudflareinsights", "monsterinsights", "frontend-gtag", "stats.wp", "gravatar",
		"evil.example", "bam.nr", "piwik", "googlesyndication", "adtech", "hcaptcha", "zapier", "donorbox", "hubspot",
		"list-manage", "mcjs", "connect.", "zaraz", "paypal", "wistia", "calendly", "crisp", "drift", "amazon-adsystem", "taboola",
		"outbrain", "criteo", "sharethis", "addthis", "jsdelivr", "pinimg", "snap", "sc-static", "redditstatic", "demdex", "omtrdc",
	}
}
