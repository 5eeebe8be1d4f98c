// Package proxy stands in front of a site and obeys the decision.
//
// [Gateway.ServeHTTP] is the path of one request, top to bottom: our own routes,
// who asks, what is allowed, the way in, the origin, the way out, the page. What
// is expensive is prepared in [New]; nothing is compiled or parsed per request.
//
// # Fail directions
//
// A token that cannot be read counts as none. A page whose bytes cannot be
// understood is sent as it came, with a policy that keeps the browser from
// loading or running what it asks for. An origin that does not answer becomes
// our own 502 or 504; the visitor's settings still answer.
package proxy
