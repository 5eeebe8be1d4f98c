package catalog

import (
	"fmt"
	"regexp/syntax"
	"strings"

	"github.com/numfocus/consentgate/consent"
)

// mistakes collects what is wrong with the part of a configuration at the path
// at.
type mistakes struct {
	at   string
	list []consent.Mistake
}

func (m *mistakes) add(field, problem, cure string) {
	m.list = append(m.list, consent.Mistake{Field: join(m.at, field), Problem: problem, Cure: cure})
}

// need adds a mistake if value is empty.
func (m *mistakes) need(field, value, cure string) {
	if strings.TrimSpace(value) == "" {
		m.add(field, "missing", cure)
	}
}

// oneOf adds a mistake if value is neither empty nor allowed.
func (m *mistakes) oneOf(field, value string, allowed ...string) {
	if value == "" {
		return
	}
	for _, a := range allowed {
		if value == a {
			return
		}
	}
	m.add(field, fmt.Sprintf("%q is not known here", value), "use "+alternatives(allowed))
}

func join(at, field string) string {
	switch {
	case at == "":
		return field
	case field == "" || strings.HasPrefix(field, "["):
		return at + field
	}
	return at + "." + field
}

// alternatives lists words: "a, b or c".
func alternatives(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// check reports what is wrong in what the entry says; what it leaves unsaid is
// looked at by complete.
func (e Entry) check(at string) []consent.Mistake {
	m := mistakes{at: at}
	m.oneOf("purpose", string(e.Purpose), purposes()...)
	m.oneOf("withheld", string(e.Withheld), string(consent.Remove), string(consent.Placeholder))
	if e.Country != "" && !isCountry(e.Country) {
		m.add("country", fmt.Sprintf("%q is not a country code", e.Country), "write two capital letters, ISO 3166-1 alpha-2, for example US")
	}
	if e.Privacy != "" && !isWebURL(e.Privacy) {
		m.add("privacy", fmt.Sprintf("%q is not a web address", e.Privacy), "write the whole address, with https://")
	}
	for i, d := range e.Draws {
		if len(d) < shortestMark {
			m.add(fmt.Sprintf("draws[%d]", i), fmt.Sprintf("%q is in many a script", d), "write what only this service's scripts have in their address or text")
		}
	}
	for i, u := range e.URLs {
		if problem := checkPattern(u); problem != "" {
			m.add(fmt.Sprintf("urls[%d]", i), fmt.Sprintf("%q %s", u, problem), "write host or host/path without a scheme, for example *.example.com/js/")
		}
	}
	for i, s := range e.Inline {
		m.signature(fmt.Sprintf("inline[%d]", i), s)
	}
	for i, c := range e.Cookies {
		m.cookie(fmt.Sprintf("cookies[%d]", i), c)
	}
	for i, s := range e.Samples {
		if !isWebURL(s) {
			m.add(fmt.Sprintf("samples[%d]", i), fmt.Sprintf("%q is not a web address", s), "write the whole address, with https://")
		}
	}
	return m.list
}

// shortestMark is how long a text is that a script can be told by, at least.
const shortestMark = 6

func (m *mistakes) signature(field string, s Signature) {
	m.need(field+".pattern", s.Pattern, "write a regular expression (RE2) that matches the script's text")
	m.need(field+".role", string(s.Role), "write loader for a script that fetches the service's code, call for one that calls into it")
	m.oneOf(field+".role", string(s.Role), string(consent.Loader), string(consent.Call))
	if s.Pattern == "" {
		return
	}
	tree, err := syntax.Parse(s.Pattern, syntax.Perl)
	switch {
	case err != nil:
		m.add(field+".pattern", err.Error(), "write a regular expression as in https://github.com/google/re2/wiki/Syntax")
	case anchored(tree):
		m.add(field+".pattern", "is tied to the beginning or end of the script", "leave out ^, $, \\A and \\z: it is looked for anywhere")
	case !factored(tree):
		m.add(field+".pattern", "has no fixed text to look for", "contain two letters or more that every match has in a row")
	}
}

func (m *mistakes) cookie(field string, c Cookie) {
	m.need(field+".name", c.Name, "write the cookie's name; * stands for any run of characters")
	m.need(field+".lifetime", c.Lifetime, "write how long it stays, for example 2 years or session")
	m.need(field+".set_by", string(c.SetBy), "write script for document.cookie, http for a Set-Cookie header")
	m.oneOf(field+".set_by", string(c.SetBy), string(consent.ByScript), string(consent.ByHTTP))
	if strings.ContainsAny(c.Name, "=; \t,") {
		m.add(field+".name", fmt.Sprintf("%q cannot be a cookie's name", c.Name), "leave out =, ;, comma and spaces")
	}
	switch {
	case c.Domain != "" && !isHost(c.Domain):
		m.add(field+".domain", fmt.Sprintf("%q is not a domain", c.Domain), "write it in lower case without a leading dot, for example example.com")
	case c.Domain == "" && strings.Trim(c.Name, "*") == "" && c.Name != "":
		m.add(field+".name", "claims every cookie of the site", "name the cookies, or say whose domain it is")
	}
}

// who reports what is missing about who runs the service.
func who(s *consent.Service, at string) []consent.Mistake {
	if s.FirstParty {
		return nil
	}
	m := mistakes{at: at}
	m.need("vendor", s.Vendor, "write the legal name of who runs it, or first_party: true if it is the site itself")
	m.need("country", s.Country, "write the country of its seat, for example US")
	m.need("privacy", s.PrivacyURL, "write the address of its privacy policy")
	return m.list
}

// what reports what else a visitor has to be told and is missing.
func what(s *consent.Service, at string) []consent.Mistake {
	m := mistakes{at: at}
	m.need("name", s.Name, "write the name as the vendor writes it")
	m.need("purpose", string(s.Purpose), "write "+alternatives(purposes()))
	m.need("loss", s.Loss, "say in one plain sentence what a visitor goes without while it is withheld")
	m.need("withheld", string(s.Withheld), "write remove, or placeholder for something that was to be seen")
	if len(s.Draws) > 0 && s.Withheld == consent.Remove {
		m.add("draws", "are replaced by nothing", "write withheld: placeholder, or leave draws out")
	}
	if len(s.URLs)+len(s.Inline)+len(s.Cookies) == 0 {
		m.add("", "missing what it is recognised by", "give at least one of urls, inline and cookies")
	}
	return m.list
}

// checkID looks at the id that the field holds.
func checkID(id consent.ServiceID, field string) []consent.Mistake {
	var m mistakes
	switch {
	case id == "":
		m.add(field, "missing", "write a short name of lower-case letters, digits and hyphens")
	case strings.HasPrefix(string(id), knownPrefix):
		m.add(field, fmt.Sprintf("%q begins like the ids of the table of cookies", id), "begin it with something other than "+knownPrefix)
	case !isID(string(id)):
		m.add(field, fmt.Sprintf("%q cannot be an id", id), "use only lower-case letters, digits and hyphens, for example google-analytics-4")
	}
	return m.list
}

func purposes() []string {
	var names []string
	for _, p := range consent.AllPurposes() {
		names = append(names, string(p))
	}
	return names
}

func isID(s string) bool {
	for _, c := range []byte(s) {
		if !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-') {
			return false
		}
	}
	return s != "" && s[0] != '-' && s[len(s)-1] != '-'
}

func isCountry(s string) bool {
	return len(s) == 2 && 'A' <= s[0] && s[0] <= 'Z' && 'A' <= s[1] && s[1] <= 'Z'
}

// isHost reports whether s is a host as [URL] has it.
func isHost(s string) bool {
	var p Parser
	u, ok := p.Parse(nil, []byte("https://"+s+"/"))
	return ok && string(u.Host) == s && string(u.Path) == "/" && s[0] != '.' && !strings.Contains(s, "..")
}

func isWebURL(s string) bool {
	var p Parser
	u, ok := p.Parse(nil, []byte(s))
	return ok && (string(u.Scheme) == "https" || string(u.Scheme) == "http") &&
		strings.HasPrefix(s, string(u.Scheme)+"://")
}
