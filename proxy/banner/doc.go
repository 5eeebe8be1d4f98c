// Package banner makes what the visitor sees: the banner, the link to the
// settings, the placeholders in pages of the site, and the pages of the gateway
// itself (settings, cookie declaration, error pages), in the visitor's language.
//
// It needs no JavaScript: every choice is a plain form. What goes into pages of
// the site says nothing about the page it stands in, so that its bytes are the
// same on all of them; templates, style sheets and sentences are in
// package assets.
package banner
