// Package serve listens for visitors, with and without TLS: it gets and keeps
// certificates, bounds how long visitors may take, hands its sockets over to a
// new process, ends without cutting anybody off who can be finished in time, and
// keeps a second listener for those who operate the gateway.
package serve
