// Package upstream is the way to the origin and back: it makes the request the
// origin gets out of the one the visitor sent, performs it, and carries bodies
// and WebSockets across without holding them.
//
// Where net/http lets something through that would change the meaning of a
// message between the visitor and the origin (an odd query, a hop-by-hop list
// that names Cookie, an h2c upgrade, an early hint), this package decides.
package upstream
