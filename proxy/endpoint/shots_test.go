package endpoint

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

var shots = flag.String("shots", "", "folder to write the README's pictures to")

// newspaper is a site that looks like one.
const newspaper = `body{margin:0;font:17px/1.6 Georgia,serif;color:#223;background:#fff} main{max-width:44rem;margin:0 auto;padding:2rem 1.25rem}
h1{font-size:2rem;margin:0 0 1rem} a{color:#06c} @media (prefers-color-scheme:dark){body{color:#dde;background:#14171b} a{color:#8bf}}`

// TestScreenshots writes pictures, if asked to: go test -run Screenshots -shots DIR.
func TestScreenshots(t *testing.T) {
	if *shots == "" {
		t.Skip("nobody asked for pictures; -shots names a folder")
	}
	dark := &emulation.MediaFeature{Name: "prefers-color-scheme", Value: "dark"}
	b := newBrowser(t, newspaper)
	for _, s := range []struct {
		name, path    string
		width, height int64
		features      []*emulation.MediaFeature
	}{
		{"banner", "/", 1280, 720, nil},
		{"banner-dark", "/", 1280, 720, []*emulation.MediaFeature{dark}},
		{"banner-phone", "/", 390, 844, nil},
		{"banner-arabic", "/?lang=ar", 1280, 720, nil},
		{"settings", "/_consent/", 1024, 900, nil},
		{"placeholder", "/page/1", 900, 560, nil},
	} {
		b.open(s.path, s.width, s.height, s.features...)
		if s.name == "placeholder" {
			b.click(`#cg-banner [value=reject]`)
			eval[any](b, `[document.querySelector(".cg-placeholder").scrollIntoView({block: "center"})]`)
		}
		picture, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
		b.must(err)
		const most = 150 << 10
		if len(picture) > most {
			t.Errorf("%s has %d bytes, at most %d are allowed", s.name, len(picture), most)
		}
		b.must(os.WriteFile(filepath.Join(*shots, s.name+".png"), picture, 0o644))
	}
}
