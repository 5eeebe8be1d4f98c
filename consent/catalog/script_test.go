package catalog

import (
	"strings"
	"testing"

	"github.com/numfocus/consentgate/consent"
)

var scriptServices = []consent.Service{
	{
		ID: "load", URLs: []string{"cdn.load.example/a.js", "*.load2.example"},
		Inline: []consent.Signature{{Pattern: `loadMe\s*\(`, Role: consent.Loader}},
	},
	{
		ID: "call", Purpose: consent.Statistics, URLs: []string{"call.example"},
		Inline: []consent.Signature{{Pattern: `\bcallMe\s*\(\s*['"](?:init|track)['"]`, Role: consent.Call}},
	},
	{ID: "plugin", URLs: []string{"*/wp-content/plugins/spy/"}},
	{ID: "need", Purpose: consent.Necessary, URLs: []string{"need.example"}, Inline: []consent.Signature{{Pattern: `needMe`, Role: consent.Loader}}},
}

func withheldFrom(allowed ...consent.Purpose) func(*consent.Service) bool {
	return func(s *consent.Service) bool {
		return !consent.PurposesOf(allowed...).With(consent.Necessary).Has(s.Purpose)
	}
}

// long makes a script too large to be about one thing, with text in its middle.
func long(text string) string {
	return settingsScript(smallScript) + ";\n" + strings.Repeat(" ", near) + text + strings.Repeat(" ", near) + settingsScript(100)
}

func TestScript(t *testing.T) {
	c := compile(t, scriptServices...)
	tests := []struct{ text, want string }{
		{"", "nobody"},
		{"var x = 1;", "nobody"},
		{"loadMe('x')", "load by loadMe\\s*\\("},
		{"unloadMe (", "load by loadMe\\s*\\("},
		{"loadMeNot(", "nobody"},
		{long("loadMe()"), "load by loadMe\\s*\\("},
		{"callMe( 'init', 1)", `call by \bcallMe\s*\(\s*['"](?:init|track)['"]`},
		{"recallMe('init')", "nobody"},
		{"callMe('other')", "nobody"},
		{long("callMe('init')"), "nobody"},
		{"needMe()", "nobody"},

		{`x.src = "https://cdn.load.example/a.js"`, "load by cdn.load.example/a.js"},
		{`x.src = "//CDN.load.example:443/a.js?b"`, "load by cdn.load.example/a.js"},
		{`{"u":"https:\/\/cdn.load.example\/a.js"}`, "load by cdn.load.example/a.js"},
		{`('https:' == p ? 'https://a' : 'http://b') + '.load2.example/c.js'`, "load by *.load2.example"},
		{"`//${region}.load2.example/c.js`", "load by *.load2.example"},
		{`h = 'cdn.load.example/a.js'`, "load by cdn.load.example/a.js"},
		{`h = "cdn.load.example\/a.js"`, "load by cdn.load.example/a.js"},
		{`document.write('<script src=//cdn.load.example/a.js></script>')`, "load by cdn.load.example/a.js"},
		{`"https://cdn.load.example/b.js"`, "nobody"},
		{`"https://xcdn.load.example/a.js"`, "nobody"},
		{`"https://load2.example.evil.test/"`, "nobody"},
		{`// see https://x.load2.example for more`, "load by *.load2.example"},
		{`a //.load2.example/`, "nobody"},
		{`"https://site.example/wp-content/plugins/spy/spy.js"`, "plugin by */wp-content/plugins/spy/"},
		{`"https://need.example/x.js"`, "nobody"},

		{long(`var u = "https://cdn.load.example/a.js";`), "nobody"},
		{long(`var s = d.createElement("script"); s.src = "https://cdn.load.example/a.js";`), "load by cdn.load.example/a.js"},
		{long(`var s = d.createElement("div"); s.title = "https://cdn.load.example/a.js";`), "nobody"},
		{long(`navigator.sendBeacon("https://cdn.load.example/a.js")`), "load by cdn.load.example/a.js"},
	}
	for _, tt := range tests {
		if got := idOf(c.Script([]byte(tt.text), withheldFrom())); got != tt.want {
			t.Errorf("%.200q: got %s, want %s", tt.text, got, tt.want)
		}
	}
}

// A script that a granted and a withheld service share is withheld.
func TestScriptLooksOnlyForWhatIsWithheld(t *testing.T) {
	c := compile(t, scriptServices...)
	both := []byte(`callMe('init'); loadMe(); f("//call.example/", "//x.load2.example/")`)
	for _, tt := range []struct {
		withheld func(*consent.Service) bool
		want     string
	}{
		{withheldFrom(), "call"},
		{withheldFrom(consent.Statistics), "load"},
		{withheldFrom(consent.Marketing), "call"},
		{withheldFrom(consent.Marketing, consent.Statistics), "nobody"},
	} {
		if got, _, _ := strings.Cut(idOf(c.Script(both, tt.withheld)), " "); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
}

func TestUnknownLoader(t *testing.T) {
	c := compile(t, scriptServices...)
	tests := []struct{ text, want string }{
		{`var s=document.createElement("script");s.src="https://x.example/a.js"`, "x.example"},
		{`(function(d,s){var j=d.createElement(s);j.src='//x.example/a.js'})(document,'script')`, "x.example"},
		{`new Image().src = 'https:\/\/X.example\/p.gif?' + Math.random()`, "X.example"},
		{`fetch("https://x.example/api")`, "x.example"},
		{`import("https://x.example/m.js")`, "x.example"},
		{`document.write("<iframe src='//x.example/f'></iframe>")`, "x.example"},
		{`$.getScript('//x.example/a.js')`, "x.example"},
		{`self.importScripts("https://x.example/w.js")`, "x.example"},
		{`var s=document.createElement("div");s.title="https://x.example/"`, ""},
		{`var u="https://x.example/a.js"`, ""},
		{`fetch("/api"); // from https://x.example/docs`, ""},
		{`fetch("https://site.example/api")`, ""},
		{`fetch("https://cdn.site.example/api")`, ""},
		{`fetch("https://call.example/")`, ""}, // known: another question
		{`fetch("https://need.example/")`, ""},
		{`e.createElementNS("http://www.w3.org/2000/svg","svg"); d.createElement("script")`, ""},
		{`fetch("https://x/"); fetch("//127.0.0.1/"); fetch("//..example/")`, ""},
		{long(`var u = "https://x.example/";`), ""}, // a fetch is further away
		{long(`fetch("https://x.example/")`), "x.example"},
	}
	firstParty := func(host []byte) bool { return Registrable(string(host)) == "site.example" }
	for _, tt := range tests {
		host, ok := c.UnknownLoader([]byte(tt.text), firstParty)
		if string(host) != tt.want || ok != (tt.want != "") {
			t.Errorf("%.200q: got %q %v, want %q", tt.text, host, ok, tt.want)
		}
	}
}

func FuzzScript(f *testing.F) {
	c := builtinCatalog(f)
	for _, seed := range []string{gtmSnippet, `"https:\/\/x.example\/`, `//`, `/\/`, `'.a.bc/`, `createElement(`, `"\/\/a.b:9`, "ga(", "gtag(\n'js'"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		data := []byte(text)
		c.Script(data, withheldFrom())
		if host, ok := c.UnknownLoader(data, func([]byte) bool { return false }); ok && !strings.Contains(text, string(host)) {
			t.Errorf("host %q is not in the script", host)
		}
		if string(data) != text {
			t.Error("the script was changed")
		}
	})
}
