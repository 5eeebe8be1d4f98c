package rewrite

import "testing"

var chunkSizes = []int{1, 2, 3, 7, 64, 1024, 4096, atOnce}

// Rules that keep everything leave every byte as it is, however it arrives.
func TestKeepAllIsIdentity(t *testing.T) {
	for name, page := range pages(t) {
		for _, size := range chunkSizes {
			same(t, name, size, rewritten(t, page, &deny{quiet: true}, Options{}, size), page)
		}
	}
	for _, s := range snippets(t) {
		for _, size := range chunkSizes {
			same(t, s.ID, size, rewritten(t, s.HTML, &deny{quiet: true}, Options{}, size), s.HTML)
		}
	}
}

// What comes out does not depend on how the page was cut.
func TestChunksDoNotMatter(t *testing.T) {
	for name, page := range pages(t) {
		rules := func() *deny {
			return &deny{quiet: true, words: []string{"google", "facebook", "wp-content", "doubleclick", "cdn"},
				inserts: map[Place]string{HeadStart: "<!--head-->", BodyStart: "<!--body-->", BodyEnd: "<!--end-->"}}
		}
		want := rewritten(t, page, rules(), Options{}, atOnce)
		for _, size := range chunkSizes {
			same(t, name, size, rewritten(t, page, rules(), Options{}, size), want)
		}
	}
}

func same(t *testing.T, name string, size int, got, want string) {
	t.Helper()
	if got == want {
		return
	}
	i := 0
	for i < min(len(got), len(want)) && got[i] == want[i] {
		i++
	}
	cut := func(s string) string { return s[max(0, i-60):min(len(s), i+60)] }
	t.Errorf("%s in pieces of %d differs at %d:\ngot  %q\nwant %q", name, size, i, cut(got), cut(want))
}
