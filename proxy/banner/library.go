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

// openLibrary lists the embedded languages. That each has every sentence, with every
// blank, is for tests to find, which read all of them.
func openLibrary() (library, error) {
	files, err := fs.Glob(assets.Files, "locales/*.yaml")
	if err != nil {
		return nil, fmt.Errorf("list languages: %w", err)
	}
	lib := make(library, len(files))
	for _, file := range files {
		tag, err := language.Parse(strings.TrimSuffix(path.Base(file), ".yaml"))
		if err != nil {
			return nil, fmt.Errorf("name of %s: %w", file, err)
		}
		lang := Lang(tag.String())
		lib[lang] = volume{tag, sync.OnceValues(func() (*locale, error) { return readLocale(lang, tag, file) })}
	}
	return lib, nil
}

func readLocale(lang Lang, tag language.Tag, file string) (*locale, error) {
	text, err := fs.ReadFile(assets.Files, file)
	if err != nil {
		return nil, fmt.Errorf("read language: %w", err)
	}
	loc := &locale{lang: lang, tag: tag, forms: formsOf(tag)}
	if err := yaml.Unmarshal(text, &loc.texts); err != nil {
		return nil, fmt.Errorf("read language %s: %w", lang, err)
	}
	return loc, nil
}
