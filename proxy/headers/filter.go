package headers

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/dunglas/httpsfv"
)

// Filter removes from the header of any response, 103 (Early Hints) included,
// what would make a browser contact somebody it may not, and says how many things
// that were. Fields and members that stay keep their bytes.
func Filter(h http.Header, p Policy) (withheld int) {
	withheld += filterLinks(h, p.Allowed)
	withheld += filterLines(h, "Refresh", Refresh, refreshURL, p.Allowed)
	withheld += filterLines(h, "Sourcemap", SourceMap, itself, p.Allowed)
	withheld += filterLines(h, "X-Sourcemap", SourceMap, itself, p.Allowed)
	withheld += filterSpeculationRules(h, p.Allowed)
	withheld += filterReportTo(h, p.Allowed)
	withheld += filterReportingEndpoints(h, p.Allowed)
	if !p.Ads {
		withheld += dropAds(h)
	}
	return withheld
}

// filterLines removes the lines of a field whose URL may not be used. find gives
// the URL of a line, and false for a line that has none.
func filterLines(h http.Header, name string, kind Kind, find func(string) (string, bool), allowed Judge) (withheld int) {
	lines := h[name]
	if len(lines) == 0 {
		return 0
	}
	kept := make([]string, 0, len(lines))
	for _, line := range lines {
		if url, ok := find(line); !ok || allowed(kind, url) {
			kept = append(kept, line)
		}
	}
	keepLines(h, name, kept)
	return len(lines) - len(kept)
}

func itself(line string) (string, bool) { return trim(line), true }

// dropAds removes what only the browser's advertising interfaces read.
func dropAds(h http.Header) (withheld int) {
	for name := range h {
		switch {
		case name == "Observe-Browsing-Topics", name == "Shared-Storage-Write",
			strings.HasPrefix(name, "Attribution-Reporting-"), strings.HasPrefix(name, "Ad-Auction-"):
			delete(h, name)
			withheld++
		}
	}
	return withheld
}

// filterSpeculationRules handles a structured list of URLs of rule sets. The
// browser fetches them whatever a Content-Security-Policy says.
func filterSpeculationRules(h http.Header, allowed Judge) (withheld int) {
	const name = "Speculation-Rules"
	if len(h[name]) == 0 {
		return 0
	}
	list, err := httpsfv.UnmarshalList(h[name])
	if err != nil {
		delete(h, name)
		return 1
	}
	kept := make(httpsfv.List, 0, len(list))
	for _, member := range list {
		if url, ok := text(member); ok && allowed(Prefetch, url) {
			kept = append(kept, member)
		}
	}
	if withheld = len(list) - len(kept); withheld > 0 {
		remarshal(h, name, kept, len(kept))
	}
	return withheld
}

// filterReportingEndpoints handles a structured dictionary of URLs.
func filterReportingEndpoints(h http.Header, allowed Judge) (withheld int) {
	const name = "Reporting-Endpoints"
	if len(h[name]) == 0 {
		return 0
	}
	endpoints, err := httpsfv.UnmarshalDictionary(h[name])
	if err != nil {
		delete(h, name)
		return 1
	}
	for _, key := range append([]string(nil), endpoints.Names()...) {
		member, _ := endpoints.Get(key)
		if url, ok := text(member); !ok || !allowed(Report, url) {
			endpoints.Del(key)
			withheld++
		}
	}
	if withheld > 0 {
		remarshal(h, name, endpoints, len(endpoints.Names()))
	}
	return withheld
}

// text gives the string a member of a list or dictionary is.
func text(member httpsfv.Member) (string, bool) {
	item, ok := member.(httpsfv.Item)
	if !ok {
		return "", false
	}
	s, ok := item.Value.(string)
	return s, ok
}

func remarshal(h http.Header, name string, value httpsfv.StructuredFieldValue, members int) {
	line, err := httpsfv.Marshal(value)
	if err != nil || members == 0 {
		delete(h, name)
		return
	}
	h[name] = []string{line}
}

// filterReportTo handles the older Report-To, whose lines joined by commas are
// the members of a JSON array, and NEL, which reports to one of its groups. A
// group goes as a whole. NEL goes with any group, and a browser that keeps an
// earlier NEL policy is told to forget it (Network Error Logging section 4.1).
func filterReportTo(h http.Header, allowed Judge) (withheld int) {
	if lines := h["Report-To"]; len(lines) > 0 {
		var groups []json.RawMessage
		if json.Unmarshal([]byte("["+strings.Join(lines, ",")+"]"), &groups) != nil {
			withheld = 1
		}
		kept := make([]string, 0, len(groups))
		for _, group := range groups {
			if groupAllowed(group, allowed) {
				kept = append(kept, string(group))
			}
		}
		withheld += len(groups) - len(kept)
		if withheld > 0 {
			keepLines(h, "Report-To", kept)
		}
	}
	if len(h["Nel"]) > 0 && (withheld > 0 || len(h["Report-To"]) == 0) {
		h["Nel"] = []string{`{"max_age":0}`}
		withheld++
	}
	return withheld
}

// groupAllowed reads a group by the exact names of its members: the matching of
// struct fields would take "URL" for "url".
func groupAllowed(group json.RawMessage, allowed Judge) bool {
	var members map[string]json.RawMessage
	var endpoints []map[string]any
	if json.Unmarshal(group, &members) != nil || json.Unmarshal(members["endpoints"], &endpoints) != nil {
		return false
	}
	for _, endpoint := range endpoints {
		if !allowed(Report, fmt.Sprint(endpoint["url"])) {
			return false
		}
	}
	return true
}
