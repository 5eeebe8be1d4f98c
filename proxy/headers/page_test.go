package headers

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
)

func TestNotModified(t *testing.T) {
	for _, test := range []struct {
		lines []string
		etag  string
		want  bool
	}{
		{nil, `W/"a"`, false},
		{[]string{`W/"a"`}, `W/"a"`, true},
		{[]string{`"a"`}, `W/"a"`, true},
		{[]string{`W/"a"`}, `"a"`, true},
		{[]string{`"b"`}, `W/"a"`, false},
		{[]string{`"b", W/"a"`}, `W/"a"`, true},
		{[]string{`"b,a"`}, `W/"a"`, false},
		{[]string{`"x, y", "a"`}, `W/"a"`, true},
		{[]string{`"b"`, `"a"`}, `W/"a"`, true},
		{[]string{`*`}, `W/"a"`, true},
		{[]string{` * `}, `W/"a"`, true},
		{[]string{`*`}, "", false},
		{[]string{`a`}, `W/"a"`, false},
		{[]string{`"a`}, `W/"a"`, false},
		{[]string{`""`}, `W/"a"`, false},
		{[]string{`"A"`}, `W/"a"`, false},
		{[]string{`W/"a"garbage"`}, `W/"a"`, true},
	} {
		if got := NotModified(test.lines, test.etag); got != test.want {
			t.Errorf("NotModified(%q, %q) = %v", test.lines, test.etag, got)
		}
	}
}

func TestETag(t *testing.T) {
	a := ETag("ab", "c")
	if a != ETag("ab", "c") {
		t.Error("equal parts give different tags")
	}
	if a == ETag("a", "bc") || a == ETag("abc") || a == ETag("ab", "c", "") {
		t.Error("different parts give equal tags")
	}
	if !strings.HasPrefix(a, `W/"`) || len(a) != len(`W/""`)+26 {
		t.Errorf("%s is no weak tag of 26 characters", a)
	}
	if !NotModified([]string{a}, a) {
		t.Errorf("%s does not match itself", a)
	}
}

func TestDropStaleFromTrailers(t *testing.T) {
	trailer := http.Header{"Content-Digest": {"x"}, "Etag": {"y"}, "X-Own": {"z"}}
	DropStale(trailer)
	if len(trailer) != 1 || trailer.Get("X-Own") != "z" {
		t.Errorf("left: %v", trailer)
	}
}

// A consented visitor's header loses nothing.
func TestFilterKeepsEverythingForThoseWhoAgreed(t *testing.T) {
	all := Policy{Allowed: func(Kind, string) bool { return true }, Ads: true}
	h := http.Header{
		"Link":                    {"<https://tracker.test/>; rel=preconnect,</a>;rel=x"},
		"Refresh":                 {"0;url=https://tracker.test/"},
		"Report-To":               {`{"group":"a","endpoints":[{"url":"https://tracker.test/"}]}`},
		"Nel":                     {`{"report_to":"a"}`},
		"Speculation-Rules":       {`"https://tracker.test/"`},
		"Observe-Browsing-Topics": {"?1"},
		"Permissions-Policy":      {"browsing-topics=*"},
	}
	before := format(h)
	if n := Filter(h, all); n != 0 || format(h) != before {
		t.Errorf("%d withheld; left:\n%s", n, format(h))
	}
}

func TestFilterTellsTheKind(t *testing.T) {
	h := http.Header{
		"Link": {`</1>; rel=preload; as=script, </2>; rel=preload; as=style, </3>; rel=preload; as=image, </4>; rel=preload; as=font, ` +
			`</5>; rel=preload; as=video, </6>; rel=preload; as=document, </7>; rel=preload; as=fetch, </8>; rel=preload, ` +
			`</9>; rel=modulepreload, </10>; rel=stylesheet, </11>; rel=dns-prefetch, </12>; rel=prefetch, </13>; rel=icon`},
		"Refresh":             {"0; url=/14"},
		"Sourcemap":           {" /15"},
		"Reporting-Endpoints": {`a="/16"`},
		"Speculation-Rules":   {`"/17"`},
		"Report-To":           {`{"endpoints":[{"url":"/18"}]}`},
	}
	want := map[string]Kind{
		"/1": Script, "/2": Style, "/3": Image, "/4": Font, "/5": Media, "/6": Frame, "/7": Fetch, "/8": Fetch, "/9": Script,
		"/10": Style, "/11": Hint, "/12": Prefetch, "/13": Image, "/14": Refresh, "/15": SourceMap, "/16": Report, "/17": Prefetch, "/18": Report,
	}
	Filter(h, Policy{Allowed: func(kind Kind, url string) bool {
		if want[url] != kind {
			t.Errorf("%s is judged as %s; want %s", url, kind, want[url])
		}
		delete(want, url)
		return true
	}})
	if len(want) > 0 {
		t.Errorf("not judged: %v", want)
	}
}

var loads = regexp.MustCompile(`^<https://tracker\.test/?>; ?rel="?(preload|preconnect)"? *($|[,;])`)

// FuzzLink asserts that what plainly loads from a tracker is gone, that what
// stays was there before, and that a second pass finds nothing more.
func FuzzLink(f *testing.F) {
	f.Add(`<https://tracker.test/>; rel=preload, </a>; rel="x, y"; title="\""`)
	f.Add(`</a>;rel=preload;imagesrcset="https://tracker.test/ 1x"`)
	f.Fuzz(func(t *testing.T, line string) {
		h := http.Header{"Link": {line}}
		Filter(h, Policy{Allowed: judge})
		if lines := h["Link"]; len(lines) > 0 && lines[0] != line {
			for _, member := range splitMembers(lines[0]) {
				if !strings.Contains(line, member) {
					t.Errorf("%q came from nowhere", member)
				}
			}
		}
		if left := strings.Join(h["Link"], "\n"); loads.MatchString(left) {
			t.Errorf("%q left %q", line, left)
		}
		before := format(h)
		if Filter(h, Policy{Allowed: judge, Ads: true}); format(h) != before {
			t.Errorf("%q: a second time it became %q", before, format(h))
		}
	})
}

func FuzzRefresh(f *testing.F) {
	f.Add("0; url=https://tracker.test/")
	f.Add(` 1.5,URL = "https://tracker.test/" x`)
	f.Fuzz(func(t *testing.T, line string) {
		url, ok := refreshURL(line)
		if ok && !strings.Contains(line, url) {
			t.Errorf("%q: %q came from nowhere", line, url)
		}
		if !ok && strings.HasPrefix(line, "0;url=h") {
			t.Errorf("%q: no URL found", line)
		}
	})
}

func FuzzReporting(f *testing.F) {
	f.Add(`{"group":"a","endpoints":[{"url":"https://tracker.test/"}]}`, `a="/r"`)
	f.Fuzz(func(t *testing.T, reportTo, endpoints string) {
		h := http.Header{"Report-To": {reportTo}, "Reporting-Endpoints": {endpoints}, "Speculation-Rules": {endpoints}, "Permissions-Policy": {endpoints}}
		Filter(h, Policy{Allowed: func(Kind, string) bool { return false }})
		for _, name := range []string{"Reporting-Endpoints", "Speculation-Rules"} {
			if lines := h[name]; len(lines) > 0 && strings.Contains(lines[0], "/") && strings.Trim(lines[0], " \t") != "" {
				t.Errorf("%s %q stays", name, lines)
			}
		}
		Restrict(h, Policy{})
	})
}
