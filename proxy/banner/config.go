package banner

import (
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/language"

	"github.com/numfocus/consentgate/consent"
)

// Config is the notice of a site: who asks, and in which words. The zero value
// asks in English in the name of "this website".
type Config struct {
	// Controller is who is responsible, as visitors know them: "NumFOCUS".
	Controller string `yaml:"controller"`
	// PrivacyPolicy is a path on the site or an http(s) URL.
	PrivacyPolicy string `yaml:"privacy_policy"`
	// Contact is an e-mail address, a path on the site or an http(s) URL.
	Contact string `yaml:"contact"`
	// Revision names the notice in force: letters, digits, '.', '_' and '-'. Empty:
	// "1". A choice made under another one holds if Changes tell of both, and of
	// nothing material in between; else the visitor is asked again.
	Revision string `yaml:"revision"`
	// NewServices is what becomes of a service that the site comes to use, where the
	// visitor has granted its purpose before: "ask" (it waits, and the banner names
	// it) or "allow". Empty: "ask".
	NewServices string `yaml:"new_services"`
	// Language is used where neither the page nor the browser asks for one that
	// is there (BCP 47). Empty: "en".
	Language string `yaml:"language"`
	// Texts replaces sentences: language, then key as in assets/locales.
	Texts map[string]map[string]string `yaml:"texts"`
	// Losses replaces what visitors are told they go without, which the catalog has
	// in English: language, then the service's id.
	Losses map[string]map[string]string `yaml:"losses"`
	// Look is how it appears.
	Look Look `yaml:"look"`
	// Changes is the history of the notice, newest first, told in the cookie
	// declaration.
	Changes []Change `yaml:"changes"`
}

// A Change is one entry in the history of a notice.
type Change struct {
	Revision string `yaml:"revision"`
	Date     string `yaml:"date"`   // YYYY-MM-DD; may be empty
	Change   string `yaml:"change"` // what is different, for visitors
	// Material says that whoever chose before has to be asked again.
	Material bool `yaml:"material"`
}

const (
	defaultRevision = "1"
	defaultLanguage = "en"
)

func (c Config) revision() string {
	if c.Revision == "" {
		return defaultRevision
	}
	return c.Revision
}

func (c Config) language() string {
	if c.Language == "" {
		return defaultLanguage
	}
	return c.Language
}

// earlier lists the revisions since the last material change.
func (c Config) earlier() []string {
	at := slices.IndexFunc(c.Changes, func(change Change) bool { return change.Revision == c.revision() })
	var held []string
	for i := at; i >= 0 && i+1 < len(c.Changes) && !c.Changes[i].Material; i++ {
		held = append(held, c.Changes[i+1].Revision)
	}
	return held
}

var revisionForm = regexp.MustCompile(`^[0-9A-Za-z._-]{1,64}$`)

// Check reports every mistake, joined; each is a [consent.Mistake].
func (c Config) Check() error {
	mistakes := []error{
		checkLink("privacy_policy", c.PrivacyPolicy, false),
		checkLink("contact", c.Contact, true),
		checkRevision("revision", c.revision()),
		checkOneOf("new_services", c.NewServices, "ask", "allow"),
		c.Look.check(),
	}
	all, err := openLibrary()
	if err != nil {
		return err
	}
	if _, ok := all[Lang(c.language())]; !ok {
		mistakes = append(mistakes, noSuchLanguage("language", c.language(), all))
	}
	mistakes = append(mistakes, c.checkTexts(all)...)
	for lang := range c.Losses {
		if _, ok := all[Lang(lang)]; !ok {
			mistakes = append(mistakes, noSuchLanguage("losses."+lang, lang, all))
		}
	}
	for i, change := range c.Changes {
		mistakes = append(mistakes, change.check(fmt.Sprintf("changes[%d].", i))...)
	}
	return errors.Join(mistakes...)
}

func (c Change) check(field string) []error {
	mistakes := []error{checkRevision(field+"revision", c.Revision)}
	if _, err := time.Parse(time.DateOnly, c.Date); c.Date != "" && err != nil {
		mistakes = append(mistakes, consent.Mistake{
			Field: field + "date", Problem: fmt.Sprintf("%q is not a date", c.Date), Cure: "write it as 2026-11-24"})
	}
	return mistakes
}

func (c Config) checkTexts(all library) []error {
	var mistakes []error
	for lang, texts := range c.Texts {
		field := "texts." + lang
		volume, ok := all[Lang(lang)]
		if !ok {
			mistakes = append(mistakes, noSuchLanguage(field, lang, all))
			continue
		}
		loc, err := volume.read()
		if err != nil {
			mistakes = append(mistakes, err)
			continue
		}
		for key, text := range texts {
			mistakes = append(mistakes, loc.checkText(field+"."+key, key, text))
		}
	}
	slices.SortFunc(mistakes, func(a, b error) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	return mistakes
}

func noSuchLanguage(field, lang string, all library) error {
	var have []string
	for l := range all {
		have = append(have, string(l))
	}
	slices.Sort(have)
	cure := "use one of " + strings.Join(have, ", ")
	if tag, err := language.Parse(lang); err == nil {
		if _, ok := all[Lang(tag.String())]; ok {
			cure = "write it as " + tag.String()
		}
	}
	return consent.Mistake{Field: field, Problem: fmt.Sprintf("there are no texts in the language %q", lang), Cure: cure}
}

func checkRevision(field, revision string) error {
	if revisionForm.MatchString(revision) {
		return nil
	}
	return consent.Mistake{
		Field:   field,
		Problem: fmt.Sprintf("%q cannot name a notice", revision),
		Cure:    "use 1 to 64 letters, digits, '.', '_' or '-', for example a date: 2026-11-24",
	}
}

func checkLink(field, link string, mailToo bool) error {
	if link == "" || linkTo(link) != "" && (mailToo || !strings.HasPrefix(linkTo(link), "mailto:")) {
		return nil
	}
	cure := "write a path on the site (/privacy-policy) or a whole address (https://...)"
	if mailToo {
		cure = "write an e-mail address, a path on the site (/contact) or a whole address (https://...)"
	}
	return consent.Mistake{Field: field, Problem: fmt.Sprintf("%q cannot be linked to", link), Cure: cure}
}

// linkTo gives the href of a path, an http(s) URL or an e-mail address, and ""
// for anything else.
func linkTo(link string) string {
	if strings.HasPrefix(link, "/") && !strings.HasPrefix(link, "//") && !strings.ContainsAny(link, "\\ ") {
		return link
	}
	u, err := url.Parse(link)
	if err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http") {
		return link
	}
	if a, err := mail.ParseAddress(strings.TrimPrefix(link, "mailto:")); err == nil && a.Name == "" {
		return "mailto:" + a.Address
	}
	return ""
}
