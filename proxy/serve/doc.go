// Package serve listens for visitors: it bounds how long they may take, ends
// without cutting anybody off who can be finished in time, and keeps a second
// listener for those who operate the gateway.
package serve
