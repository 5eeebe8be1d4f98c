package main

import (
	"net/url"
	"slices"
	"time"

	"github.com/numfocus/consentgate/consent"
)

// An auditState is a visitor of one kind.
type auditState struct {
	word    string // for --visitors
	Name    string // "statistics alone"
	Says    string // what the visitor does, for people
	scripts bool
	signals consent.Signals
	choices []url.Values // sent one after the other, as the notice's form would
	granted consent.Purposes
}

func (s auditState) title() string {
	if s.scripts {
		return s.Name
	}
	return s.Name + ", without JavaScript"
}

// decision is what this visitor has allowed once all choices are made.
func (s auditState) decision() consent.Decision {
	v := consent.Visitor{Signals: s.signals}
	now := time.Now()
	if len(s.choices) > 0 {
		v.Choice = &consent.Choice{Purposes: s.granted, At: now}
	}
	return consent.Policy{}.Decide(v, now)
}

// visitorWords are what --visitors may name.
func visitorWords() []string {
	var words []string
	for _, s := range auditStates(true, nil) {
		words = include(words, s.word)
	}
	return words
}

// auditStates lists whom a site should be visited as: with JavaScript, then
// without. Where no notice of ours is found, nobody can choose anything. only, if
// it is not empty, has the words of those that are wanted.
func auditStates(gateway bool, only []string) []auditState {
	states := []auditState{
		{word: "new", Name: "new visitor", Says: "opens the site for the first time and chooses nothing"},
		{word: "dnt", Name: "Do Not Track", Says: "has a browser that sends DNT: 1", signals: consent.Signals{DNT: consent.DNTOn}},
		{word: "gpc", Name: "Global Privacy Control", Says: "has a browser that sends Sec-GPC: 1", signals: consent.Signals{GPC: true}},
	}
	if gateway {
		states = append(states, auditState{word: "refused", Name: "refused", Says: "refuses everything", choices: []url.Values{{"choice": {"reject"}}}})
		for _, p := range consent.Optional() {
			states = append(states, auditState{
				word: string(p), Name: string(p) + " alone", Says: "allows " + string(p) + " and nothing else", granted: consent.PurposesOf(p),
				choices: []url.Values{{"choice": {"save"}, "purpose": {string(p)}}},
			})
		}
		accept := url.Values{"choice": {"accept"}}
		states = append(states,
			auditState{word: "accepted", Name: "accepted", Says: "accepts everything", choices: []url.Values{accept}, granted: consent.Everything},
			auditState{word: "withdrawn", Name: "withdrawn", Says: "accepts everything, looks around, and takes it back", choices: []url.Values{accept, {"choice": {"withdraw"}}}},
		)
	}
	if len(only) > 0 {
		states = slices.DeleteFunc(states, func(s auditState) bool { return !slices.Contains(only, s.word) })
	}
	both := make([]auditState, 0, 2*len(states))
	for _, scripts := range []bool{true, false} {
		for _, s := range states {
			s.scripts = scripts
			both = append(both, s)
		}
	}
	return both
}
