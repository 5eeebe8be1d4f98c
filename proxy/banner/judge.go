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

// A hashing turns host names into small numbers, as the guard does. With the names
// in full the guard would be twice as long.
type hashing struct {
	salt uint32
	size uint64 // of the numbers, which are below it
}

// The smallest size tells the hosts of the catalog apart by some salt. Where it does
// not, salts by the thousand would not either: names that are equally long and look
// alike by one look alike by nearly all. The largest size holds all of the hash.
const (
	smallHash = 36 * 36 * 36
	wholeHash = 1 << 32
	salts     = 64
)

// newHashing finds one in which none of the hosts in others looks like one of
// own, nor does a domain above it. Hosts that are in neither list may: of those only
// pictures load, which may load anyway, and for the rest the policy holds. Should
// there be none, those of own that look like another are left out of the list.
func newHashing(own, others []string) (hashing, string) {
	h := hashing{}
	for _, h.size = range []uint64{smallHash, 36 * smallHash, smallHash * smallHash, wholeHash} {
		for h.salt = 1; h.salt <= salts; h.salt++ {
			if len(h.alike(own, others)) == 0 {
				return h, h.list(own)
			}
		}
	}
	h = hashing{salt: 1, size: wholeHash}
	for alike := h.alike(own, others); len(alike) > 0; alike = h.alike(own, others) {
		own = slices.DeleteFunc(slices.Clone(own), func(name string) bool { return alike[h.of(name)] })
	}
	return h, h.list(own)
}

// list gives the hashes of names, each once, as what it is more than the one before:
// nothing shorter tells them.
func (h hashing) list(names []string) string {
	hashes := make([]uint64, len(names))
	for i, name := range names {
		hashes[i] = h.of(name)
	}
	slices.Sort(hashes)
	hashes = slices.Compact(hashes)
	more, before := make([]string, len(hashes)), uint64(0)
	for i, hash := range hashes {
		more[i] = strconv.FormatUint(hash-before, 36)
		before = hash
	}
	return strings.Join(more, " ")
}

// alike gives the hashes that a host in others, or a domain above it, shares with
// another name in own.
func (h hashing) alike(own, others []string) map[uint64]bool {
	hashes, names := make(map[uint64]bool, len(own)), make(map[string]bool, len(own))
	for _, name := range own {
		hashes[h.of(name)], names[name] = true, true
	}
	shared := map[uint64]bool{}
	for _, host := range others {
		for name := host; name != ""; _, name, _ = strings.Cut(name, ".") {
			if hash := h.of(name); hashes[hash] && !names[name] {
				shared[hash] = true
			}
		}
	}
	return shared
}

func (h hashing) of(name string) uint64 {
	sum := h.salt
	for _, c := range []byte(name) {
		sum = sum*33 + uint32(c)
	}
	return uint64(sum) % h.size
}
