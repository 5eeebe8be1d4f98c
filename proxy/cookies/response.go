package cookies

import "slices"

// FilterResponse judges the Set-Cookie lines of a response. Lines that stay
// keep their bytes and their order; lines itself is not changed.
//
// A line that a browser would ignore is dropped, and so is one whose Domain
// attribute the site may not use: nobody loses anything by it, and nothing odd
// is left for a browser to read otherwise. keep decides the rest. It is given the
// name under which the cookie would come back ([Parsed.Seen]; empty for a
// nameless cookie) and the Domain attribute, empty for none; whatever domain it
// is given is the site's own.
//
// dropped holds the names of what was dropped, each once, empty ones left out.
func FilterResponse(lines []string, site Site, keep func(name, domain string) bool) (kept, dropped []string) {
	for _, line := range lines {
		p, ok := ParseSetCookie(line)
		if ok && (p.Domain == "" || site.owns(p.Domain)) && keep(p.Seen(), p.Domain) {
			kept = append(kept, line)
			continue
		}
		if name := p.Seen(); name != "" && !slices.Contains(dropped, name) {
			dropped = append(dropped, name)
		}
	}
	return kept, dropped
}
