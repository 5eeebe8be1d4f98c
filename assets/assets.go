// Package assets holds what the visitor's browser and eyes get: templates,
// style sheets and the sentences of every language.
package assets

import "embed"

// Files has the templates (*.html) and style sheets (*.css) and scripts (*.js) at its root and one
// file of sentences per language in locales/.
//
//go:embed *.html *.css *.js locales/*.yaml
var Files embed.FS
