package catalog

import (
	"errors"
	"maps"
	"slices"

	"github.com/numfocus/consentgate/consent"
)

// Config is the services section of a site's configuration: by id, what the
// site changes about a known service, or a service of its own. The zero Config
// changes nothing.
type Config map[consent.ServiceID]Entry

// Check returns all mistakes, as [consent.Mistake] values joined with
// [errors.Join]. That a service of the site's own lacks something only shows
// when it is merged: see [Merge].
func (c Config) Check() error {
	var errs []error
	for _, id := range slices.Sorted(maps.Keys(c)) {
		for _, m := range append(checkID(id, string(id)), c[id].check(string(id))...) {
			errs = append(errs, m)
		}
	}
	return errors.Join(errs...)
}

// Merge returns the base services as the site wants them: known ones changed,
// in their place, and the site's own after them, by id. A value the site gives
// replaces the known one; URL patterns, signatures and cookies are added. A URL
// pattern or a cookie that the site gives to one service is taken from every
// other that had it. base is not changed.
//
// The error joins [consent.Mistake] values, all at once, with paths within site.
func Merge(base []consent.Service, site Config) ([]consent.Service, error) {
	if err := site.Check(); err != nil {
		return nil, err
	}
	merged := make([]consent.Service, 0, len(base)+len(site))
	known := make(map[consent.ServiceID]bool, len(base))
	for _, s := range base {
		known[s.ID] = true
		merged = append(merged, site[s.ID].apply(site.claim(s)))
	}
	var errs []error
	for _, id := range slices.Sorted(maps.Keys(site)) {
		if known[id] {
			continue
		}
		s := site[id].apply(consent.Service{ID: id})
		for _, m := range append(who(&s, string(id)), what(&s, string(id))...) {
			errs = append(errs, m)
		}
		merged = append(merged, s)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return merged, nil
}

// claim returns s without the URL patterns and cookies that the site gives to
// some service, s itself included: it gets its own back when its entry is
// applied.
func (c Config) claim(s consent.Service) consent.Service {
	if len(c) == 0 {
		return s
	}
	s.URLs = without(s.URLs, func(u string) bool {
		return c.any(func(e Entry) bool { return slices.Contains(e.URLs, u) })
	})
	s.Cookies = without(s.Cookies, func(k consent.Cookie) bool {
		return c.any(func(e Entry) bool {
			return slices.ContainsFunc(e.Cookies, func(o Cookie) bool { return o.Name == k.Name && o.Domain == k.Domain })
		})
	})
	return s
}

func (c Config) any(match func(Entry) bool) bool {
	for _, e := range c {
		if match(e) {
			return true
		}
	}
	return false
}

func without[T any](list []T, drop func(T) bool) []T {
	if !slices.ContainsFunc(list, drop) {
		return list
	}
	return slices.DeleteFunc(slices.Clone(list), drop)
}
