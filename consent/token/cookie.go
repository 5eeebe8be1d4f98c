package token

import (
	"strconv"
	"strings"
	"time"
)

// A Cookie is how a token is kept by the browser.
type Cookie struct {
	Secure bool   // the visitor came by HTTPS
	Domain string // configured registrable domain; empty: this host only
}

// Name is "__Host-consent" where the browser can be made to hold the cookie to
// this very host over HTTPS, and "consent" elsewhere.
func (c Cookie) Name() string { return c.prefix() + "consent" }

// OnceName is the name of the cookie for "load this once".
func (c Cookie) OnceName() string { return c.prefix() + "consent-once" }

func (c Cookie) prefix() string {
	if c.Secure && c.Domain == "" {
		return "__Host-"
	}
	return ""
}

// IsOurs reports whether a cookie of this name belongs to the gateway, in
// whatever form; the origin never sees one.
func IsOurs(name string) bool {
	switch name {
	case "consent", "__Host-consent", "consent-once", "__Host-consent-once":
		return true
	}
	return false
}

// Set is the Set-Cookie line that keeps a choice.
func (c Cookie) Set(value string, maxAge time.Duration) string {
	return c.line(c.Name(), value, maxAge, c.Domain)
}

// SetOnce is the Set-Cookie line that keeps what EncodeOnce gave.
func (c Cookie) SetOnce(value string) string {
	return c.line(c.OnceName(), value, OnceFor, c.Domain)
}

// ExpireOnce is the Set-Cookie line that ends it.
func (c Cookie) ExpireOnce() string { return c.line(c.OnceName(), "", 0, c.Domain) }

// Clean is the Set-Cookie lines that end a choice's stray doubles: the same
// name for the host where it belongs to the domain, or for the domain where it
// belongs to the host. registrable is the site's registrable domain.
func (c Cookie) Clean(registrable string) []string {
	if c.Domain != "" {
		return []string{c.line(c.Name(), "", 0, "")}
	}
	if c.Secure || !strings.Contains(registrable, ".") {
		return nil // a browser keeps a __Host- cookie for one host only
	}
	return []string{c.line(c.Name(), "", 0, registrable)}
}

func (c Cookie) line(name, value string, maxAge time.Duration, domain string) string {
	var b strings.Builder
	b.WriteString(name + "=" + value + "; Path=/")
	if domain != "" {
		b.WriteString("; Domain=" + domain)
	}
	b.WriteString("; Max-Age=" + strconv.Itoa(int(maxAge.Seconds())))
	if c.Secure {
		b.WriteString("; Secure")
	}
	b.WriteString("; HttpOnly; SameSite=Lax")
	return b.String()
}

// Find returns every value that a cookie of this name has in the lines of a
// request's Cookie header, in order. A browser sends several when the cookie
// exists for the host and for its domain.
func Find(lines []string, name string) []string {
	var values []string
	for _, line := range lines {
		for pair := range strings.SplitSeq(line, ";") {
			key, value, ok := strings.Cut(strings.TrimLeft(pair, " \t"), "=")
			if ok && key == name {
				values = append(values, strings.TrimRight(value, " \t"))
			}
		}
	}
	return values
}
