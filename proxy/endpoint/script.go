package endpoint

import (
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/numfocus/consentgate/proxy/banner"
)

// addScripts makes a route of each script that depends on the decision, which
// its address names.
func (e *Endpoint) addScripts() {
	for name, path := range e.site.Banner.Scripts() {
		made := new(shelf)
		e.routes[path] = route{get: func(w http.ResponseWriter, r *http.Request) { e.script(w, r, name, made) }}
	}
}

func (e *Endpoint) script(w http.ResponseWriter, r *http.Request, name string, made *shelf) {
	d := r.URL.Query().Get("d")
	p, ok := made.get(e.site.Host(r)+" "+d, func() (*packed, bool) {
		body, ok := e.site.Banner.Script(name, d, e.site.Fence(r))
		return e.pack(banner.Asset{Type: "text/javascript; charset=utf-8", Body: body}), ok
	})
	if !ok {
		e.fail(w, r, http.StatusNotFound, banner.Missing)
		return
	}
	p.serve(w, r)
}

// A shelf keeps what was made for hosts and decisions. There are few: it stops
// keeping rather than grow.
type shelf struct {
	kept  sync.Map
	count atomic.Int32
}

// shelfSize bounds what somebody who makes addresses up can have kept: 256
// lists are five megabytes.
const shelfSize = 256

func (s *shelf) get(key string, make func() (*packed, bool)) (*packed, bool) {
	if p, ok := s.kept.Load(key); ok {
		return p.(*packed), true
	}
	p, ok := make()
	if ok && s.count.Load() < shelfSize {
		if _, taken := s.kept.LoadOrStore(key, p); !taken {
			s.count.Add(1)
		}
	}
	return p, ok
}
