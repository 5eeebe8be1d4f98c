package banner

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"regexp"
	"strings"

	"github.com/numfocus/consentgate/assets"
	"github.com/numfocus/consentgate/consent"
)

// A Fence is what scripts must know of a site that no service says.
type Fence struct {
	FirstParty    []string // hosts; "*.a.b" is a.b and all below it
	Strangers     bool     // third parties nobody knows may load, whatever the decision
	NoPictures    bool     // not even their pictures, styles, fonts and media may
	StrictCookies bool     // cookies nobody knows wait as well
}

// scripts are our scripts, ready to be filled in and sent.
type scripts struct {
	guard, list, told string            // function expressions
	stay              string            // one that told and api bring along
	api               string            // for sites that ask for it
	assets            []Asset           // the same for every decision
	path              map[string]string // by name: "guard": "/_consent/assets/guard.0123456789ab.js"
	report            string            // where the list tells what the guard refused: "/_consent/report"
	services          map[consent.ServiceID]*consent.Service
}

// perClass are the scripts that are another one for each class of decisions.
func perClass() []string { return []string{"guard", "list", "told"} }

func loadScripts(services []*consent.Service, prefix string) (scripts, error) {
	s := scripts{report: prefix + "report", path: make(map[string]string), services: make(map[consent.ServiceID]*consent.Service)}
	for _, svc := range services {
		s.services[svc.ID] = svc
	}
	all, err := json.Marshal(services)
	if err != nil {
		return s, fmt.Errorf("hash services: %w", err)
	}
	var polish, more string
	text := map[string]*string{"guard": &s.guard, "list": &s.list, "told": &s.told, "stay": &s.stay, "api": &s.api, "polish": &polish, "more": &more}
	for name, to := range text {
		source, err := fs.ReadFile(assets.Files, name+".js")
		if err != nil {
			return s, fmt.Errorf("read scripts: %w", err)
		}
		*to = squeezeScript(string(source))
	}
	for _, name := range perClass() {
		s.path[name] = prefix + "assets/" + scriptName(name, s.guard+s.list+s.told+s.stay+polish+more+string(all))
	}
	s.add(prefix, "more", "document.currentScript.resolve("+call(more, s.path["list"])+")")
	s.add(prefix, "polish", call(polish, s.path["more"]))
	return s, nil
}

// add makes an asset of a script that is the same for everybody.
func (s *scripts) add(prefix, name, body string) {
	file := scriptName(name, body)
	s.path[name] = prefix + "assets/" + file
	s.assets = append(s.assets, Asset{Name: file, Type: scriptType, Body: []byte(body)})
}

const scriptType = "text/javascript; charset=utf-8"

// scriptName changes with all that the script depends on.
func scriptName(name, on string) string {
	sum := sha256.Sum256([]byte(on))
	return name + "." + hex.EncodeToString(sum[:6]) + ".js"
}

// Scripts lists the paths of the scripts that differ by the decision. What they
// are asked for with in the query is for [Banner.Script].
func (b *Banner) Scripts() map[string]string {
	paths := make(map[string]string)
	for _, name := range perClass() {
		paths[name] = b.scripts.path[name]
	}
	return paths
}

// Script gives the body of a script for a class of decisions, the value of "d" in
// its address. It is the same for the same class and fence, and false where there
// is no such class.
func (b *Banner) Script(name, d string, f Fence) ([]byte, bool) {
	decision, ok := b.site.decision(class(d))
	if !ok {
		return nil, false
	}
	switch name {
	case "guard":
		return []byte(b.guard(decision, f)), true
	case "list":
		return []byte("export default " + b.judge(decision, f)), true
	case "told":
		return []byte(b.tell(decision)), true
	}
	return nil, false
}

// guard writes the call of the guard. Where strangers may load as well there is no
// policy to help it, so it has the rules with it from the start.
func (b *Banner) guard(d consent.Decision, f Fence) string {
	own := append(bare(f.FirstParty), namespaces)
	var judge string
	var others []string
	if f.Strangers || d.AllowsUnknown() {
		judge = "," + b.judge(d, f)
	} else {
		own = append(own, hosts(d, b.site.services, true)...)
		others = hosts(d, b.site.services, false)
	}
	h, allow := newHashing(own, others)
	calls, queues := missing(d, b.scripts.services)
	return strings.TrimSuffix(call(b.scripts.guard, h.salt, h.size, allow, calls, queues), ")") + judge + ")"
}

// namespaces is a host that stands in markup without being called: in the names of
// XML namespaces.
const namespaces = "www.w3.org"

func (b *Banner) judge(d consent.Decision, f Fence) string {
	strict := f.StrictCookies && !d.AllowsUnknown()
	return call(b.scripts.list, patterns(d, b.site.services), cookieNames(d, b.site.services), strict, b.scripts.report, f.strangers(d))
}

// strangers says what those may give whom nobody knows.
func (f Fence) strangers(d consent.Decision) int {
	switch {
	case f.Strangers || d.AllowsUnknown():
		return 2
	case f.NoPictures:
		return 0
	}
	return 1
}

func bare(hosts []string) []string {
	list := make([]string, len(hosts))
	for i, h := range hosts {
		list[i] = strings.TrimPrefix(h, "*.")
	}
	return list
}

// call writes the call of a function expression.
func call(function string, arguments ...any) string {
	list := make([]string, len(arguments))
	for i, a := range arguments {
		list[i] = encode(a)
	}
	return function + "(" + strings.Join(list, ",") + ")"
}

// encode writes JSON as it may stand in a script. What is written here is strings,
// numbers and lists of them, which never fail.
func encode(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("banner: %v", err))
	}
	return string(text)
}

var (
	scriptComment = regexp.MustCompile(`(?s)/\*.*?\*/`)
	scriptIndent  = regexp.MustCompile(`\s*\n\s*`)
	scriptAround  = regexp.MustCompile(` ?(=>|&&|\|\||[!=]=|[{}()=;,:?<>+*]) ?`)
)

// squeezeScript takes comments and needless white space out of a script of ours.
// Ours have block comments alone, end every statement with a semicolon, and have no
// strings, templates or regular expressions in which a space stands beside
// punctuation.
func squeezeScript(js string) string {
	js = scriptComment.ReplaceAllString(js, "")
	js = strings.TrimSpace(scriptIndent.ReplaceAllString(js, ""))
	return scriptAround.ReplaceAllString(js, "$1")
}
