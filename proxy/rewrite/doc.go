// Package rewrite edits HTML while it streams.
//
// It knows tags, attributes and what a browser does with them, and nothing of
// consent: [Rules] say what to withhold, what to put in its place and what to
// insert. A [Writer] promises:
//
//   - Bytes that no rule touches leave as they came, in the order they came.
//   - What comes out does not depend on how the page was cut into writes.
//   - Whatever has arrived is passed on before Write returns, but for the tag,
//     the inline script or the style that has not ended yet, and the first 1,024
//     bytes of a page whose charset nobody has told.
//   - Time grows with the page and memory does not.
//   - Where browsers read a page in more ways than one (noscript, markup left
//     open around svg, select), or a token is longer than the limit, what is in
//     doubt is withheld and [Rules] are told by Beyond.
//
// A page served as application/xhtml+xml is read as HTML, which is not how a
// browser reads it.
package rewrite
