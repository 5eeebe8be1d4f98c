package headers

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

func directives(policy string) map[string][]string {
	all := make(map[string][]string)
	for directive := range strings.SplitSeq(policy, ";") {
		if fields := strings.Fields(directive); len(fields) > 0 {
			all[fields[0]] = fields[1:]
		}
	}
	return all
}

// hosts are the sources of default-src without what is always there and without
// WebSockets; ":*" is left out.
func hosts(policy string) []string {
	list := slices.Clone(directives(policy)["default-src"][5:])
	for i := range list {
		list[i] = strings.Replace(list[i], ":*", "", 1)
	}
	return slices.DeleteFunc(list, func(s string) bool { return strings.HasPrefix(s, "wss:") })
}

func TestPolicySources(t *testing.T) {
	for _, test := range []struct {
		pattern string
		want    string // in default-src, beside what is always there
	}{
		{"a.test", "a.test"},
		{"*.a.test", "*.a.test a.test"},
		{"a.test/", "a.test"},
		{"a.test/x/", "a.test/x/"},
		{"a.test/x/y.js", "a.test/x/"},
		{"a.test/y.js", "a.test"},
		{"a.test/x/*/y/", "a.test/x/"},
		{"a.test/x?id=", "a.test"},
		{"*.a.test/x/y", "*.a.test/x/ a.test/x/"},
		{"a.test:8443/x/", "a.test:8443/x/"},
		{"a.test/x;y/", "a.test"},
		{"a.test/x%3By/", "a.test"},
		{"*", ""},
		{"*/matomo.js", ""},
		{"", ""},
		{"a.test; script-src *", ""},
		{"a.test,b.test", ""},
		{"*.*.test", ""},
		{"'unsafe-hashes'", ""},
		{"a.test b.test", ""},
	} {
		policy := Sources{Services: []string{test.pattern}}.Policy()
		got := strings.Join(hosts(policy), " ")
		if got != test.want {
			t.Errorf("%q: default-src has %q; want %q", test.pattern, got, test.want)
		}
	}
}

func TestPolicyLeavesOutWhatIsCovered(t *testing.T) {
	s := Sources{
		FirstParty: []string{"*.a.test", "www.a.test", "x.y.a.test/z/"},
		Services:   []string{"b.test", "b.test/x/", "c.test/x/", "*.c.test/y/", "a.test", "notb.test"},
	}
	got := strings.Join(hosts(s.Policy()), " ")
	if want := "*.a.test *.c.test/y/ a.test b.test c.test/x/ c.test/y/ notb.test"; got != want {
		t.Errorf("default-src has %q; want %q", got, want)
	}
}

func TestPolicyIsTheSameInAnyOrder(t *testing.T) {
	hosts := []string{"b.test", "*.a.test", "c.test/x/", "b.test"}
	first := Sources{Services: hosts}.Policy()
	slices.Reverse(hosts)
	if second := (Sources{Services: hosts}).Policy(); first != second {
		t.Errorf("%q\n%q", first, second)
	}
}

func TestPolicyByUnknown(t *testing.T) {
	s := Sources{Services: []string{"a.test"}}
	active := []string{"default-src"}
	passive := []string{"img-src", "style-src", "font-src", "media-src"}

	block := directives(s.Policy())
	for _, name := range active {
		if list := block[name]; len(list) == 0 || slices.Contains(list, "*") {
			t.Errorf("block-active: %s is %q", name, list)
		}
	}
	for _, name := range passive {
		if !slices.Contains(block[name], "*") {
			t.Errorf("block-active: %s is %q", name, block[name])
		}
	}

	s.Unknown = BlockAll
	all := s.Policy()
	for _, name := range passive {
		if strings.Contains(all, name) {
			t.Errorf("block-all leaves %s to itself: %q", name, all)
		}
	}
	if strings.Contains(all, " *") {
		t.Errorf("block-all names everybody: %q", all)
	}

	s.Unknown = Allow
	if policy := s.Policy(); policy != "" {
		t.Errorf("allow: %q", policy)
	}
}

func TestPolicyIsBounded(t *testing.T) {
	build := func(services, paths int) string {
		s := Sources{FirstParty: []string{"*.a.test"}}
		for i := range services {
			for j := range paths {
				s.Services = append(s.Services, fmt.Sprintf("service-%d.test/a/long/path/%d/", i, j))
			}
		}
		s.Sockets = s.Services
		return s.Policy()
	}
	for _, test := range []struct {
		services, paths int
		host            string // how the last service is named
		sockets         bool
	}{
		{20, 2, " service-19.test:*/a/long/path/1/ ", true},
		{60, 4, " service-59.test:* ", true},
		{170, 1, " service-169.test:* ", false},
	} {
		policy := build(test.services, test.paths)
		if len(policy) > maxPolicy {
			t.Errorf("%d services: %d bytes", test.services, len(policy))
		}
		if !strings.Contains(policy, test.host) {
			t.Errorf("%d services: no %q in %q", test.services, test.host, policy)
		}
		if got := strings.Contains(policy, " wss://service-0.test"); got != test.sockets {
			t.Errorf("%d services: sockets %v", test.services, got)
		}
		if !strings.Contains(policy, " wss://*.a.test") {
			t.Errorf("%d services: the site's own sockets are gone", test.services)
		}
	}
}

// Where all that is granted would be too long, what the site is known to use is named.
func TestPolicyNamesWhatIsUsed(t *testing.T) {
	s := Sources{FirstParty: []string{"*.a.test"}}
	for i := range 400 {
		s.Services = append(s.Services, fmt.Sprintf("*.granted-%d.test", i))
	}
	s.Sockets = s.Services
	s.Narrower = []Hosts{{s.Services[:300], s.Services[:300]}, {s.Services[:3], s.Services[:3]}}
	policy := s.Policy()
	if !strings.Contains(policy, " *.granted-2.test:* ") || !strings.Contains(policy, " wss://*.granted-2.test") || strings.Contains(policy, "granted-3.test") {
		t.Errorf("policy %q", policy)
	}
}

func TestStrict(t *testing.T) {
	all := directives(Sources{FirstParty: []string{"*.a.test"}, Services: []string{"b.test"}, ReportPath: "/r"}.Strict())
	for _, name := range []string{"default-src", "script-src", "frame-src", "connect-src", "object-src"} {
		if got := strings.Join(all[name], " "); got != "'none'" {
			t.Errorf("%s is %q", name, got)
		}
	}
	if got := strings.Join(all["img-src"], " "); got != "'self' *.a.test:* a.test:* data:" {
		t.Errorf("img-src is %q", got)
	}
	if got := all["sandbox"]; len(got) == 0 || slices.Contains(got, "allow-scripts") {
		t.Errorf("sandbox is %q", got)
	}
	if got := strings.Join(all["report-uri"], " "); got != "/r" {
		t.Errorf("report-uri is %q", got)
	}
}

func TestAdd(t *testing.T) {
	h := http.Header{"Content-Security-Policy": {"img-src  *"}, "Reporting-Endpoints": {`own="/own"`}}
	s := Sources{ReportPath: "/_consent/report", Secure: true}
	s.Add(h, "default-src 'self'", false)
	s.Add(h, "default-src 'none'", true)
	s.Add(h, "", false)
	if got, want := h["Content-Security-Policy"], []string{"img-src  *", "default-src 'self'"}; !slices.Equal(got, want) {
		t.Errorf("enforced: %q", got)
	}
	if got, want := h["Content-Security-Policy-Report-Only"], []string{"default-src 'none'"}; !slices.Equal(got, want) {
		t.Errorf("report only: %q", got)
	}
	if got := h["Reporting-Endpoints"]; got[0] != `own="/own"` || got[1] != `cg="/_consent/report"` {
		t.Errorf("endpoints: %q", got)
	}
}

func BenchmarkPolicy(b *testing.B) {
	var s Sources
	for i := range 60 {
		s.Services = append(s.Services, fmt.Sprintf("*.service-%d.test", i))
	}
	b.ReportAllocs()
	for b.Loop() {
		s.Policy()
	}
	b.ReportMetric(float64(len(s.Policy())), "B-policy")
}

// Chromium knows no reporting endpoints on plain HTTP, and report-to there turns
// report-uri off.
func TestReportsGoSomewhereOverHTTPToo(t *testing.T) {
	h := http.Header{}
	s := Sources{ReportPath: "/r"}
	s.Add(h, s.Policy(), false)
	if got := directives(h.Get("Content-Security-Policy")); got["report-to"] != nil || !slices.Equal(got["report-uri"], []string{"/r"}) {
		t.Errorf("policy %q", h.Get("Content-Security-Policy"))
	}
	if got := h["Reporting-Endpoints"]; got != nil {
		t.Errorf("Reporting-Endpoints %q", got)
	}
}
