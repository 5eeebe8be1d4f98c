package main

import (
	"os"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/numfocus/consentgate/proxy/inventory"
)

func pasteSnippet(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("snippet takes what proposes it, a configuration, and where to put both")
	}
	said, conf := ts.ReadFile(args[0]), ts.ReadFile(args[1])
	_, block, ok := strings.Cut(said, "    services:\n")
	if !ok {
		ts.Fatalf("no services are proposed in\n%s", said)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(conf+"    services:\n"+block), 0o644))
}

// Names in an inventory come from outside; what is proposed must be valid
// whatever they are.
func TestSnippetIsValid(t *testing.T) {
	var hosts []*party
	for _, name := range []string{
		"www.a.example", "b.a.example", "*.many.example", "youtube", "xn--mller-kva.example", "127.0.0.1",
		"a_b.example", "localhost", "a.co.uk", "youtube-2", "cookie-x.example",
	} {
		hosts = append(hosts, &party{name: name, kinds: []string{"script", "frame"}, pages: []string{"/a: #b", "/\x1b[2J\n- x"}})
	}
	text := "sites:\n  - upstream: {url: http://127.0.0.1:1}\n" + snippet(strangersOf(hosts))
	if got := mistakesIn([]byte(text)); got != "" {
		t.Errorf("%s\nin\n%s", got, text)
	}
	for _, want := range []string{"a-example:", `urls: ["*.a.example"]`, `urls: ["*.many.example"]`, "youtube-2:", "youtube-2-2:"} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is missing in\n%s", want, text)
		}
	}
}

func TestInventoryOnATerminal(t *testing.T) {
	var out strings.Builder
	err := printInventory(&out, inventory.File{Sites: map[string]inventory.Snapshot{"a": {
		Seen: []inventory.Entry{{Name: "\x1b[2Jx.example", Kind: "script", Pages: []string{"/\t\r\n"}}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(out.String(), "\x1b\r\t") {
		t.Errorf("%q moves the cursor", out.String())
	}
}
