// Package wordpress holds a real WordPress with the embeds of a small
// non-profit, and the browser test that runs the gateway in front of it.
package wordpress
