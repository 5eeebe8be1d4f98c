package banner

import (
	"fmt"
	"io/fs"
	"path"
	"strings"
	"sync"

	"go.yaml.in/yaml/v4"
	"golang.org/x/text/language"

	"github.com/numfocus/consentgate/assets"
)

// source is the language the others are measured against.
const source Lang = "en"

// A library has every language there is. The sentences of one are read when they
// are first asked for: most sites are seen in a few languages.
type library map[Lang]volume

type volume struct {
	tag  language.Tag
	read func() (*locale, error) // the same each time
}

// openLibrary lists the embedded languages, and fails where one lacks a sentence
// that the source has or has one too many. What else could be wrong with a file is
// for tests to find, which read all of them.
func openLibrary() (library, error) {
	files, err := fs.Glob(assets.Files, "locales/*.yaml")
	if err != nil {
		return nil, fmt.Errorf("list languages: %w", err)
	}
	lib := make(library, len(files))
	keys := make(map[Lang]map[string]bool, len(files))
	for _, file := range files {
		text, err := fs.ReadFile(assets.Files, file)
		if err != nil {
			return nil, fmt.Errorf("read language: %w", err)
		}
		tag, err := language.Parse(strings.TrimSuffix(path.Base(file), ".yaml"))
		if err != nil {
			return nil, fmt.Errorf("name of %s: %w", file, err)
		}
		lang := Lang(tag.String())
		keys[lang] = keysOf(string(text))
		lib[lang] = volume{tag, sync.OnceValues(func() (*locale, error) { return readLocale(lang, tag, text) })}
	}
	return lib, sameKeys(keys)
}

// keysOf finds the keys of a file without reading it as YAML, which would take as
// long as all else that is done at start: each stands at the start of a line.
func keysOf(text string) map[string]bool {
	keys := make(map[string]bool, 160)
	for line := range strings.SplitSeq(text, "\n") {
		if key, _, ok := strings.Cut(line, ":"); ok && key != "" && !strings.ContainsAny(key[:1], "# ") {
			keys[key] = true
		}
	}
	return keys
}

func sameKeys(all map[Lang]map[string]bool) error {
	want := all[source]
	for lang, keys := range all {
		for key := range want {
			if !keys[key] {
				return fmt.Errorf("language %s: %s is missing", lang, key)
			}
		}
		for key := range keys {
			if !want[key] {
				return fmt.Errorf("language %s: %s is not a sentence of %s", lang, key, source)
			}
		}
	}
	return nil
}

func readLocale(lang Lang, tag language.Tag, text []byte) (*locale, error) {
	loc := &locale{lang: lang, tag: tag, forms: formsOf(tag)}
	if err := yaml.Unmarshal(text, &loc.texts); err != nil {
		return nil, fmt.Errorf("read language %s: %w", lang, err)
	}
	return loc, nil
}
