package banner

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"github.com/numfocus/consentgate/assets"
)

// An Asset is a file whose name changes with its content, so that it may be
// kept for ever.
type Asset struct {
	Name string // "banner.0123456789ab.css"
	Type string // its Content-Type
	Body []byte
}

// Places in the list that loadAssets makes.
const (
	inPageSheet = iota // for pages of the site
	pageSheet          // for our own pages
	partSheet          // for the declaration in pages of the site
)

// Assets lists what is served below PREFIX/assets/. The caller must not change
// the bodies.
func (b *Banner) Assets() []Asset { return slices.Concat(b.assets, b.scripts.assets) }

func loadAssets(look Look) ([]Asset, error) {
	tokens, err := look.tokens()
	if err != nil {
		return nil, err
	}
	sheets := []string{inPageSheet: "banner", pageSheet: "page", partSheet: "declaration"}
	list := make([]Asset, len(sheets))
	for i, name := range sheets {
		text, err := fs.ReadFile(assets.Files, name+".css")
		if err != nil {
			return nil, fmt.Errorf("read style sheets: %w", err)
		}
		if i == partSheet {
			tokens = "" // it stands beside the one that has them
		}
		body := []byte(squeeze(tokens + string(text)))
		sum := sha256.Sum256(body)
		list[i] = Asset{
			Name: name + "." + hex.EncodeToString(sum[:6]) + ".css",
			Type: "text/css; charset=utf-8",
			Body: body,
		}
	}
	return list, nil
}

var (
	cssComment = regexp.MustCompile(`(?s)/\*.*?\*/`)
	cssSpace   = regexp.MustCompile(`\s+`)
	cssAround  = regexp.MustCompile(` ?([{};,]) ?`)
	cssColon   = regexp.MustCompile(`([{;][a-z-]+): `)
	cssLast    = regexp.MustCompile(`;}`)
)

// squeeze takes comments and needless white space out of a style sheet. Our
// sheets have no strings with spaces or braces in them.
func squeeze(css string) string {
	css = cssComment.ReplaceAllString(css, "")
	css = strings.TrimSpace(cssSpace.ReplaceAllString(css, " "))
	css = cssAround.ReplaceAllString(css, "$1")
	css = cssColon.ReplaceAllString(css, "$1:")
	return cssLast.ReplaceAllString(css, "}")
}
