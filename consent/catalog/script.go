package catalog

import (
	"fmt"

	"github.com/numfocus/consentgate/consent"
)

// smallScript is the size in bytes up to which a script is taken to do one
// thing: what it mentions is what it is for. Nine in ten tracker snippets are
// smaller, while the scripts in which a site keeps its settings are larger.
const smallScript = 3 << 10

// near is how far from a URL, in bytes, a large script must do something that
// loads for the URL to be taken as what is loaded.
const near = 200

// maxPath is how much of a path in a script is compared with URL patterns.
const maxPath = 256

// Script says to which service an inline script belongs, of those that withheld
// says are withheld; the zero Match: to none, it may run.
//
// A script belongs to a service if a loader signature of it matches. A small
// one, up to 3 kB, also does if a call signature matches or if it contains a URL
// of the service; a larger one only if the URL is within 200 bytes of something
// that loads, such as createElement or sendBeacon.
//
// text is what the script element contains, UTF-8 or another superset of ASCII;
// for a data: URL, what it decodes to. The time is linear in its length, does
// not depend on the number of services, and nothing is allocated. withheld may be
// called several times for the same service.
func (c *Catalog) Script(text []byte, withheld func(*consent.Service) bool) Match {
	if m := c.signed(text, withheld); m.Service != nil {
		return m
	}
	s := urlSearch{text: text}
	var buf [maxPath]byte
	for s.find() {
		m := c.URL(URL{Host: s.host, Path: s.path(buf[:0])})
		if m.Service != nil && withheld(m.Service) && (len(text) <= smallScript || c.scripts.loadsNear(&s)) {
			return m
		}
	}
	return Match{}
}

// signed looks for signatures.
func (c *Catalog) signed(text []byte, withheld func(*consent.Service) bool) Match {
	s := c.scripts.literals.search(text)
	for s.find() {
		g := c.scripts.signatures[s.id]
		if g.Role == consent.Call && len(text) > smallScript {
			continue
		}
		if withheld(g.service) && g.matches(text, s.at) {
			return Match{Service: g.service, Rule: g.Pattern}
		}
	}
	return Match{}
}

// UnknownLoader reports whether an inline script loads something from a host
// that is neither the site's own nor known, and returns the first such host, as
// written in the script. The script must both contain a URL of that host and do
// something that loads code, a frame, a picture or data; a large one, over 3 kB,
// within 200 bytes of the URL. firstParty is given hosts in lower case. Nothing
// is allocated.
func (c *Catalog) UnknownLoader(text []byte, firstParty func(host []byte) bool) (host []byte, ok bool) {
	if !c.scripts.loads(text) {
		return nil, false
	}
	s := urlSearch{text: text}
	var buf [maxPath]byte
	for s.find() {
		if !s.quoted || namespace(s.host) || firstParty(s.host) {
			continue
		}
		if c.URL(URL{Host: s.host, Path: s.path(buf[:0])}).Service == nil && (len(text) <= smallScript || c.scripts.loadsNear(&s)) {
			return text[s.at:s.end], true
		}
	}
	return nil, false
}

// A scriptIndex is what inline scripts are searched for.
type scriptIndex struct {
	literals   *finder // of signatures
	signatures []*signature
	idioms     []idiom // things a script does to load something
	idiomTexts *finder
}

func newScriptIndex(services []*consent.Service) (scriptIndex, error) {
	x := scriptIndex{idioms: idioms()}
	x.idiomTexts = newFinder(idiomLiterals(x.idioms))
	var literals []literal
	for _, s := range services {
		for _, g := range s.Inline {
			list, err := newSignatures(g, s)
			if err != nil {
				return x, fmt.Errorf("signature %q of %s: %w", g.Pattern, s.ID, err)
			}
			for _, g := range list {
				for _, t := range g.texts {
					literals = append(literals, literal{text: t, fold: g.fold, id: int32(len(x.signatures))})
				}
				x.signatures = append(x.signatures, g)
			}
		}
	}
	x.literals = newFinder(literals)
	return x, nil
}
