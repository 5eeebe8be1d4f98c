package banner

import (
	"strings"
	"testing"
)

func TestOwnColoursCanBeRead(t *testing.T) {
	for _, scheme := range []string{"light", "dark", "auto", ""} {
		if err := (Look{Scheme: scheme}).check(); err != nil {
			t.Errorf("%s: %v", scheme, err)
		}
	}
}

func TestLookCheck(t *testing.T) {
	for name, tt := range map[string]struct {
		look Look
		want []string
	}{
		"another blue":   {Look{Light: Palette{Link: "#013"}}, nil},
		"position":       {Look{Position: "middle"}, []string{"look.position", "corner"}},
		"scheme":         {Look{Scheme: "blue"}, []string{"look.scheme"}},
		"logo elsewhere": {Look{Logo: "https://cdn.example/logo.png"}, []string{"look.logo", "third party"}},
		"a colour's name": {Look{Light: Palette{ButtonText: "white"}},
			[]string{"look.light.button_text", `"white"`, "#rrggbb"}},
		"more than a colour": {Look{Dark: Palette{Text: "#fff;}*{display:none"}}, []string{"look.dark.text"}},
		"grey on white": {Look{Light: Palette{Text: "#999999"}},
			[]string{"look.light", "text (#999999) on bg (#fff) has a contrast of 2.85:1", "4.5:1"}},
		"button as white as the page": {Look{Light: Palette{Button: "#f4f4f4", ButtonText: "#000"}},
			[]string{"button (#f4f4f4) on bg (#fff)", "3:1"}},
		"a dark page with the light one's link": {Look{Dark: Palette{Link: "#0b57b0"}}, []string{"look.dark", "link"}},
		"a scheme that is not used":             {Look{Scheme: "light", Dark: Palette{Link: "#0b57b0"}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			err := tt.look.check()
			if len(tt.want) == 0 && err != nil {
				t.Errorf("unexpected: %v", err)
			}
			for _, want := range tt.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("complaint %q does not mention %q", err, want)
				}
			}
		})
	}
}

// The examples are those of the WCAG's own pages on contrast.
func TestContrast(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want float64
	}{{"#000", "#ffffff", 21}, {"#777777", "#fff", 4.48}, {"#767676", "#fff", 4.54}, {"#fff", "#fff", 1}} {
		if got := contrast(tt.a, tt.b); got < tt.want-0.005 || got > tt.want+0.005 {
			t.Errorf("contrast(%s, %s) = %.3f, want %.2f", tt.a, tt.b, got, tt.want)
		}
	}
}

func TestLookReachesThePage(t *testing.T) {
	cfg := exampleConfig()
	cfg.Look = Look{Position: "corner", Scheme: "light", Logo: "/logo.svg", Light: Palette{Button: "#005a9c"}}
	b := newBanner(t, cfg)
	if notice := string(b.Notice("en", undecided())); !strings.Contains(notice, ` data-position="corner"`) {
		t.Errorf("the banner is not in the corner: %.200s", notice)
	}
	for _, a := range b.assets[:partSheet] { // which stands beside the first of these
		css := string(a.Body)
		if !strings.Contains(css, "--cg-button:#005a9c") || strings.Contains(css, "prefers-color-scheme") {
			t.Errorf("%s does not have the site's colours", a.Name)
		}
	}
	if strings.Contains(string(example(t).Notice("en", undecided())), "data-position") {
		t.Error("the usual position is spelled out")
	}
}
