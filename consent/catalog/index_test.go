package catalog

import (
	"slices"
	"strings"
	"testing"
)

// TestURLFindsWhatTryingAllPatternsFinds compares the index with the definition of
// what it finds, on URLs that are like patterns.
func TestURLFindsWhatTryingAllPatternsFinds(t *testing.T) {
	c := catalogOf(t, sizes[0])
	all := ranked(c.services)
	for _, ref := range likePatterns(all) {
		u, ok := new(Parser).Parse(nil, []byte(ref))
		if !ok {
			continue
		}
		want := Match{}
		if i := slices.IndexFunc(all, func(p *pattern) bool { return p.onHost(string(u.Host)) && p.matches(&u) }); i >= 0 {
			want = Match{Service: all[i].service, Rule: all[i].text}
		}
		if got := c.URL(u); got != want {
			t.Errorf("%s is %s by %q, want %s by %q", ref, idOf(got), got.Rule, idOf(want), want.Rule)
		}
	}
}

// onHost reports whether p is for a host, in the slow way.
func (p *pattern) onHost(host string) bool {
	switch p.host {
	case hostExact:
		return host == p.suffix
	case hostUnder:
		return host == p.suffix || strings.HasSuffix(host, "."+p.suffix)
	}
	return true
}

// likePatterns makes URLs of patterns: cut short, under another name and deeper
// down.
func likePatterns(all []*pattern) (refs []string) {
	for _, p := range all {
		_, path, _ := strings.Cut(strings.ReplaceAll(p.text, "*", "m"), "/")
		for _, host := range []string{"site.example", "www." + p.suffix, p.suffix} {
			refs = append(refs, "https://"+host+"/"+path, "https://"+host+"/"+path+"x/y.js?z", "https://"+host+"/"+path[:len(path)*3/4], "https://"+host+"/pm/"+path)
		}
	}
	return refs
}
