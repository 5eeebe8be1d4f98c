package catalog

import "bytes"

// An origin is how a reference begins, up to the slash after the authority, and
// what that leads to. The references of a page name the same few hosts again
// and again.
type origin struct {
	text   []byte // "https://www.example.org/"; empty: none
	scheme []byte
	host   []byte
}

// origins are those that a parser has met last. What they mean depends on
// nothing but their text.
type origins struct {
	met    [4]origin
	oldest int
}

// known returns the origin that ref begins with, or nil.
func (s *origins) known(ref []byte) *origin {
	if len(ref) == 0 || ref[0] == '/' {
		return nil
	}
	for i := range s.met {
		if o := &s.met[i]; len(o.text) > 0 && bytes.HasPrefix(ref, o.text) {
			return o
		}
	}
	return nil
}

// learn takes note of how ref, which leads to u, begins, if it is written with
// a scheme, two slashes, an authority and a slash.
func (s *origins) learn(ref []byte, u *URL) {
	n := len(u.Scheme)
	if len(ref) < n+3 || !equalFold(ref[:n], string(u.Scheme)) || string(ref[n:n+3]) != "://" || isFile(u.Scheme) {
		return
	}
	authority, path := cutAuthority(ref[n+3:])
	if len(authority) == 0 || len(path) == 0 || path[0] != '/' {
		return
	}
	o := &s.met[s.oldest]
	s.oldest = (s.oldest + 1) % len(s.met)
	o.text = append(o.text[:0], ref[:n+3+len(authority)+1]...)
	o.scheme = append(o.scheme[:0], u.Scheme...)
	o.host = append(o.host[:0], u.Host...)
}
