// Package rewrite edits HTML while it streams.
//
// It knows tags, attributes and what a browser does with them, and nothing of
// consent: [Rules] say what to withhold, what to put in its place and what to
// insert. Bytes that no rule touches leave as they came.
package rewrite
