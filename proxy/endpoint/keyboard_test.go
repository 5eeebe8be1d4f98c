package endpoint

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// A keyboard is all that the visitor has.
type keyboard struct{ *browser }

// to goes on with the Tab key until what a selector names has the focus, which must
// then be seen.
func (k keyboard) to(selector string) {
	k.Helper()
	const most = 120
	for range most {
		k.press(kb.Tab)
		const there = `(s => { const e = document.activeElement; return !!e && e.matches(s) && getComputedStyle(e).outlineStyle !== "none"; })`
		if eval[bool](k.browser, there+"("+quote(selector)+")") {
			return
		}
	}
	k.Fatalf("the Tab key does not reach %s, or its focus is not seen", selector)
}

func quote(s string) string {
	text, _ := json.Marshal(s) // a string can always be written
	return string(text)
}

func (k keyboard) press(key string) {
	k.Helper()
	k.must(chromedp.Do(k.ctx, chromedp.KeyEvent(key)))
}

// enter goes to a link or button and uses it, and waits for the page it leads to.
func (k keyboard) enter(selector string) {
	k.Helper()
	k.to(selector)
	_, err := chromedp.RunResponse(k.ctx, chromedp.KeyEvent(kb.Enter))
	k.must(err)
}

func (k keyboard) tick(selector string) {
	k.Helper()
	k.to(selector)
	k.press(" ")
	if !eval[bool](k.browser, "document.activeElement.checked") {
		k.Errorf("the space key does not tick %s", selector)
	}
}

func (k keyboard) want(says string, selector string) {
	k.Helper()
	if !k.has(selector) {
		k.Errorf("%s: %s is not there", says, selector)
	}
}

// Every way there is without JavaScript, without a mouse either.
func TestWithTheKeyboardAlone(t *testing.T) {
	for name, walk := range map[string]func(keyboard){
		"reject": func(k keyboard) {
			k.enter(`#cg-banner [value=reject]`)
			k.want("refused", `body:not(:has(#cg-banner)) .cg-placeholder`)
		},
		"accept": func(k keyboard) {
			k.enter(`#cg-banner [value=accept]`)
			k.want("accepted", `body:not(:has(#cg-banner)):not(:has([data-service=youtube]))`)
		},
		"choose, then withdraw": func(k keyboard) {
			k.enter(`#cg-banner .cg-choose`)
			k.tick(`[name=purpose][value=statistics]`)
			k.enter(`.bar [value=save]`)
			k.want("saved", `.note[role=status]`)
			k.want("saved", `[value=statistics]:checked`)
			k.enter(`[value=withdraw]`)
			k.want("withdrawn", `form:not(:has(:checked)):not(:has([value=withdraw]))`)
		},
		"one service": func(k keyboard) {
			k.enter(`#cg-banner .cg-choose`)
			k.to(`#preferences summary`)
			k.press(kb.Enter)
			k.tick(`[name=service][value=youtube]`)
			k.press(kb.Enter) // in a field, it saves
			k.must(chromedp.Do(k.ctx, chromedp.WaitVisible(`.note[role=status]`)))
			k.want("saved", `[value=youtube]:checked`)
		},
		"load once": func(k keyboard) {
			k.enter(`.cg-placeholder [form=cg-once]`)
			k.want("loaded", `body:not(:has([data-service=youtube]))`)
			k.open("/", 1280, 800)
			k.want("only once", `[data-service=youtube]`)
		},
		"always allow": func(k keyboard) {
			k.enter(`.cg-placeholder [form=cg-always]`)
			k.open("/", 1280, 800)
			k.want("always", `body:not(:has([data-service=youtube]))`)
		},
		"override a signal": func(k keyboard) {
			k.send("DNT", "1")
			k.open("/", 1280, 800)
			k.enter(`#cg-settings`)
			k.tick(`[name=override][value=dnt]`)
			k.tick(`[name=purpose][value=preferences]`)
			k.enter(`.bar [value=save]`)
			k.enter(`header a`)
			k.want("overruled", `body:not(:has([data-service=youtube]))`)
		},
		"erase": func(k keyboard) {
			k.enter(`#cg-banner [value=accept]`)
			k.enter(`#cg-settings`)
			k.enter(`a[href*="erase=1"]`)
			k.enter(`[formaction$="/erase"]`)
			k.want("erased", `.note[role=status]`)
			if n := len(k.world.book.receipts); n != 0 {
				k.Errorf("%d receipts are left", n)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			k := keyboard{newBrowser(t, calm)}
			k.open("/", 1280, 800)
			walk(k)
		})
	}
}

// What assistive technology is told of the banner.
func TestAccessibilityTreeOfTheBanner(t *testing.T) {
	b := newBrowser(t, calm)
	b.open("/", 1280, 800)
	tree, err := chromedp.Call(b.ctx, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	b.must(err)
	nodes := make(map[accessibility.NodeID]*accessibility.Node)
	var banner *accessibility.Node
	for _, n := range tree.Nodes {
		nodes[n.NodeID] = n
		if said(n.Role) == "region" && banner == nil {
			banner = n
		}
	}
	if banner == nil {
		t.Fatal("no region")
	}
	var got strings.Builder
	outline(&got, nodes, banner, 0)
	file := filepath.Join("testdata", "banner.tree")
	if *update {
		b.must(os.WriteFile(file, []byte(got.String()), 0o644))
	}
	want, err := os.ReadFile(file)
	b.must(err)
	if got.String() != string(want) {
		t.Errorf("not as in %s (go test -update writes it anew); got\n%s", file, got.String())
	}
}

// outline writes role and name of a node and of those below it. Nodes that only
// group others, and lines of text, differ from one version of a browser to the next.
func outline(to *strings.Builder, nodes map[accessibility.NodeID]*accessibility.Node, n *accessibility.Node, depth int) {
	switch role := said(n.Role); {
	case role == "InlineTextBox":
		return
	case !n.Ignored && role != "generic" && role != "none" && role != "form" && role != "paragraph":
		to.WriteString(strings.TrimRight(strings.Repeat("  ", depth)+role+" "+quote(said(n.Name)), " ") + "\n")
		depth++
		if role == "button" || role == "link" || role == "heading" || role == "StaticText" {
			return
		}
	}
	for _, id := range n.ChildIDs {
		outline(to, nodes, nodes[id], depth)
	}
}

func said(v *accessibility.Value) string {
	if v == nil {
		return ""
	}
	var s string
	_ = json.Unmarshal(v.Value, &s) // what is no text says nothing
	return s
}
