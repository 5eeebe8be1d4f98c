package headers

import (
	"net/http"
	"strings"
	"testing"

	"github.com/dunglas/httpsfv"
)

// Whatever an origin sends, what is left names nobody who may not be called, and a
// second look finds nothing more to take.
func FuzzFilter(f *testing.F) {
	for name, lines := range map[string][]string{
		"Speculation-Rules":   {`"https://evil.test/rules.json", "/own.json"`, `"unfinished`, `"a";x="https://evil.test/", ("https://evil.test/" "/own")`},
		"Reporting-Endpoints": {`a="https://evil.test/", b="/own"`, `a=b, c="https://evil.test/"`, `a="/own", a="https://evil.test/"`, `a`},
		"Report-To":           {`{"group":"a","endpoints":[{"url":"https://evil.test/"}]}`, `{"endpoints":[{"URL":"https://evil.test/"}]},`, `[`},
		"Link":                {`<https://evil.test/>; rel=preload; as=script, </own>; rel=next`, `<https://evil.test/;rel=preload`, `</own>; rel="x,<https://evil.test/>; rel=preload"`},
		"Refresh":             {`0;url=https://evil.test/`, `0,'https://evil.test/'`, `x`},
		"Permissions-Policy":  {`browsing-topics=*`, `geolocation=(self "https://evil.test"`, `browsing-topics=(), browsing-topics=*`},
	} {
		for _, line := range lines {
			f.Add(name, line, "")
			f.Add(name, line, lines[0])
		}
	}
	f.Fuzz(func(t *testing.T, name, first, second string) {
		name = http.CanonicalHeaderKey(name)
		h := http.Header{name: {first, second}}
		p := Policy{Allowed: judge}
		Filter(h, p)
		Restrict(h, p)
		wantOwn(t, h)
		before := format(h)
		if Filter(h, p); format(h) != before {
			t.Errorf("%s: %q, %q: a second time\n%s\nbecomes\n%s", name, first, second, before, format(h))
		}
	})
}

// wantOwn reads what is left as browsers do.
func wantOwn(t *testing.T, h http.Header) {
	t.Helper()
	if rules, err := httpsfv.UnmarshalList(h["Speculation-Rules"]); err == nil {
		for _, rule := range rules {
			if url, ok := text(rule); !ok || !judge(Prefetch, url) {
				t.Errorf("speculation rules %q", h["Speculation-Rules"])
			}
		}
	}
	if endpoints, err := httpsfv.UnmarshalDictionary(h["Reporting-Endpoints"]); err == nil {
		for _, key := range endpoints.Names() {
			member, _ := endpoints.Get(key)
			if url, ok := text(member); !ok || !judge(Report, url) {
				t.Errorf("endpoints %q", h["Reporting-Endpoints"])
			}
		}
	}
	policy, err := httpsfv.UnmarshalDictionary(h["Permissions-Policy"])
	if err != nil {
		t.Fatalf("browsers ignore all of %q", h["Permissions-Policy"])
	}
	for feature := range strings.SplitSeq(permissions, ", ") {
		key, _, _ := strings.Cut(feature, "=")
		member, _ := policy.Get(key)
		if list, ok := member.(httpsfv.InnerList); !ok || len(list.Items) > 0 {
			t.Errorf("%s is open in %q", key, h["Permissions-Policy"])
		}
	}
}
