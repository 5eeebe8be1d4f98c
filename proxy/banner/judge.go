package banner

import (
	"cmp"
	"slices"
	"strings"

	"github.com/numfocus/consentgate/consent"
)

// patterns lists the URL patterns of all services in the order in which they
// win, what d withholds with a "-" in front.
func patterns(d consent.Decision, services []*consent.Service) string {
	type rule struct{ pattern, line string }
	var rules []rule
	for _, s := range services {
		for _, p := range s.URLs {
			rules = append(rules, rule{p, mark(d, s) + p})
		}
	}
	slices.SortStableFunc(rules, func(a, b rule) int {
		return cmp.Compare(literals(b.pattern), literals(a.pattern))
	})
	lines := make([]string, len(rules))
	for i, r := range rules {
		lines[i] = r.line
	}
	return strings.Join(lines, " ")
}

func mark(d consent.Decision, s *consent.Service) string {
	if d.Allows(s) {
		return ""
	}
	return "-"
}

// literals counts the characters of a pattern that are no wildcards, as the
// catalog does.
func literals(pattern string) int {
	return len(pattern) - strings.Count(pattern, "*") - strings.Count(pattern[:min(2, len(pattern))], "*.")
}

// cookieNames lists the cookies of the site itself in the order in which their
// rules win: exact names, then the longer of globs. Of services with the same
// name, the one granted most reluctantly has it.
func cookieNames(d consent.Decision, services []*consent.Service) string {
	owner := make(map[string]*consent.Service)
	for _, s := range services {
		for _, c := range s.Cookies {
			if c.Domain == "" && (owner[c.Name] == nil || later(s, owner[c.Name])) {
				owner[c.Name] = s
			}
		}
	}
	names := make([]string, 0, len(owner))
	for name := range owner {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		globA, globB := strings.Contains(a, "*"), strings.Contains(b, "*")
		if globA != globB {
			return map[bool]int{true: 1, false: -1}[globA]
		}
		return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b))
	})
	for i, name := range names {
		names[i] = mark(d, owner[name]) + name
	}
	return strings.Join(names, " ")
}

// later reports whether a waits for a purpose granted more reluctantly.
func later(a, b *consent.Service) bool {
	all := consent.AllPurposes()
	return slices.Index(all, a.Purpose) > slices.Index(all, b.Purpose)
}

// hosts lists the hosts of the services that d allows, or else of those that it
// withholds, without leading wildcards. Hosts with others in them are left out.
func hosts(d consent.Decision, services []*consent.Service, allowed bool) []string {
	var list []string
	for _, s := range services {
		if d.Allows(s) != allowed {
			continue
		}
		for _, p := range s.URLs {
			host, _, _ := strings.Cut(p, "/")
			if host = strings.TrimPrefix(host, "*."); !strings.Contains(host, "*") {
				list = append(list, host)
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}
