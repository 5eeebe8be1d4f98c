package banner

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

// formsOf lists which forms a language has for whole numbers, in the order in which the
// sentences with numbers have them.
func formsOf(tag language.Tag) []plural.Form {
	var has [plural.Many + 1]bool
	for n := range mostForms {
		has[formOf(tag, n)] = true
	}
	var list []plural.Form
	for _, form := range []plural.Form{plural.Zero, plural.One, plural.Two, plural.Few, plural.Many, plural.Other} {
		if has[form] {
			list = append(list, form)
		}
	}
	return list
}

// mostForms is a number below which each form of every language is used.
const mostForms = 130

func formOf(tag language.Tag, n int) plural.Form {
	return plural.Cardinal.MatchPlural(tag, n, 0, 0, 0, 0)
}

// units are what lifetimes are counted in, as the catalog names them.
func units() []string { return []string{"second", "minute", "hour", "day", "week", "month", "year"} }

// isCounted reports whether a sentence has a form for each kind of number.
func isCounted(key string) bool {
	unit, ok := strings.CutPrefix(key, "lifetime.")
	return ok && slices.Contains(units(), unit)
}

// checkCounted says what is wrong with the forms of a sentence, or "". A form of a single
// number may be a word that says it.
func (l *locale) checkCounted(text string) string {
	texts := strings.Split(text, "|")
	if len(texts) != len(l.forms) {
		return fmt.Sprintf("must have %d forms with | between them", len(l.forms))
	}
	for i, form := range l.forms {
		numbers := 0
		for n := range mostForms {
			if formOf(l.tag, n) == form {
				numbers++
			}
		}
		if found := blanks(texts[i]); len(found) > 1 || len(found) == 0 && numbers > 1 || len(found) == 1 && found[0] != "{count}" {
			return fmt.Sprintf("must have {count} in %q", texts[i])
		}
	}
	return ""
}

// count says how many of a unit: "3 days".
func (l *locale) count(n int, unit string) string {
	texts := strings.Split(l.texts["lifetime."+unit], "|")
	form := slices.Index(l.forms, formOf(l.tag, n))
	if form < 0 || form >= len(texts) {
		return ""
	}
	return fill(texts[form], []string{"count", strconv.Itoa(n)})
}

var (
	lifetimeOf  = regexp.MustCompile(`^([0-9]{1,6}) (second|minute|hour|day|week|month|year)s?$`)
	unpublished = regexp.MustCompile(`^not (published|known)\b`)
	rangeOfTwo  = regexp.MustCompile(`^(.+) to (.+)$`)
	eitherOfTwo = regexp.MustCompile(`^(.+) or (.+)$`)
)

// lifetime says how long a cookie stays in the words of the language, if it is told in
// the catalog's own: "2 years", "session", "up to 1 year", "30 seconds to 1 year". What
// else a site's own services say is the site's own, and is false.
func (l *locale) lifetime(said string) (string, bool) {
	said = strings.TrimSpace(said)
	switch {
	case strings.EqualFold(said, "session"):
		return l.texts["lifetime.session"], true
	case said == "until deleted":
		return l.texts["lifetime.deleted"], true
	case unpublished.MatchString(said):
		return l.texts["lifetime.unpublished"], true
	}
	if m := lifetimeOf.FindStringSubmatch(said); m != nil {
		n, err := strconv.Atoi(m[1])
		return l.count(n, m[2]), err == nil
	}
	if most, ok := strings.CutPrefix(said, "up to "); ok {
		return l.lifetimes("lifetime.most", "most", most)
	}
	if m := rangeOfTwo.FindStringSubmatch(said); m != nil {
		return l.lifetimes("lifetime.range", "least", m[1], "most", m[2])
	}
	if m := eitherOfTwo.FindStringSubmatch(said); m != nil {
		return l.lifetimes("lifetime.either", "one", m[1], "other", m[2])
	}
	return "", false
}

// lifetimes puts lifetimes into a sentence.
func (l *locale) lifetimes(key string, pairs ...string) (string, bool) {
	for i := 1; i < len(pairs); i += 2 {
		text, ok := l.lifetime(pairs[i])
		if !ok {
			return "", false
		}
		pairs[i] = text
	}
	return fill(l.texts[key], pairs), true
}
