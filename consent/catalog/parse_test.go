package catalog

import (
	"errors"
	"flag"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/numfocus/consentgate/consent"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares got with a file under testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := "testdata/" + name
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
	}
}

func TestParseShowsEveryMistakeAtOnce(t *testing.T) {
	for _, name := range []string{"mistakes", "unreadable"} {
		file := name + ".yaml"
		data, err := os.ReadFile("testdata/" + file)
		if err != nil {
			t.Fatal(err)
		}
		services, err := Parse(file, data)
		if err == nil || services != nil {
			t.Fatalf("%s: no error, or services all the same", file)
		}
		golden(t, name+".txt", err.Error()+"\n")
		var m consent.Mistake
		if name == "mistakes" && !errors.As(err, &m) {
			t.Errorf("%s: no consent.Mistake in the error", file)
		}
	}
}

func TestParseShowsWhereTheSyntaxBreaks(t *testing.T) {
	for in, want := range map[string]string{
		"vendor: [\n":       "f.yaml:2:1: ",
		"vendor: 'x\n":      "f.yaml:2:1: ",
		"":                  "f.yaml: ",
		"vendor: x\n---\na": "f.yaml: ",
		"- a":               "f.yaml:1:1: ",
		"vendor: x":         "f.yaml:1:1: services: missing",
	} {
		if _, err := Parse("f.yaml", []byte(in)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: got %v, want %s...", in, err, want)
		}
	}
}

func TestParseGivesEachServiceItsVendor(t *testing.T) {
	services, err := Parse("example.yaml", []byte(`
vendor: Example Inc.
country: US
privacy: https://example.com/privacy
services:
  - id: chat
    name: Example Chat
    purpose: preferences
    sells: true
    loss: You cannot chat here.
    withheld: placeholder
    urls: ["*.example.com/chat/"]
    inline: [{pattern: 'exampleChat\(', role: loader}]
    cookies:
      - {name: chat_*, lifetime: 2 years, set_by: script}
      - {name: id, lifetime: session, set_by: http, domain: example.com}
    samples: [https://www.example.com/chat/]
  - id: theme
    name: Theme
    first_party: true
    country: DE
    purpose: necessary
    loss: Nothing.
    withheld: remove
    cookies: [{name: theme, lifetime: 1 year, set_by: script}]
`))
	if err != nil {
		t.Fatal(err)
	}
	want := []consent.Service{
		{
			ID: "chat", Name: "Example Chat", Vendor: "Example Inc.", Country: "US", PrivacyURL: "https://example.com/privacy",
			Purpose: consent.Preferences, Sells: true, Loss: "You cannot chat here.",
			URLs:   []string{"*.example.com/chat/"},
			Inline: []consent.Signature{{Pattern: `exampleChat\(`, Role: consent.Loader}},
			Cookies: []consent.Cookie{
				{Name: "chat_*", Lifetime: "2 years", SetBy: consent.ByScript},
				{Name: "id", Lifetime: "session", SetBy: consent.ByHTTP, Domain: "example.com"},
			},
			Withheld: consent.Placeholder,
		},
		{
			ID: "theme", Name: "Theme", Vendor: "Example Inc.", Country: "DE", PrivacyURL: "https://example.com/privacy",
			Purpose: consent.Necessary, FirstParty: true, Loss: "Nothing.",
			Cookies: []consent.Cookie{{Name: "theme", Lifetime: "1 year", SetBy: consent.ByScript}}, Withheld: consent.Remove,
		},
	}
	if !reflect.DeepEqual(services, want) {
		t.Errorf("got  %+v\nwant %+v", services, want)
	}
}

func TestMerge(t *testing.T) {
	yes := true
	base := []consent.Service{
		{ID: "a", Name: "A", Purpose: consent.Marketing, URLs: []string{"a.example", "shared.example"}, Cookies: []consent.Cookie{{Name: "c", Lifetime: "1 day"}}},
		{ID: "b", Name: "B", Purpose: consent.Statistics, URLs: []string{"b.example"}},
	}
	site := Config{
		"b": {Purpose: consent.Necessary, Sells: &yes, URLs: []string{"shared.example", "b2.example"}},
		"z": {
			Name: "Z", FirstParty: &yes, Purpose: consent.Preferences, Loss: "No Z.", Withheld: consent.Remove,
			Cookies: []Cookie{{Name: "c", Lifetime: "2 days", SetBy: consent.ByHTTP}},
		},
	}
	got, err := Merge(base, site)
	if err != nil {
		t.Fatal(err)
	}
	want := []consent.Service{
		{ID: "a", Name: "A", Purpose: consent.Marketing, URLs: []string{"a.example"}, Cookies: []consent.Cookie{}},
		{ID: "b", Name: "B", Purpose: consent.Necessary, Sells: true, URLs: []string{"b.example", "shared.example", "b2.example"}},
		{
			ID: "z", Name: "Z", FirstParty: true, Purpose: consent.Preferences, Loss: "No Z.", Withheld: consent.Remove,
			Cookies: []consent.Cookie{{Name: "c", Lifetime: "2 days", SetBy: consent.ByHTTP}},
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if !slices.Equal(base[0].URLs, []string{"a.example", "shared.example"}) || base[1].Purpose != consent.Statistics {
		t.Errorf("the base was changed: %+v", base)
	}
	if got, err = Merge(base, nil); err != nil || !reflect.DeepEqual(got, base) {
		t.Errorf("nothing to merge: got %+v, %v", got, err)
	}
}

func TestMergeAsksForWhatASitesOwnServiceLacks(t *testing.T) {
	_, err := Merge(nil, Config{"mine": {Name: "Mine"}})
	golden(t, "lacking.txt", err.Error()+"\n")
}

func TestConfigCheck(t *testing.T) {
	c := Config{
		"Bad Id":   {Name: "x"},
		"cookie-x": {},
		"fine":     {Purpose: consent.Marketing, URLs: []string{"*.example.com/x"}},
		"wrong":    {Purpose: "ads", URLs: []string{"http://example.com"}, Inline: []Signature{{Pattern: "("}}, Cookies: []Cookie{{}}},
	}
	golden(t, "config.txt", c.Check().Error()+"\n")
	if err := (Config{"fine": c["fine"]}).Check(); err != nil {
		t.Error(err)
	}
	if _, err := Merge(nil, c); err == nil {
		t.Error("merged a config with mistakes")
	}
}
