package cookies

import (
	"net/http"
	"strings"
	"testing"
)

func TestParseSetCookie(t *testing.T) {
	long := strings.Repeat("x", maxAttribute)
	for _, test := range []struct {
		line string
		want Parsed
	}{
		{"a=1", Parsed{Name: "a", Value: "1"}},
		{" a = 1 ; Path = /x ", Parsed{Name: "a", Value: "1", Path: "/x"}},
		{"noeq", Parsed{Value: "noeq"}},
		{"=v", Parsed{Value: "v"}},
		{"a=", Parsed{Name: "a"}},
		{"bad name=v", Parsed{Name: "bad name", Value: "v"}},
		{`sid=a"b`, Parsed{Name: "sid", Value: `a"b`}},
		{`a="b, c"`, Parsed{Name: "a", Value: `"b, c"`}},
		{"a=b=c", Parsed{Name: "a", Value: "b=c"}},
		{"a=\tb\tc", Parsed{Name: "a", Value: "b\tc"}},
		{"a=1;", Parsed{Name: "a", Value: "1"}},
		{"a=1;;;secure", Parsed{Name: "a", Value: "1", Secure: true}},
		{"a=1; SECURE=no; hTTPoNLY; PartitionED", Parsed{Name: "a", Value: "1", Secure: true, HTTPOnly: true, Partitioned: true}},
		{"a=1; Domain=.Example.ORG", Parsed{Name: "a", Value: "1", Domain: "example.org"}},
		{"a=1; Domain=example.org; domain=other.org", Parsed{Name: "a", Value: "1", Domain: "other.org"}},
		{"a=1; Domain=example.org; Domain=", Parsed{Name: "a", Value: "1"}},
		{"a=1; Domain", Parsed{Name: "a", Value: "1"}},
		{"a=1; Domain=" + long, Parsed{Name: "a", Value: "1", Domain: long}},
		{"a=1; Domain=x" + long, Parsed{Name: "a", Value: "1"}},
		{"a=1; Path=/x; Path=y", Parsed{Name: "a", Value: "1"}},
		{"a=1; SameSite=LAX", Parsed{Name: "a", Value: "1", SameSite: "lax"}},
		{"a=1; SameSite=Lax; SameSite=odd", Parsed{Name: "a", Value: "1"}},
		{"a=1; SameSite=None; Secure", Parsed{Name: "a", Value: "1", SameSite: "none", Secure: true}},
		{"a=1; Expires=Wed, 09 Jun 2031 10:18:14 GMT; Max-Age=5", Parsed{Name: "a", Value: "1"}},
		{"__Host-a=1; Secure; Path=/", Parsed{Name: "__Host-a", Value: "1", Secure: true, Path: "/"}},
		{"__HOST-a=1; Secure; Path=/; Domain=", Parsed{Name: "__HOST-a", Value: "1", Secure: true, Path: "/"}},
		{"__secure-a=1; Secure", Parsed{Name: "__secure-a", Value: "1", Secure: true}},
		{"a" + strings.Repeat("x", 4000) + "=" + strings.Repeat("y", 95), Parsed{Name: "a" + strings.Repeat("x", 4000), Value: strings.Repeat("y", 95)}},
	} {
		if got, ok := ParseSetCookie(test.line); !ok || got != test.want {
			t.Errorf("ParseSetCookie(%q) = %+v, %v; want %+v", test.line, got, ok, test.want)
		}
	}
}

func TestParseSetCookieIgnored(t *testing.T) {
	for _, line := range []string{
		"", "=", " = ; Path=/", "; Secure",
		"a=1\x00", "a=1; Path=/\x1f", "a\x7f=1", "a=1\r\nb=2",
		"a=" + strings.Repeat("x", maxPair),
		"a=1; SameSite=None",
		"a=1; Partitioned",
		"__Host-a=1", "__Host-a=1; Secure", "__Host-a=1; Path=/", "__Host-a=1; Secure; Path=/x",
		"__host-a=1; Secure; Path=/; Domain=example.org",
		"__SECURE-a=1",
		"__Host-a", "=__Secure-a=1; Secure", "=__host-x=1; Secure; Path=/",
	} {
		if p, ok := ParseSetCookie(line); ok {
			t.Errorf("ParseSetCookie(%q) = %+v; a browser ignores it", line, p)
		}
	}
}

func TestSeen(t *testing.T) {
	for line, want := range map[string]string{
		"a=1": "a", "lonely": "", "=lonely": "", "=_ga=GA1": "_ga", "= _ga =1": "_ga",
	} {
		if p, ok := ParseSetCookie(line); !ok || p.Seen() != want {
			t.Errorf("%q is seen as %q, %v; want %q", line, p.Seen(), ok, want)
		}
	}
}

// FuzzParseSetCookie compares with net/http wherever that one reads a line as
// well: where it does, it must have found the same cookie.
func FuzzParseSetCookie(f *testing.F) {
	for _, line := range []string{
		"a=1; Path=/; Domain=.example.org; Secure; HttpOnly; SameSite=None; Partitioned",
		"a=1; Max-Age=5; Expires=Wed, 09 Jun 2031 10:18:14 GMT",
		"noeq; Secure", "__Host-a=1; path=/; SECURE", `a="b"; domain="x"`,
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		p, ok := ParseSetCookie(line)
		theirs, err := http.ParseSetCookie(line)
		if !ok || err != nil {
			return
		}
		value := theirs.Value
		if theirs.Quoted {
			value = `"` + value + `"`
		}
		if p.Name != theirs.Name || p.Value != trim(value) {
			t.Errorf("%q: %q=%q; net/http reads %q=%q", line, p.Name, p.Value, theirs.Name, value)
		}
		if theirs.Secure && !p.Secure || theirs.HttpOnly && !p.HTTPOnly || theirs.Partitioned && !p.Partitioned {
			t.Errorf("%q: %+v; net/http reads %+v", line, p, theirs)
		}
	})
}
