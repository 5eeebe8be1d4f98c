package rewrite

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// leaks gives what a browser would load from evil.example if it read the page
// as x/net/html does, with scripts on or off.
func leaks(t testing.TB, page string, scripting bool) (found []string) {
	t.Helper()
	root, err := html.ParseWithOptions(strings.NewReader(page), html.ParseOptionEnableScripting(scripting))
	if err != nil {
		return nil // nested too deeply
	}
	for n := range root.Descendants() {
		switch {
		case n.Type == html.TextNode && n.Parent != nil && n.Parent.Data == "script":
			if evil(n.Data) && loadsText(n.Parent) {
				found = append(found, n.Parent.Data+": "+n.Data)
			}
		case n.Type == html.ElementNode:
			for _, a := range n.Attr {
				key := a.Key
				if a.Namespace != "" {
					key = a.Namespace + ":" + key
				}
				if key == "srcdoc" && n.Data == "iframe" {
					found = append(found, leaks(t, a.Val, scripting)...)
				} else if evil(a.Val) && loadable(n, key) {
					found = append(found, n.Data+"["+key+"]="+a.Val)
				}
			}
		}
	}
	return found
}

func evil(s string) bool { return strings.Contains(strings.ToLower(s), "evil.example") }

func loadsText(n *html.Node) bool {
	for _, a := range n.Attr {
		if a.Key == "type" && kindOfScript([]byte(a.Val)) == inert || a.Key == "src" {
			return false
		}
	}
	return n.Namespace != "math"
}

func loadable(n *html.Node, key string) bool {
	switch n.Data {
	case "img", "iframe", "script", "embed", "source", "video", "audio", "track", "frame":
		if n.Data == "script" && !loadsScript(n) {
			return false
		}
		return n.Namespace == "" && (key == "src" || key == "poster" && n.Data == "video" || key == "srcset" && strings.HasPrefix(attrOfNode(n, key), "//evil"))
	case "object":
		return n.Namespace == "" && key == "data"
	case "image", "use":
		return n.Namespace == "svg" && (key == "href" || key == "xlink:href")
	}
	before, _, found := strings.Cut(strings.ToLower(attrOfNode(n, "style")), "url(//evil.example")
	return key == "style" && found && !strings.ContainsAny(before, "\"'/\\(") && strings.HasSuffix(before, ":")
}

func loadsScript(n *html.Node) bool {
	return kindOfScript([]byte(strings.TrimSpace(attrOfNode(n, "type")))) != inert
}

func attrOfNode(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// cleaned rewrites a page without evil.example and checks that it is gone.
func cleaned(t testing.TB, page string) (clean bool) {
	t.Helper()
	rules := &deny{quiet: true, words: []string{"evil.example"}}
	out := rewritten(t, page, rules, Options{Charset: "utf-8"}, atOnce)
	clean = true
	for _, scripting := range []bool{true, false} {
		if l := leaks(t, out, scripting); len(l) > 0 {
			t.Errorf("scripting %v: %q\nbecame %q\nand loads %q", scripting, page, out, l)
			clean = false
		}
	}
	return clean
}

// treeTests gives the input of html5lib's tree construction tests, which come
// with x/net/html.
func treeTests(t testing.TB) (inputs []string) {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "golang.org/x/net").Output()
	if err != nil {
		t.Fatalf("find x/net: %v", err)
	}
	files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(dir)), "html", "testdata", "html5lib-tests", "tree-construction", "*.dat"))
	if err != nil || len(files) == 0 {
		if os.Getenv("CI") == "true" {
			t.Fatal("x/net comes without its test data")
		}
		t.Skip("x/net comes without its test data")
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for test := range strings.SplitSeq("\n"+string(b), "\n#data\n") {
			input, _, _ := strings.Cut(test, "\n#errors")
			inputs = append(inputs, input)
		}
	}
	return inputs
}

// What may surround a page's part and change how it is read.
var contexts = []string{
	"", "<noscript>", "<svg>", "<svg><foreignObject>", "<svg><title>", "<svg><desc><p>", "<math>", "<math><mi>",
	"<math><annotation-xml encoding=text/html>", "<select>", "<select><option>", "<table>", "<table><tr><td>", "<template>",
	"<frameset>", "<body><div>", "<a><svg>", "<head><noscript>", "<noscript><svg>", "<object>", "<video>", "<textarea></textarea>",
}

var payloads = []string{
	`<img src=//evil.example/i>`,
	`<script src=//evil.example/s></script>`,
	`<script>load("//evil.example/t")</script>`,
	`<iframe src=//evil.example/f>x</iframe>`,
	`<p style="background:url(//evil.example/b)">`,
}

// Wherever in a page something to be withheld stands, it is gone for every
// reading of the page.
func TestTreeConstruction(t *testing.T) {
	failed, n := 0, 0
	for _, input := range treeTests(t) {
		checkKept(t, input)
		for i := 0; i <= len(input) && failed < 25; i++ {
			if i < len(input) && input[i] != '<' && (i == 0 || input[i-1] != '>') {
				continue
			}
			for p, payload := range payloads {
				for c, context := range contexts {
					// Every context meets every input, though not at every place.
					if n++; c != 0 && (i+p+n)%thin != 0 {
						continue
					}
					page := context + input[:i] + payload + input[i:]
					if !cleaned(t, page) {
						failed++
					}
				}
			}
		}
	}
}

// thin says that one case in so many is enough.
const thin = 61

func checkKept(t *testing.T, input string) {
	t.Helper()
	rules := &deny{quiet: true}
	out := rewritten(t, input, rules, Options{}, atOnce)
	if rules.beyond == 0 {
		same(t, input, atOnce, out, input)
	}
}
