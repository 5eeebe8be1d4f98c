package inventory

import "github.com/numfocus/consentgate/consent"

// Cookie is the kind of a cookie. Other kinds are named by the caller.
const Cookie = "cookie"

// Sightings are what one answer to a visitor showed, equal ones added up. The
// zero value has none. It is not for concurrent use.
type Sightings struct {
	list   []sighting
	missed uint64 // beyond maxDifferent
}

type sighting struct {
	key
	purpose          consent.Purpose
	withheld, passed uint64
	shown            bool // and not only claimed by a visitor
}

// A key is what makes two sightings the same thing.
type key struct {
	kind    string
	name    string // a host, or the name of a cookie; empty: an inline script
	service consent.ServiceID
}

// Add counts one thing: a host or the name of a cookie, how it is used, and
// whose it is; nil is nobody's that the catalog knows. A thing with neither name
// nor service is the site's own and is not counted.
func (s *Sightings) Add(kind, name string, service *consent.Service, withheld bool) {
	if of := s.add(kind, name, service, withheld); of != nil {
		of.shown = true
	}
}

// AddReturned counts a cookie that a visitor has sent. Anybody can send any
// cookie: it counts only where something else has shown that the site uses its
// service.
func (s *Sightings) AddReturned(name string, service *consent.Service, withheld bool) {
	s.add(Cookie, name, service, withheld)
}

func (s *Sightings) add(kind, name string, service *consent.Service, withheld bool) *sighting {
	k := key{kind: kind, name: name}
	var purpose consent.Purpose
	if service != nil {
		k.service, purpose = service.ID, service.Purpose
	}
	if k.name == "" && k.service == "" {
		return nil
	}
	of := s.find(k)
	if of == nil {
		if len(s.list) >= maxDifferent {
			s.missed++
			return nil
		}
		s.list = append(s.list, sighting{key: k, purpose: purpose})
		of = &s.list[len(s.list)-1]
	}
	if withheld {
		of.withheld++
	} else {
		of.passed++
	}
	return of
}

// find goes through all of them: a page has few different ones.
func (s *Sightings) find(k key) *sighting {
	for i := range s.list {
		if s.list[i].key == k {
			return &s.list[i]
		}
	}
	return nil
}

// Empty reports whether nothing was added.
func (s *Sightings) Empty() bool { return len(s.list) == 0 }
