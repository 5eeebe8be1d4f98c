package rewrite

import (
	"strings"
	"testing"

	"golang.org/x/net/html"
)

var seeds = []string{
	`<!doctype html><html lang=en><head><title>a</title><base href=/x/><link rel=stylesheet href=//evil.example/a.css></head><body>b</body></html>`,
	`<script src="//evil.example/a.js"></script><script>var u="https://evil.example/";</script>`,
	`<script><!-- <script> "</script>" --></script><img src=//evil.example/1>`,
	`<noscript><img src="//evil.example/n" alt="</noscript>"><style></noscript><img src=//evil.example/m></style>`,
	`<svg><title><p></title><style>a{background:url(//evil.example/s)}</style><script href=//evil.example/s /></svg>`,
	`<svg><![CDATA[<img src=//evil.example>]]><desc><img src=//evil.example></desc></svg><math><mi><img src=//evil.example></mi></math>`,
	`<video poster=//evil.example/p><source src=//evil.example/v><p>text</p></video><object data=//evil.example><p>in</p></object>after`,
	`<img srcset="/a 1x, //evil.example/b 2x" src=/a><p style="background:u\72l(//evil.example/c)">x</p>`,
	`<iframe srcdoc="<img src=//evil.example/d>"></iframe><template><iframe src=//evil.example/e></iframe></template>`,
	`<select><option><style><img src=//evil.example></style></select><textarea><img src=//evil.example></textarea><plaintext><img src=//evil.example>`,
	`<!--><img src=//evil.example>--><!--a--!><img src=//evil.example><!-- <img src=//evil.example> --><?a?><!b></ c>`,
	`<frameset><frame src=//evil.example><noframes><img src=//evil.example></noframes></frameset>`,
	`<a x='"' y=">" z=<b>t</a><img/src=//evil.example/a/b='c'='d'src='//evil.example'>`,
	`<table><tr><td background=//evil.example/t>c</table><input type=image src=//evil.example/i><meta http-equiv=refresh content="0;url=//evil.example">`,
}

func addSeeds(f *testing.F) {
	for _, s := range seeds {
		f.Add(s, uint8(3))
	}
}

// FuzzKeepAll: what no rule touches leaves as it came, at every chunk size,
// unless the page is one that browsers read in more ways than one.
func FuzzKeepAll(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, page string, size uint8) {
		rules := &deny{quiet: true}
		out := rewritten(t, page, rules, Options{Charset: "utf-8"}, atOnce)
		if rules.beyond == 0 && out != page {
			t.Errorf("%q became %q", page, out)
		}
		if cut := rewritten(t, page, &deny{quiet: true}, Options{Charset: "utf-8"}, int(size)+1); cut != out {
			t.Errorf("%q in pieces of %d became %q, not %q", page, size+1, cut, out)
		}
	})
}

// FuzzWithhold: what is withheld is gone for every reading, in whatever pieces
// the page came.
func FuzzWithhold(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, page string, size uint8) {
		if !cleaned(t, page) {
			return
		}
		rules := func() *deny {
			return &deny{quiet: true, words: []string{"evil.example"},
				inserts: map[Place]string{HeadStart: "<script>1</script>", BodyStart: "<section id=cg-start>", BodyEnd: "<p id=cg-end>"}}
		}
		o := Options{Charset: "utf-8", Mode: Document}
		out := rewritten(t, page, rules(), o, atOnce)
		if cut := rewritten(t, page, rules(), o, int(size)+1); cut != out {
			t.Errorf("%q in pieces of %d became %q, not %q", page, size+1, cut, out)
		}
	})
}

// FuzzText: rules that take only images away leave all text where it is.
func FuzzText(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, page string, _ uint8) {
		rules := &imagesOnly{}
		page = strings.ReplaceAll(page, "\x00", "") // shown or not, depending on where
		out := rewritten(t, page, rules, Options{Charset: "utf-8"}, atOnce)
		if rules.beyond > 0 {
			return
		}
		for _, scripting := range []bool{true, false} {
			want, ok := textOf(page, scripting)
			got, ok2 := textOf(out, scripting)
			if ok && ok2 && got != want {
				t.Errorf("%q\nbecame %q\nand its text %q, not %q", page, out, got, want)
			}
		}
	})
}

// imagesOnly withholds pictures from evil.example.
type imagesOnly struct{ deny }

func (r *imagesOnly) URL(ref *Ref) Action {
	if ref.Element == "img" && strings.Contains(string(ref.URL), "evil.example") {
		return Withhold
	}
	return Keep
}

func (r *imagesOnly) Script(*Inline) Action { return Keep }

// textOf gives the text a reader sees, without white space.
func textOf(page string, scripting bool) (string, bool) {
	root, err := html.ParseWithOptions(strings.NewReader(page), html.ParseOptionEnableScripting(scripting))
	if err != nil {
		return "", false
	}
	var b strings.Builder
	for n := range root.Descendants() {
		if n.Type == html.TextNode && n.Parent.Data != "noscript" {
			b.WriteString(strings.Join(strings.Fields(n.Data), ""))
		}
	}
	return b.String(), true
}
