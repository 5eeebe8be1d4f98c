// Package endpoint answers the gateway's own routes: the settings page and the
// choice below its prefix, and the well-known resources by which browsers learn
// how the site treats their signals. It never asks the origin for anything, so
// all of it works while the origin is down.
package endpoint
