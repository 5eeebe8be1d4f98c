package banner

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/numfocus/consentgate/assets"
	"github.com/numfocus/consentgate/consent"
)

// A Look is how banner and pages appear. The zero value is black on white, or
// white on black where the visitor's system is dark, at the bottom.
type Look struct {
	// Position of the banner on wide screens: "bottom", "top" or "corner".
	Position string `yaml:"position"`
	// Scheme is "auto" (as the visitor's system is), "light" or "dark".
	Scheme string `yaml:"scheme"`
	// Logo is the path of a picture on the site, shown on the gateway's pages.
	Logo string `yaml:"logo"`
	// Light and Dark change colours.
	Light Palette `yaml:"light"`
	Dark  Palette `yaml:"dark"`
}

// A Palette changes colours, each written as #rrggbb or #rgb.
type Palette struct {
	Background string `yaml:"background"`
	Panel      string `yaml:"panel"` // behind placeholders and notes
	Text       string `yaml:"text"`
	Muted      string `yaml:"muted"` // less important text
	Link       string `yaml:"link"`  // and what has the focus
	Button     string `yaml:"button"`
	ButtonText string `yaml:"button_text"`
}

// tokens gives the palette by the names of the custom properties.
func (p Palette) tokens() map[string]string {
	return map[string]string{
		"bg": p.Background, "panel": p.Panel, "text": p.Text, "muted": p.Muted,
		"link": p.Link, "button": p.Button, "button-text": p.ButtonText,
	}
}

func (l Look) check() error {
	mistakes := []error{
		checkOneOf("look.position", l.Position, "bottom", "top", "corner"),
		checkOneOf("look.scheme", l.Scheme, "auto", "light", "dark"),
	}
	if l.Logo != "" && !strings.HasPrefix(linkTo(l.Logo), "/") {
		mistakes = append(mistakes, consent.Mistake{Field: "look.logo", Problem: fmt.Sprintf("%q is not a path on this site", l.Logo),
			Cure: "write it as /wp-content/uploads/logo.svg; a picture from elsewhere would be a third party"})
	}
	if l.Scheme != "dark" {
		mistakes = append(mistakes, l.Light.check("look.light", false))
	}
	if l.Scheme != "light" {
		mistakes = append(mistakes, l.Dark.check("look.dark", true))
	}
	return errors.Join(mistakes...)
}

func checkOneOf(field, value string, allowed ...string) error {
	if value == "" || slices.Contains(allowed, value) {
		return nil
	}
	return consent.Mistake{Field: field, Problem: fmt.Sprintf("%q is not known", value), Cure: "use " + strings.Join(allowed, ", ")}
}

// pairs are what has to be told apart, with the least contrast that WCAG 2.2
// asks for: 4.5 for text (1.4.3), 3 for parts of controls (1.4.11).
func pairs() []struct {
	front, back string
	least       float64
} {
	return []struct {
		front, back string
		least       float64
	}{
		{"text", "bg", 4.5}, {"muted", "bg", 4.5}, {"link", "bg", 4.5},
		{"text", "panel", 4.5}, {"muted", "panel", 4.5}, {"link", "panel", 4.5},
		{"button-text", "button", 4.5}, {"button", "bg", 3}, {"button", "panel", 3},
		{"on", "bg", 3}, {"control", "bg", 3},
	}
}

func (p Palette) check(field string, dark bool) error {
	var mistakes []error
	for name, value := range p.tokens() {
		if _, ok := luminance(value); value != "" && !ok {
			mistakes = append(mistakes, consent.Mistake{Field: field + "." + strings.ReplaceAll(name, "-", "_"),
				Problem: fmt.Sprintf("%q is not a colour", value), Cure: "write it as #rrggbb"})
		}
	}
	if len(mistakes) > 0 {
		return errors.Join(mistakes...)
	}
	colours, err := p.over(dark)
	if err != nil {
		return err
	}
	for _, pair := range pairs() {
		front, back := colours[pair.front], colours[pair.back]
		if c := contrast(front, back); c < pair.least {
			mistakes = append(mistakes, consent.Mistake{Field: field,
				Problem: fmt.Sprintf("%s (%s) on %s (%s) has a contrast of %.2f:1", pair.front, front, pair.back, back, c),
				Cure:    fmt.Sprintf("at least %g:1 is needed (WCAG 2.2 AA); make one darker or the other lighter", pair.least)})
		}
	}
	return errors.Join(mistakes...)
}

var colourToken = regexp.MustCompile(`--cg-([a-z-]+): (#[0-9a-f]{3,6});`)

// over gives all colours in force: the style sheets' with the palette's instead
// where it has some.
func (p Palette) over(dark bool) (map[string]string, error) {
	files := []string{"tokens.css"}
	if dark {
		files = append(files, "tokens-dark.css")
	}
	colours := make(map[string]string)
	for _, file := range files {
		text, err := fs.ReadFile(assets.Files, file)
		if err != nil {
			return nil, fmt.Errorf("read colours: %w", err)
		}
		for _, m := range colourToken.FindAllStringSubmatch(string(text), -1) {
			colours[m[1]] = m[2]
		}
	}
	for name, value := range p.tokens() {
		if value != "" {
			colours[name] = value
		}
	}
	for name, from := range map[string]string{"button": "text", "button-text": "bg"} { // as in tokens.css
		if colours[name] == "" {
			colours[name] = colours[from]
		}
	}
	return colours, nil
}

// contrast is the contrast ratio of two colours (WCAG 2.2, definition).
func contrast(a, b string) float64 {
	la, _ := luminance(a)
	lb, _ := luminance(b)
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}

var colourForm = regexp.MustCompile(`^#([0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})$`)

// luminance is the relative luminance of a colour (WCAG 2.2, definition).
func luminance(colour string) (float64, bool) {
	if !colourForm.MatchString(colour) {
		return 0, false
	}
	digits := colour[1:]
	if len(digits) == 3 {
		digits = string([]byte{digits[0], digits[0], digits[1], digits[1], digits[2], digits[2]})
	}
	n, err := strconv.ParseUint(digits, 16, 32)
	if err != nil {
		return 0, false
	}
	return 0.2126*linear(n>>16) + 0.7152*linear(n>>8&0xff) + 0.0722*linear(n&0xff), true
}

func linear(channel uint64) float64 {
	c := float64(channel) / 255
	if c <= 0.04045 {
		return c / 12.92
	}
	return math.Pow((c+0.055)/1.055, 2.4)
}

// tokens is the style sheet that says all of it.
func (l Look) tokens() (string, error) {
	light, err := fs.ReadFile(assets.Files, "tokens.css")
	if err != nil {
		return "", fmt.Errorf("read colours: %w", err)
	}
	dark, err := fs.ReadFile(assets.Files, "tokens-dark.css")
	if err != nil {
		return "", fmt.Errorf("read colours: %w", err)
	}
	lightSheet, darkSheet := string(light)+l.Light.sheet(), string(dark)+l.Dark.sheet()
	switch l.Scheme {
	case "light":
		return lightSheet, nil
	case "dark":
		return lightSheet + darkSheet, nil
	}
	return lightSheet + "@media (prefers-color-scheme: dark) {" + darkSheet + "}", nil
}

func (p Palette) sheet() string {
	var rules []string
	for name, value := range p.tokens() {
		if value != "" {
			rules = append(rules, "--cg-"+name+": "+value+";")
		}
	}
	if len(rules) == 0 {
		return ""
	}
	slices.Sort(rules)
	return "@layer cg { :where(html) { " + strings.Join(rules, " ") + " } }"
}

// schemes is the value of the color-scheme property for our own pages.
func (l Look) schemes() string {
	switch l.Scheme {
	case "light", "dark":
		return l.Scheme
	}
	return "light dark"
}
