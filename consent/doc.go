// Package consent decides what a visitor has allowed.
//
// The decision is a pure function of what the browser says by itself
// ([Signals]), what the visitor said ([Choice]), the site's [Policy] and the
// clock. Nothing here knows of HTTP, of a database or of a logger: the package
// and the rooms below it return values and errors.
//
// Three rules carry everything else:
//
//   - Nothing but [Necessary] is allowed until the visitor says yes.
//   - A signal is never consent, and neither is its absence.
//   - A choice that cannot be trusted (forged, expired, made under an earlier
//     notice) is no choice at all.
package consent
