package catalog

import (
	"bytes"
	"encoding/json"
	"net/url"
	"os"
	"strings"
	"testing"
)

// parsed shows a URL as scheme, host and path.
func parsed(t *testing.T, base, ref string) string {
	t.Helper()
	var p Parser
	var at *URL
	if base != "" {
		u, ok := p.Parse(nil, []byte(base))
		if !ok {
			t.Fatalf("base %q is no URL", base)
		}
		u = u.Clone()
		at = &u
	}
	u, ok := p.Parse(at, []byte(ref))
	if !ok {
		return "none"
	}
	return string(u.Scheme) + " " + string(u.Host) + " " + string(u.Path)
}

// All the ways to write a URL that leads somewhere lead there.
func TestParseFindsWhereABrowserWouldGo(t *testing.T) {
	tests := []struct{ ref, want string }{
		{"https://t.example/a", "https t.example /a"},
		{"//t.example/a", "https t.example /a"},
		{"HTTPS://T.EXAMPLE/A", "https t.example /A"},
		{`https:\\t.example\a`, "https t.example /a"},
		{`\\t.example\a`, "https t.example /a"},
		{`/\t.example/a`, "https t.example /a"},
		{"///t.example/a", "https t.example /a"},
		{"https:///////t.example/a", "https t.example /a"},
		{"http:t.example/a", "http t.example /a"},  // another scheme than the page's
		{"http:/t.example/a", "http t.example /a"}, // so the slashes are made up
		{" \x00\x1f https://t.example/a \n", "https t.example /a"},
		{"ht\ntps:/\t/t.exa\r\nmple/\na", "https t.example /a"},
		{"\t//t.example", "https t.example /"},
		{"https://user:pass@t.example/a", "https t.example /a"},
		{"https://site.example@t.example/a", "https t.example /a"},
		{"https://site.example:x@y@t.example/a", "https t.example /a"},
		{"https://t.example:443/a", "https t.example /a"},
		{"https://t.example:8443/a", "https t.example /a"},
		{"https://t.example:/a", "https t.example /a"},
		{"https://t.example:00443/a", "https t.example /a"},
		{"https://t.example./a", "https t.example /a"},
		{"https://%74.e%78ample/a", "https t.example /a"},
		{"https://t%2Eexample/a", "https t.example /a"},
		{"https://t。example/a", "https t.example /a"},
		{"https://ｔ.example/a", "https t.example /a"},
		{"https://t\u00ad.example/a", "https t.example /a"},
		{"https://%EF%BD%94.example/a", "https t.example /a"},
		{"https://bücher.example/", "https xn--bcher-kva.example /"},
		{"https://BÜCHER.example/", "https xn--bcher-kva.example /"},
		{"https://XN--bcher-KVA.example/", "https xn--bcher-kva.example /"},
		{"https://faß.example/", "https xn--fa-hia.example /"},
		{"https://a_b.t.example/", "https a_b.t.example /"},
		{"https://a--b.t.example/", "https a--b.t.example /"},
		{"wss://t.example/live", "wss t.example /live"},
		{"WS:t.example", "ws t.example /"},
		{"ftp://t.example/f", "ftp t.example /f"},

		{"https://1.2.3.4/", "https 1.2.3.4 /"},
		{"https://0x7f.1/", "https 127.0.0.1 /"},
		{"https://017700000001/", "https 127.0.0.1 /"},
		{"https://2130706433/", "https 127.0.0.1 /"},
		{"https://0x7F000001/", "https 127.0.0.1 /"},
		{"https://127.0.0x0.1./", "https 127.0.0.1 /"},
		{"https://1.2.3/", "https 1.2.0.3 /"},
		{"https://0x./", "https 0.0.0.0 /"},
		{"https://%31.2.3.4/", "https 1.2.3.4 /"},
		{"https://１.2.3.4/", "https 1.2.3.4 /"},
		{"https://[::1]:8080/", "https [::1] /"},
		{"https://[1:0:0:2::]/", "https [1:0:0:2::] /"},
		{"https://[2001:DB8:0:0:1:0:0:1]/", "https [2001:db8::1:0:0:1] /"},
		{"https://[::ffff:1.2.3.4]/", "https [::ffff:102:304] /"},
		{"https://u@[::]/", "https [::] /"},

		{"https://t.example?q", "https t.example /?q"},
		{"https://t.example#f", "https t.example /"},
		{`https://t.example\a?b\c`, `https t.example /a?b\c`},
		{"https://t.example/a/./b/../c", "https t.example /a/c"},
		{"https://t.example/a/%2e/b/%2E%2e/c", "https t.example /a/c"},
		{"https://t.example/a/.%2e/gtm.js?x=/../y#/..", "https t.example /gtm.js?x=/../y"},
		{"https://t.example/../../a", "https t.example /a"},
		{"https://t.example/a/..", "https t.example /"},
		{"https://t.example/a/b/.", "https t.example /a/b/"},
		{"https://t.example/a//../b", "https t.example /a/b"},
		{"https://t.example/...", "https t.example /..."},
		{"https://t.example/.a/b.", "https t.example /.a/b."},

		{"data:text/html,<p>#x", "data  text/html,<p>"},
		{"javascript:f('#')", "javascript  f('#')"},
		{"JavaScript:f()", "javascript  f()"},
		{"blob:https://t.example/1", "blob  https://t.example/1"},
		{"about:blank", "about  blank"},
		{"mailto:a@t.example", "mailto  a@t.example"},
		{"foo://t.example/a", "foo  //t.example/a"},
		{"file:///etc/passwd", "file  /etc/passwd"},
		{`file:\\host/share`, "file host /share"},
		{"file:x/../y", "file  /y"},
	}
	for _, tt := range tests {
		if got := parsed(t, "https://site.example/dir/page?q", tt.ref); got != tt.want {
			t.Errorf("%q: got %s, want %s", tt.ref, got, tt.want)
		}
	}
}

func TestParseRelative(t *testing.T) {
	const base = "https://site.example/dir/sub/page?q#f"
	tests := []struct{ base, ref, want string }{
		{base, "", "https site.example /dir/sub/page?q"},
		{base, "  ", "https site.example /dir/sub/page?q"},
		{base, "#x", "https site.example /dir/sub/page?q"},
		{base, "?r", "https site.example /dir/sub/page?r"},
		{base, "a.js", "https site.example /dir/sub/a.js"},
		{base, "./a.js", "https site.example /dir/sub/a.js"},
		{base, "../a.js?v=1", "https site.example /dir/a.js?v=1"},
		{base, `..\..\..\a.js`, "https site.example /a.js"},
		{base, "/a", "https site.example /a"},
		{base, "https:a", "https site.example /dir/sub/a"},
		{base, "https:/a", "https site.example /a"},
		{base, "https:?r", "https site.example /dir/sub/page?r"},
		{base, "t.example/a", "https site.example /dir/sub/t.example/a"},
		{base, "a:b", "a  b"},
		{base, "1a:b", "https site.example /dir/sub/1a:b"},
		{"http://site.example", "a", "http site.example /a"},
		{"http://site.example", "//t.example", "http t.example /"},
		{"file:///a/b", "c", "file  /a/c"},
		{"file:///a/b", "//host/c", "file host /c"},
		{"about:blank", "#x", "about  blank"},
		{"about:blank", "a", "none"},
		{"data:,x", "//t.example/", "none"},
		{"", "//t.example/", "none"},
		{"", "a", "none"},
	}
	for _, tt := range tests {
		if got := parsed(t, tt.base, tt.ref); got != tt.want {
			t.Errorf("%q at %q: got %s, want %s", tt.ref, tt.base, got, tt.want)
		}
	}
}

func TestParseRefusesWhatABrowserRefuses(t *testing.T) {
	for _, ref := range []string{
		"https://", "https:///", "https://?q", "https://user@/", "https://@/", "https://:443/", "https://t.example:x/",
		"https://t.example:65536/", "https://t.example:99999999999999999999/", "https://t ex/", "https://t<ex/", "https://%/",
		"https://%zz/", "https://t%2fx/", "https://t%00x/", "https://1.2.3.4.5/", "https://1.2.3.256/", "https://256.1.1.1/",
		"https://4294967296/", "https://0x100000000/", "https://09.1/", "https://a.b.09/", "https://1..2/", "https://./", "https://t.example../",
		"https://\u00ad/", "https://a℀b.example/", "https://[::1/", "https://[::1]x/", "https://[::1%25eth0]/", "https://[1.2.3.4]/", "https://[]/",
		"https://[1:2:3:4:5:6:7:8:9]/", "https://::1/",
	} {
		if got := parsed(t, "", ref); got != "none" {
			t.Errorf("%q: got %s, want none", ref, got)
		}
	}
}

// testdata/urls.jsonl holds random references and what the URL class of a
// JavaScript engine (Node.js 20) made of them: base, reference, and, unless it
// refused, scheme, host, path and query.
func TestParseAgreesWithABrowserEngine(t *testing.T) {
	data, err := os.ReadFile("testdata/urls.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(data) {
		var c []string
		if err := json.Unmarshal(line, &c); err != nil {
			t.Fatal(err)
		}
		want := "none"
		if len(c) == 5 {
			want = c[2] + " " + strings.TrimSuffix(c[3], ".") + " " + strings.TrimSuffix(c[4], "?")
		}
		got := strings.TrimSuffix(parsed(t, c[0], c[1]), "?")
		if len(c) == 5 && c[4] == "" { // what a scheme without a host leads to is not compared
			got, _, _ = strings.Cut(got, " ")
			want, _, _ = strings.Cut(want, " ")
		}
		if got != want {
			t.Errorf("%q at %q: got %s, want %s", c[1], c[0], got, want)
		}
	}
}

func TestParseCostsNoMemory(t *testing.T) {
	base, _ := new(Parser).Parse(nil, []byte("https://site.example/dir/page"))
	base = base.Clone()
	var p Parser
	for _, ref := range []string{
		"https://t.example/a.js?b", "//t.example/a", "/a/b", "../a", "?q", `HTTPS:\\U@%54.EXAMPLE.:443\a\..\b`, "http://0x7f.1/", "data:text/plain,x",
	} {
		data := []byte(ref)
		p.Parse(&base, data)
		if n := testing.AllocsPerRun(100, func() { p.Parse(&base, data) }); n > 0 {
			t.Errorf("%q: %v allocations", ref, n)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"https://t.example/a?b#c", "//t.example:80/../a", `\\T.EXAMPLE\a`, "https://[::ffff:1.2.3.4]/", "http://0x7f.1/", "https://bücher.example./",
		"https:a/./b", "/wp-content/a.js?ver=6", "/wp-content/.hidden", "/eight/by/.es", "/seventeen/bytes.", "data:text/html,x", "https://u:p@%74.example/", "ht\ntps:\t//x.example", "file:///c:/x", "https://xn--a.example/",
	} {
		f.Add("https://site.example/dir/page?q", seed)
	}
	f.Fuzz(func(t *testing.T, base, ref string) {
		var p Parser
		at, ok := new(Parser).Parse(nil, []byte(base))
		if !ok {
			return
		}
		u, ok := p.Parse(&at, []byte(ref))
		if !ok {
			return
		}
		u = u.Clone()
		checkURL(t, u)
		agreesWithItself(t, &p, &at, ref, u)
		if special(u.Scheme) && !isFile(u.Scheme) {
			again, ok := new(Parser).Parse(nil, []byte(string(u.Scheme)+"://"+string(u.Host)+string(u.Path)+"#")) // what is at the end of the path is not at that of the reference
			if !ok || string(again.Host) != string(u.Host) || string(again.Path) != string(u.Path) {
				t.Errorf("%q: %s %s %s is not stable: %s %s", ref, u.Scheme, u.Host, u.Path, again.Host, again.Path)
			}
		}
		if plainURL(ref) {
			agreesWithNetURL(t, u, ref)
		}
	})
}

// agreesWithItself parses ref once more, with what p has learned by now, and with
// something in front that is to be left out, so that it cannot be taken as it is.
func agreesWithItself(t *testing.T, p *Parser, base *URL, ref string, first URL) {
	t.Helper()
	for _, same := range []string{ref, " " + ref} {
		u, ok := p.Parse(base, []byte(same))
		if !ok || string(u.Scheme) != string(first.Scheme) || string(u.Host) != string(first.Host) || string(u.Path) != string(first.Path) {
			t.Errorf("%q on %s://%s%s: first %s %s %s, then %s %s %s", ref, base.Scheme, base.Host, base.Path,
				first.Scheme, first.Host, first.Path, u.Scheme, u.Host, u.Path)
		}
	}
}

// What a parser has learned from some references changes nothing for others that
// begin in the same way.
func TestParserLearnsNothingWrong(t *testing.T) {
	refs := []string{
		"https://t.example/a", "https://t.example/a/../b#c", "https://t.example//x", "https://t.example", "https://t.example?q", `https://t.example\x`,
		"https://t.example:443/", "https://T.example/", "http://t.example/", "https:/t.example/", "https:t.example/", "https:///t.example/",
		"/redirect?to=https://t.example/", "//t.example/", "https://u@t.example/", "https://u@t.example/p@v.example/", "https://t.example/@v.example/",
		"https://t%2eexample/", "https://t.example.evil.test/", "data:https://t.example/", "file://t.example/", "ws://t.example/", "https://b.example/",
	}
	for _, base := range []string{"https://s.example/d/p", "http://s.example/", "file:///d/p", "about:blank"} {
		at, _ := new(Parser).Parse(nil, []byte(base))
		for _, one := range refs {
			for _, other := range refs {
				var p Parser
				p.Parse(&at, []byte(one))
				got, ok := p.Parse(&at, []byte(other))
				want, wantOK := new(Parser).Parse(&at, []byte(other))
				if ok != wantOK || ok && (string(got.Scheme) != string(want.Scheme) || string(got.Host) != string(want.Host) || string(got.Path) != string(want.Path)) {
					t.Errorf("on %s, after %q: %q is %s %s %s, not %s %s %s", base, one, other,
						got.Scheme, got.Host, got.Path, want.Scheme, want.Host, want.Path)
				}
			}
		}
	}
}

// checkURL checks what everything else relies on.
func checkURL(t *testing.T, u URL) {
	t.Helper()
	for _, c := range u.Host {
		if c <= ' ' || c >= 0x7f || 'A' <= c && c <= 'Z' || strings.IndexByte("/\\?#@%", c) >= 0 {
			t.Errorf("host %q has %q", u.Host, c)
		}
	}
	switch {
	case !special(u.Scheme):
		if len(u.Host) > 0 {
			t.Errorf("scheme %q has host %q", u.Scheme, u.Host)
		}
	case len(u.Host) == 0 && !isFile(u.Scheme):
		t.Errorf("scheme %q has no host", u.Scheme)
	case len(u.Path) == 0 || u.Path[0] != '/':
		t.Errorf("path %q does not begin with a slash", u.Path)
	}
}

// plainURL reports whether a reference has nothing in which net/url differs from
// browsers.
func plainURL(ref string) bool {
	rest, ok := strings.CutPrefix(ref, "https://")
	if !ok || strings.Contains(ref, "/.") || strings.HasSuffix(ref, "/") {
		return false
	}
	for _, c := range []byte(rest) {
		if !('a' <= c && c <= 'z' || c == '/' || c == '.' || c == '?' || c == '=' || c == '&') {
			return false
		}
	}
	host, _, _ := strings.Cut(rest, "/")
	return host != "" && !strings.HasPrefix(host, ".") && !strings.HasSuffix(host, ".") && !strings.Contains(host, "..") && !strings.ContainsAny(host, "?=&")
}

func agreesWithNetURL(t *testing.T, u URL, ref string) {
	t.Helper()
	want, err := url.Parse(ref)
	if err != nil {
		return
	}
	path := want.Path
	if path == "" {
		path = "/"
	}
	if want.RawQuery != "" || want.ForceQuery {
		path += "?" + want.RawQuery
	}
	if string(u.Host) != want.Host || string(u.Path) != path {
		t.Errorf("%q: got %s %s, net/url has %s %s", ref, u.Host, u.Path, want.Host, path)
	}
}
