package endpoint

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// tools is where the rules are that we offer to those who answer banners.
const tools = "../../examples/consent-tools/"

// autoconsent answers the banner by itself, given its background: rules and what to do.
// It says by whose rule it found the banner, and whether it could say no.
const runAutoconsent = `new Promise(done => {
	let cmp = "nothing found";
	window.autoconsentSendMessage = async m => {
		if (m.type == "init") setTimeout(() => autoconsentReceiveMessage({type: "initResp", rules: {autoconsent: RULES}, config: {
			enabled: true, autoAction: "optOut", disabledCmps: [], enablePrehide: true, enableCosmeticRules: true, enableGeneratedRules: true,
			detectRetries: 20, isMainWorld: true, prehideTimeout: 2000, enableHeuristicDetection: true, heuristicMode: "reject",
			enablePopupMutationObserver: false, visualTest: false, heuristicPopupSearchTimeout: 1000, performanceLoggingEnabled: false, logs: {}
		}}));
		if (m.type == "popupFound") cmp = m.cmp;
		if (m.type == "optOutResult") done(cmp + " " + m.result);
		if (m.type == "autoconsentError") done(JSON.stringify(m));
	};
	setTimeout(() => done(cmp), 20000);
	ENGINE
})`

// What answers banners in a visitor's name finds ours, and says no: with our rule, and
// by the words alone.
func TestMachinesSayNo(t *testing.T) {
	engine := fetched(t, autoconsentFile)
	rule, err := os.ReadFile(tools + "autoconsent.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, lang, rules, by string }{
		{"our rule", "ar", "[" + string(rule) + "]", "consentgate"},
		{"English", "en", "[]", "HEURISTIC"},
		{"French", "fr", "[]", "HEURISTIC"},
		{"German", "de", "[]", "HEURISTIC"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newScriptedBrowser(t, calm)
			b.open("/?lang="+c.lang, 1280, 800)
			run := strings.NewReplacer("RULES", c.rules, "ENGINE", engine).Replace(runAutoconsent)
			said, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](run, chromedp.EvalAwaitPromise))
			b.must(err)
			if !strings.HasPrefix(said, c.by) || !strings.HasSuffix(said, " true") {
				t.Errorf("it says %q", said)
			}
			b.until(`!document.getElementById("cg-banner")`)
			b.open("/", 1280, 800)
			if b.has("#cg-banner") || !b.has("[data-service=youtube]") {
				t.Error("that was not taken for a refusal")
			}
		})
	}
}

// Every selector that we tell of finds what it is told to, and nothing else.
func TestMachinesFindTheHooks(t *testing.T) {
	b := newBrowser(t, calm)
	b.open("/", 1280, 800)
	for selector, text := range map[string]string{
		"#cg-banner": "Reject all",
		"#cg-banner button[name=choice][value=reject]": "Reject all",
		"#cg-banner button[name=choice][value=accept]": "Accept all",
		"#cg-banner .cg-choose":                        "Choose",
		"#cg-settings":                                 "Cookie settings",
		".cg-placeholder[data-service]":                "YouTube",
	} {
		found := eval[[]string](b, `[...document.querySelectorAll(`+quote(selector)+`)].map(e => e.innerText)`)
		if len(found) != 1 || !strings.Contains(found[0], text) {
			t.Errorf("%s finds %q", selector, found)
		}
		told, err := os.ReadFile(tools + "README.md")
		b.must(err)
		if !strings.Contains(string(told), "`"+selector+"`") {
			t.Errorf("nobody is told of %s", selector)
		}
	}
	for _, selector := range selectorsOf(t, tools+"consent-o-matic.json") {
		if n := eval[int](b, `document.querySelectorAll(`+quote(selector)+`).length`); n != 1 {
			t.Errorf("%s finds %d elements", selector, n)
		}
	}
}

// selectorsOf lists what a file of rules looks for, wherever it stands in it.
func selectorsOf(t *testing.T, file string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var rules any
	if err := json.Unmarshal(text, &rules); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	var found []string
	var look func(any)
	look = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if s, ok := v["selector"].(string); ok {
				found = append(found, s)
			}
			for _, part := range v {
				look(part)
			}
		case []any:
			for _, part := range v {
				look(part)
			}
		}
	}
	look(rules)
	if len(found) == 0 {
		t.Errorf("%s looks for nothing", file)
	}
	return found
}
