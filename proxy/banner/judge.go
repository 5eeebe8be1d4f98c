package banner

import (
	"cmp"
	"slices"
	"strconv"
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

// A hashing turns host names into three characters each, as the guard does. With
// the names in full the guard would be twice as long.
type hashing uint32

// newHashing finds one in which none of the hosts in others looks like one of
// own, nor does a domain above it. Hosts that are in neither list may: of those only
// pictures load, which may load anyway, and for the rest the policy holds.
func newHashing(own, others []string) (hashing, string) {
	for salt := hashing(1); ; salt++ {
		hashes := make(map[string]bool, len(own))
		for _, name := range own {
			hashes[salt.of(name)] = true
		}
		if distinct(salt, hashes, own, others) {
			list := make([]string, 0, len(hashes))
			for h := range hashes {
				list = append(list, h)
			}
			slices.Sort(list)
			return salt, " " + strings.Join(list, " ")
		}
	}
}

func distinct(salt hashing, hashes map[string]bool, own, others []string) bool {
	for _, host := range others {
		for name := host; name != ""; _, name, _ = strings.Cut(name, ".") {
			if hashes[salt.of(name)] && !slices.Contains(own, name) {
				return false
			}
		}
	}
	return true
}

func (salt hashing) of(name string) string {
	h := uint32(salt)
	for _, c := range []byte(name) {
		h = h*33 + uint32(c)
	}
	s := strconv.FormatUint(uint64(h), 36)
	return s[max(0, len(s)-3):]
}
