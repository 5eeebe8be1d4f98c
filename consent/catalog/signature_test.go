package catalog

import (
	"regexp"
	"testing"

	"github.com/numfocus/consentgate/consent"
)

// Looking only where a literal was found must not change what a signature
// matches.
func TestSignaturesMatchWhatTheirExpressionsDo(t *testing.T) {
	c := builtinCatalog(t)
	type key struct {
		id      consent.ServiceID
		pattern string
	}
	want := make(map[key]*regexp.Regexp)
	for _, s := range c.Services() {
		for _, g := range s.Inline {
			want[key{s.ID, g.Pattern}] = regexp.MustCompile(g.Pattern)
		}
	}
	for i, p := range savedPages(t) {
		if i%8 != 0 {
			continue // trying each expression on each script takes its time
		}
		for _, text := range p.scripts {
			got := make(map[key]bool)
			s := c.scripts.literals.search(text)
			for s.find() {
				if g := c.scripts.signatures[s.id]; g.matches(text, s.at) {
					got[key{g.service.ID, g.Pattern}] = true
				}
			}
			for k, re := range want {
				if re.Match(text) != got[k] {
					t.Errorf("%s: %s of %s: %v in %.100q", p.file, k.pattern, k.id, got[k], text)
				}
			}
		}
	}
}
