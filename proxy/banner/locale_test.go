package banner

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/language"

	"github.com/numfocus/consentgate/assets"
)

// locales reads every language.
func locales(t testing.TB) map[Lang]*locale {
	t.Helper()
	lib, err := openLibrary()
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[Lang]*locale)
	for lang, volume := range lib {
		if all[lang], err = volume.read(); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func TestLocalesAreComplete(t *testing.T) {
	all := locales(t)
	for lang, loc := range all {
		if err := loc.complete(all[source]); err != nil {
			t.Errorf("language %s: %v", lang, err)
		}
	}
}

func TestCompleteFindsWhatIsWrong(t *testing.T) {
	src := &locale{lang: "en", texts: map[string]string{"a": "{n} of {m}", "b": "x"}}
	for name, tt := range map[string]struct {
		texts map[string]string
		want  string
	}{
		"as the source":   {map[string]string{"a": "von {m} {n}", "b": "y"}, ""},
		"missing":         {map[string]string{"a": "{n} {m}"}, "b is missing"},
		"extra":           {map[string]string{"a": "{n} {m}", "b": "y", "c": "z"}, "c is not a sentence"},
		"a blank left":    {map[string]string{"a": "{n}", "b": "y"}, "a must have"},
		"a blank renamed": {map[string]string{"a": "{n} {k}", "b": "y"}, "a must have"},
	} {
		t.Run(name, func(t *testing.T) {
			err := (&locale{lang: "de", texts: tt.texts}).complete(src)
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("unexpected: %v", err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// A sentence nobody shows is work for forty translators.
func TestEverySentenceIsUsed(t *testing.T) {
	all := locales(t)
	used := sources(t)
	byName := []string{"month.", "purpose.", "error.", "signal.", "service.setby.", "lifetime."} // put together at run time
	for _, key := range slices.Sorted(maps.Keys(all[source].texts)) {
		fromParts := slices.ContainsFunc(byName, func(prefix string) bool { return strings.HasPrefix(key, prefix) })
		if !fromParts && !strings.Contains(used, `"`+key+`"`) {
			t.Errorf("nothing shows %s", key)
		}
	}
}

// sources is the text of all templates and of this package.
func sources(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	templates, err := fs.Glob(assets.Files, "*.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range templates {
		text, err := fs.ReadFile(assets.Files, file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}

func TestMatch(t *testing.T) {
	all := make(library)
	for _, l := range []Lang{"en", "de", "fr", "pt-BR", "zh-Hans", "zh-Hant", "ar"} {
		all[l] = volume{tag: language.MustParse(string(l))}
	}
	m := newMatcher("en", all)
	for _, tt := range []struct {
		page, accept string
		want         Lang
	}{
		{"", "", "en"},
		{"de", "fr", "de"},
		{"de-AT", "fr", "de"},
		{"pt-BR", "", "pt-BR"},
		{"zh-TW", "", "zh-Hant"},
		{"zh-CN", "", "zh-Hans"},
		{"sv", "fr;q=0.8, de;q=0.9", "de"},
		{"", "sv, fr;q=0.5", "fr"},
		{"", "sv", "en"},
		{"ar-EG", "de", "ar"},
		{"not a language!", "de", "de"},
		{"", strings.Repeat("xx,", 10_000) + "de", "en"},
	} {
		if got := m.match(tt.page, tt.accept); got != tt.want {
			t.Errorf("match(%q, %.40q) = %s, want %s", tt.page, tt.accept, got, tt.want)
		}
	}
}

func TestDir(t *testing.T) {
	for tag, want := range map[string]string{"en": "ltr", "ar": "rtl", "he": "rtl", "fa": "rtl", "zh-Hans": "ltr"} {
		if got := (&locale{tag: language.MustParse(tag)}).Dir(); got != want {
			t.Errorf("%s is written %s, want %s", tag, got, want)
		}
	}
}

func TestList(t *testing.T) {
	loc := &locale{texts: map[string]string{"list.comma": ", ", "list.and": " and "}}
	for want, words := range map[string][]string{"": nil, "a": {"a"}, "a and b": {"a", "b"}, "a, b and c": {"a", "b", "c"}} {
		if got := loc.list(words); got != want {
			t.Errorf("list(%q) = %q, want %q", words, got, want)
		}
	}
}

func FuzzMatch(f *testing.F) {
	f.Add("de-AT", "fr;q=0.8, en")
	all, err := openLibrary()
	if err != nil {
		f.Fatal(err)
	}
	m := newMatcher("en", all)
	f.Fuzz(func(t *testing.T, page, accept string) {
		if l := m.match(page, accept); all[l].read == nil {
			t.Errorf("match(%q, %q) = %q, which there is not", page, accept, l)
		}
	})
}
