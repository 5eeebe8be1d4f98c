// Package admin answers those who run a gateway: is it alive, is it ready for
// visitors and if not why, how is it doing, what has it seen, and will it take
// its configuration anew. It listens on an address of its own and asks for no
// password: it belongs on loopback, or in a network that visitors cannot reach.
package admin
