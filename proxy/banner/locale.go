package banner

import (
	"errors"
	"fmt"
	"html/template"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"github.com/numfocus/consentgate/consent"
)

// A locale is the sentences of one language. It is not changed once made.
type locale struct {
	lang  Lang
	tag   language.Tag
	forms []plural.Form // for whole numbers, as sentences with numbers have them
	texts map[string]string
}

// complete compares keys, and the words to be filled in, with the source's.
func (l *locale) complete(src *locale) error {
	var wrong []error
	for _, key := range slices.Sorted(maps.Keys(src.texts)) {
		text, ok := l.texts[key]
		switch {
		case !ok:
			wrong = append(wrong, fmt.Errorf("%s is missing", key))
		case isCounted(key):
			if problem := l.checkCounted(text); problem != "" {
				wrong = append(wrong, fmt.Errorf("%s %s", key, problem))
			}
		case !slices.Equal(blanks(text), blanks(src.texts[key])):
			wrong = append(wrong, fmt.Errorf("%s must have %v as %s has", key, blanks(src.texts[key]), src.lang))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(l.texts)) {
		if _, ok := src.texts[key]; !ok {
			wrong = append(wrong, fmt.Errorf("%s is not a sentence of %s", key, src.lang))
		}
	}
	return errors.Join(wrong...)
}

// checkText judges a site's replacement for a sentence.
func (l *locale) checkText(field, key, text string) error {
	own, ok := l.texts[key]
	switch {
	case !ok:
		return consent.Mistake{Field: field, Problem: "there is no such sentence", Cure: "see assets/locales/en.yaml for their names"}
	case isCounted(key):
		if problem := l.checkCounted(text); problem != "" {
			return consent.Mistake{Field: field, Problem: "the sentence " + problem, Cure: fmt.Sprintf("compare with %q", own)}
		}
	case !slices.Equal(blanks(text), blanks(own)):
		return consent.Mistake{
			Field:   field,
			Problem: fmt.Sprintf("the sentence must have %s in it, each once and nothing else in braces", strings.Join(blanks(own), ", ")),
			Cure:    fmt.Sprintf("compare with %q", own),
		}
	}
	return nil
}

// with gives the locale with a site's own sentences in it.
func (l *locale) with(own map[string]string) *locale {
	if len(own) == 0 {
		return l
	}
	texts := maps.Clone(l.texts)
	maps.Copy(texts, own)
	return &locale{lang: l.lang, tag: l.tag, forms: l.forms, texts: texts}
}

var blank = regexp.MustCompile(`\{[a-z_]+\}`)

func blanks(text string) []string { return slices.Sorted(slices.Values(blank.FindAllString(text, -1))) }

// T is the sentence of a key, with pairs of a blank's name and what fills it.
func (l *locale) T(key string, pairs ...string) (string, error) {
	text, ok := l.texts[key]
	if !ok {
		return "", fmt.Errorf("no sentence %q in language %s", key, l.lang)
	}
	return fill(text, l.isolated(pairs)), nil
}

// Rich is T with values that may be markup (template.HTML); all else is
// escaped.
func (l *locale) Rich(key string, pairs ...any) (template.HTML, error) {
	text, ok := l.texts[key]
	if !ok {
		return "", fmt.Errorf("no sentence %q in language %s", key, l.lang)
	}
	escaped := make([]string, len(pairs))
	for i, p := range pairs {
		switch p := p.(type) {
		case template.HTML:
			escaped[i] = string(p)
		case string:
			if i%2 == 1 {
				p = l.isolate(p)
			}
			escaped[i] = template.HTMLEscapeString(p)
		default:
			return "", fmt.Errorf("sentence %q: cannot fill in a %T", key, p)
		}
	}
	return template.HTML(fill(template.HTMLEscapeString(text), escaped)), nil
}

func fill(text string, pairs []string) string {
	replace := make([]string, len(pairs))
	for i, s := range pairs {
		if i%2 == 0 {
			s = "{" + s + "}"
		}
		replace[i] = s
	}
	return strings.NewReplacer(replace...).Replace(text)
}

// text is T for keys that loading has proved to be there.
func (l *locale) text(key string, pairs ...string) string {
	return fill(l.texts[key], l.isolated(pairs))
}

// isolated isolates the values of pairs.
func (l *locale) isolated(pairs []string) []string {
	if l.Dir() == "ltr" {
		return pairs
	}
	pairs = slices.Clone(pairs)
	for i := 1; i < len(pairs); i += 2 {
		pairs[i] = l.isolate(pairs[i])
	}
	return pairs
}

// isolate keeps the characters of a name together in a sentence that is written from
// right to left, as bdi does, where there can be no element (UAX #9, FSI and PDI).
func (l *locale) isolate(name string) string {
	if l.Dir() == "ltr" {
		return name
	}
	return "\u2068" + name + "\u2069"
}

// Bdi is a name or a number that visitors may copy.
func (l *locale) Bdi(name string) template.HTML {
	return template.HTML("<bdi>" + template.HTMLEscapeString(name) + "</bdi>")
}

// list joins words: "a, b and c".
func (l *locale) list(words []string) string {
	words = slices.Clone(words)
	for i, w := range words {
		words[i] = l.isolate(w)
	}
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], l.texts["list.comma"]) + l.and(words[last]) + words[last]
}

// and joins the last word of a list. In two languages it gives way to the sound that
// follows: Spanish "y" to that of an i, Italian "e" to another e.
func (l *locale) and(next string) string {
	and := l.texts["list.and"]
	switch {
	case l.lang == "es" && and == " y " && spanishI.MatchString(next):
		return " e "
	case l.lang == "it" && and == " e " && italianE.MatchString(next):
		return " ed "
	}
	return and
}

// A word with "hie" or "io" at its start does not begin with the sound of an i.
var (
	spanishI = regexp.MustCompile(`(?i)^h?[ií]([^aeouáéóú]|$)`)
	italianE = regexp.MustCompile(`(?i)^[eèé]`)
)

func (l *locale) date(t time.Time) string {
	day := fmt.Sprint(t.Day())
	if day == "1" {
		day = l.texts["date.first"]
	}
	return fill(l.texts["date"], []string{"day", day, "month", l.text(fmt.Sprintf("month.%d", t.Month())), "year", fmt.Sprint(t.Year())})
}

// Day writes a date given as YYYY-MM-DD in words.
func (l *locale) Day(date string) string {
	t, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return date
	}
	return l.date(t)
}

// country names a country by its ISO 3166-1 code, or gives the code back.
func (l *locale) country(code string) string {
	region, err := language.ParseRegion(code)
	if err != nil {
		return code
	}
	if names := display.Regions(l.tag); names != nil {
		if name := names.Name(region); name != "" {
			return name
		}
	}
	return code
}

// Lang is the language's tag as it stands in the lang attribute.
func (l *locale) Lang() Lang { return l.lang }

// Dir is the direction its script is written in.
func (l *locale) Dir() string {
	script, _ := l.tag.Script()
	switch script.String() {
	case "Arab", "Hebr", "Thaa", "Syrc", "Nkoo", "Adlm":
		return "rtl"
	}
	return "ltr"
}
