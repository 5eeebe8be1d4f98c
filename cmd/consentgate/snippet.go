package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/numfocus/consentgate/consent"
	"github.com/numfocus/consentgate/consent/catalog"
)

// A stranger is a domain that the catalog does not know, with what a site
// loads from it.
type stranger struct {
	domain              string
	hosts, kinds, pages []string
}

// strangersOf puts hosts that nobody knows together by their registrable domain.
func strangersOf(hosts []*party) []*stranger {
	var list []*stranger
	for _, p := range hosts {
		domain := catalog.Registrable(strings.TrimPrefix(p.name, "*."))
		i := slices.IndexFunc(list, func(s *stranger) bool { return s.domain == domain })
		if i < 0 {
			i = len(list)
			list = append(list, &stranger{domain: domain})
		}
		s := list[i]
		s.hosts = append(s.hosts, p.name)
		for _, kind := range p.kinds {
			s.kinds = include(s.kinds, kind)
		}
		for _, page := range p.pages {
			s.pages = include(s.pages, page)
		}
	}
	return list
}

// printSnippet writes strangers as services of the site's own, for its
// configuration. What only a person can know is marked.
func printSnippet(w io.Writer, strangers []*stranger) error {
	if len(strangers) == 0 {
		return nil
	}
	_, err := fmt.Fprintf(w, `
To say what they are, put this below the site in the configuration, and correct
what is marked with #. What belongs to the site itself goes into first_party.

%s`, snippet(strangers))
	return err
}

// snippet is a services block that consentgate check accepts, at the depth of a
// site. Everything in it waits for consent to marketing until somebody says
// otherwise.
func snippet(strangers []*stranger) string {
	var out strings.Builder
	out.WriteString("    services:\n")
	taken := builtinIDs()
	for _, s := range strangers {
		id := freeID(s.domain, taken)
		taken[id] = true
		fmt.Fprintf(&out, `      %s:
        # %s on %s
        name: %q       # as visitors know it
        vendor: %q     # legal name of who runs it
        country: ZZ    # of the vendor's seat: two letters
        privacy: %q    # the vendor's privacy policy
        purpose: marketing    # or necessary, preferences, statistics
        withheld: %s
        loss: %q    # in one sentence, for the visitor
        urls: [%s]
`, id, strings.Join(s.kinds, ", "), commentSafe(few(s.pages, 3)), s.domain, s.domain,
			"https://"+s.domain+"/", s.replacement(),
			"You do not see what "+s.domain+" adds to the page.", s.patterns())
	}
	return out.String()
}

// commentSafe keeps a comment on its line.
func commentSafe(s string) string { return printable(strings.ReplaceAll(s, "\n", " ")) }

// replacement is a box where something was to be seen.
func (s *stranger) replacement() consent.Replacement {
	if slices.Contains(s.kinds, "frame") || slices.Contains(s.kinds, "media") {
		return consent.Placeholder
	}
	return consent.Remove
}

func (s *stranger) patterns() string {
	if len(s.hosts) > 1 {
		return fmt.Sprintf("%q", "*."+s.domain)
	}
	return fmt.Sprintf("%q", s.hosts[0])
}

// builtinIDs are the ids that the catalog has; a program whose catalog is broken
// does not start.
func builtinIDs() map[string]bool {
	taken := map[string]bool{}
	builtin, _ := catalog.Builtin()
	for _, s := range builtin {
		taken[string(s.ID)] = true
	}
	return taken
}

// freeID makes an id of a domain: "widgets.example" is "widgets-example".
func freeID(domain string, taken map[string]bool) string {
	base := strings.Trim(strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' || '0' <= r && r <= '9' {
			return r
		}
		return '-'
	}, domain), "-")
	if strings.HasPrefix(base, "cookie-") { // the catalog keeps these ids to itself
		base = "site-" + base
	}
	id := base
	if id == "" || taken[id] {
		for n := 2; id == "" || taken[id]; n++ {
			id = strings.Trim(fmt.Sprintf("%s-%d", base, n), "-")
		}
	}
	return id
}
