// Package catalog knows services: it answers whose a URL, a cookie or an inline
// script is.
//
// Services are data. The built-in ones are YAML files, one for each vendor,
// which [Builtin] reads; a site adds its own and changes known ones with a
// [Config], which [Merge] applies. [New] compiles the result once into a
// [Catalog], which is read-only from then on and safe for concurrent use.
//
// # URL patterns
//
// A pattern is a host, or a host and a path glob:
//
//	stats.example.com          this host, every path
//	*.example.com              example.com and its sub-domains
//	js-*.example.com           "*" elsewhere in a host stands for any run of characters
//	*/wp-content/plugins/x/    any host, the site's own too
//	example.com/v*/plugins/    "*" in the path stands for any run of characters
//
// The path glob is matched against path and query, from their start; what
// follows its end does not matter. Where several patterns match, the one with
// the most literal characters wins; of equals, the service listed first.
//
// # Cookies
//
// A cookie is matched by its name, case and all. An exact name wins over a glob,
// a longer glob over a shorter one. Where several services claim the same name,
// the one that is granted most reluctantly gets it: marketing before statistics
// before preferences before necessary; of equals, the service listed first. A
// cookie with a domain is looked for only among cookies of that domain and its
// sub-domains, one without only among those of the site itself.
//
// # Inline scripts
//
// See [Catalog.Script].
package catalog
