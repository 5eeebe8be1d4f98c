package banner

import (
	"html"

	"github.com/numfocus/consentgate/consent"
)

// Head is what a page of the site needs in its head, before anything of its own:
// the guard where something is withheld, what tells the vendors where something is
// allowed, the style sheet, and the polish where there is something to be polished.
func (b *Banner) Head(_ Lang, d consent.Decision) []byte {
	c, dst := classOf(d), make([]byte, 0, 512)
	if !d.AllowsEverything() {
		dst = b.appendScript(dst, "guard", c)
	}
	if tells(d) {
		dst = b.appendScript(dst, "told", c)
	}
	dst = append(dst, b.head...)
	if polished(d) {
		dst = b.appendPolish(dst, c)
	}
	return dst
}

// Tail is what a page with placeholders needs at its end besides [Banner.Link]: the
// polish for their buttons, unless the page has it already or fetches it by itself.
func (b *Banner) Tail(d consent.Decision) []byte {
	if polished(d) || tells(d) {
		return nil
	}
	return b.appendPolish(nil, classOf(d))
}

// polished reports whether pages have the polish from the start: the visitor is
// asked, or it has just been used.
func polished(d consent.Decision) bool { return d.Ask || len(d.New) > 0 || len(d.Once) > 0 }

func (b *Banner) appendPolish(dst []byte, c class) []byte {
	dst = append(append(dst, `<script defer src="`...), html.EscapeString(b.scripts.path["polish"])...)
	return append(append(append(dst, `" data-d="`...), c...), `"></script>`...)
}

// Class is equal for two decisions exactly when pages made for them load the
// same.
func Class(d consent.Decision) string { return string(classOf(d)) }

// appendScript appends a script that runs before what follows it. It comes from a
// file, since a site's policy may forbid inline ones.
func (b *Banner) appendScript(dst []byte, name string, c class) []byte {
	dst = append(dst, `<script src="`...)
	dst = append(dst, html.EscapeString(b.scripts.path[name])...)
	dst = append(dst, "?d="...)
	dst = append(dst, c...)
	return append(dst, `"></script>`...)
}
