package main

import (
	"strconv"
	"strings"
	"time"
)

// robots are the rules of a robots.txt for one robot (RFC 9309).
type robots struct {
	rules    []robotsRule
	delay    time.Duration // Crawl-delay, which is older than the RFC
	sitemaps []string
}

type robotsRule struct {
	pattern string
	allow   bool
}

// longestDelay is the longest Crawl-delay that is waited for.
const longestDelay = time.Minute

// parseRobots reads the groups for a robot by its name, or those for all where
// it is not named.
func parseRobots(text, name string) robots {
	var own, all robots
	var named, forAll, inRules, isNamed bool
	var sitemaps []string
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(strings.TrimPrefix(line, "\ufeff"), "#")
		key, value, ok := strings.Cut(line, ":")
		if !ok {
			continue
		}
		value = strings.TrimSpace(value)
		key = strings.ToLower(strings.TrimSpace(key))
		switch key {
		case "sitemap":
			sitemaps = append(sitemaps, value)
		case "user-agent":
			if inRules { // a new group
				named, forAll, inRules = false, false, false
			}
			named = named || strings.EqualFold(value, name)
			forAll = forAll || value == "*"
			isNamed = isNamed || named
		case "allow", "disallow", "crawl-delay":
			inRules = true
			if named {
				own.add(key, value)
			}
			if forAll {
				all.add(key, value)
			}
		}
	}
	if isNamed {
		all = own
	}
	all.sitemaps = sitemaps
	return all
}

func (r *robots) add(key, value string) {
	switch seconds, err := strconv.ParseFloat(value, 64); {
	case key != "crawl-delay":
		if value != "" {
			r.rules = append(r.rules, robotsRule{value, key == "allow"})
		}
	case err == nil && seconds > 0:
		r.delay = min(time.Duration(min(seconds, longestDelay.Seconds())*float64(time.Second)), longestDelay)
	}
}

// allows reports whether a path with its query may be asked for: the longest
// rule that matches decides, and an allow outweighs a disallow of its length.
func (r robots) allows(path string) bool {
	allow, longest := true, -1
	for _, rule := range r.rules {
		n := len(rule.pattern)
		if n < longest || n == longest && !rule.allow || !robotsMatch(rule.pattern, path) {
			continue
		}
		allow, longest = rule.allow, n
	}
	return allow
}

// robotsMatch compares a pattern, in which * is any run and $ at the end is the
// end, with the beginning of a path.
func robotsMatch(pattern, path string) bool {
	pattern, atEnd := strings.CutSuffix(pattern, "$")
	parts := strings.Split(pattern, "*")
	rest, ok := strings.CutPrefix(path, parts[0])
	if !ok {
		return false
	}
	for i, part := range parts[1:] {
		if atEnd && i == len(parts)-2 {
			return strings.HasSuffix(rest, part)
		}
		_, after, found := strings.Cut(rest, part)
		if !found {
			return false
		}
		rest = after
	}
	return !atEnd || rest == ""
}
