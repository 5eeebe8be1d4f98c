package headers

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"iter"
	"net/http"
	"slices"
	"strings"
)

// stale lists the fields that describe the bytes the origin sent, or for how
// long somebody may keep them.
var stale = [...]string{
	"Age", "Cdn-Cache-Control", "Cloudflare-Cdn-Cache-Control", "Content-Digest", "Content-Length", "Content-Md5", "Digest",
	"Etag", "Expires", "Last-Modified", "Pragma", "Repr-Digest", "Surrogate-Control",
}

// A Page describes a page that was rewritten.
type Page struct {
	ETag     string // made by [ETag]; empty: none
	Language bool   // its text depends on Accept-Language
}

// Apply makes the header of an origin's response fit the rewritten page: it is
// this visitor's alone, must be asked for again each time, and has no part of
// the validators, digests, lengths and ranges of what the origin sent.
func (p Page) Apply(h http.Header) {
	cacheControl := "private, no-cache"
	for _, directive := range []string{"no-store", "no-transform"} {
		if has(h["Cache-Control"], directive) {
			cacheControl += ", " + directive
		}
	}
	DropStale(h)
	dropTrailerNames(h)
	h["Cache-Control"] = []string{cacheControl}
	h["Accept-Ranges"] = []string{"none"}
	if p.ETag != "" {
		h["Etag"] = []string{p.ETag}
	}
	names := []string{"Cookie", "DNT", "Sec-GPC", "Accept-Encoding"}
	if p.Language {
		names = append(names, "Accept-Language")
	}
	Vary(h, names...)
}

// DropStale removes the fields that describe the origin's bytes. It serves for
// trailers too.
func DropStale(h http.Header) {
	for _, name := range stale {
		delete(h, name)
	}
}

// dropTrailerNames takes the fields that [DropStale] removes out of the
// announcement of trailers.
func dropTrailerNames(h http.Header) {
	lines := h["Trailer"]
	if len(lines) == 0 {
		return
	}
	var kept []string
	for name := range members(lines) {
		if !slices.Contains(stale[:], http.CanonicalHeaderKey(name)) {
			kept = append(kept, name)
		}
	}
	if len(kept) == 0 {
		delete(h, "Trailer")
		return
	}
	h["Trailer"] = []string{strings.Join(kept, ", ")}
}

// Vary adds names to the Vary field, each once whatever its case. A "*" of the
// origin's goes: none of ours is ever stored by a shared cache.
func Vary(h http.Header, names ...string) {
	var all []string
	add := func(name string) {
		known := func(other string) bool { return strings.EqualFold(name, other) }
		if name != "*" && !slices.ContainsFunc(all, known) {
			all = append(all, name)
		}
	}
	for name := range members(h["Vary"]) {
		add(name)
	}
	for _, name := range names {
		add(name)
	}
	h["Vary"] = []string{strings.Join(all, ", ")}
}

// members yields the members of a comma-separated list, without the empty ones.
func members(lines []string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, line := range lines {
			for member := range strings.SplitSeq(line, ",") {
				if member = trim(member); member != "" && !yield(member) {
					return
				}
			}
		}
	}
}

func has(lines []string, directive string) bool {
	for member := range members(lines) {
		name, _, _ := strings.Cut(member, "=")
		if strings.EqualFold(trim(name), directive) {
			return true
		}
	}
	return false
}

// ETag makes a weak entity tag that is equal for equal parts.
func ETag(parts ...string) string {
	sum := sha256.New()
	var size [8]byte
	for _, part := range parts {
		binary.BigEndian.PutUint64(size[:], uint64(len(part)))
		sum.Write(size[:]) // else "ab", "c" would be "a", "bc"
		sum.Write([]byte(part))
	}
	return `W/"` + base32.StdEncoding.EncodeToString(sum.Sum(nil))[:26] + `"`
}

// NotModified evaluates the If-None-Match lines of a GET or HEAD request
// against the entity tag of what would be sent (RFC 9110 section 13.1.2).
func NotModified(ifNoneMatch []string, etag string) bool {
	opaque := strings.TrimPrefix(etag, "W/")
	if opaque == "" {
		return false
	}
	for _, line := range ifNoneMatch {
		if trim(line) == "*" {
			return true
		}
		for tag, rest := nextTag(line); tag != ""; tag, rest = nextTag(rest) {
			if tag == opaque {
				return true
			}
		}
	}
	return false
}

// nextTag finds the next opaque tag, quotes included; commas within it are its
// own. What is between tags does not matter: weakness does not either.
func nextTag(s string) (tag, rest string) {
	start := strings.IndexByte(s, '"')
	if start < 0 {
		return "", ""
	}
	end := strings.IndexByte(s[start+1:], '"')
	if end < 0 {
		return "", ""
	}
	end += start + 2
	return s[start:end], s[end:]
}
