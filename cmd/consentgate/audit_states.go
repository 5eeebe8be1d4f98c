package main

import (
	"net/url"
	"time"

	"github.com/numfocus/consentgate/consent"
)

// An auditState is a visitor of one kind.
type auditState struct {
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

// auditStates lists whom a site should be visited as: with JavaScript, then
// without. Where no notice of ours is found, nobody can choose anything.
func auditStates(gateway bool) []auditState {
	states := []auditState{
		{Name: "new visitor", Says: "opens the site for the first time and chooses nothing"},
		{Name: "Do Not Track", Says: "has a browser that sends DNT: 1", signals: consent.Signals{DNT: consent.DNTOn}},
		{Name: "Global Privacy Control", Says: "has a browser that sends Sec-GPC: 1", signals: consent.Signals{GPC: true}},
	}
	if gateway {
		states = append(states, auditState{Name: "refused", Says: "refuses everything", choices: []url.Values{{"choice": {"reject"}}}})
		for _, p := range consent.Optional() {
			states = append(states, auditState{
				Name: string(p) + " alone", Says: "allows " + string(p) + " and nothing else", granted: consent.PurposesOf(p),
				choices: []url.Values{{"choice": {"save"}, "purpose": {string(p)}}},
			})
		}
		accept := url.Values{"choice": {"accept"}}
		states = append(states,
			auditState{Name: "accepted", Says: "accepts everything", choices: []url.Values{accept}, granted: consent.Everything},
			auditState{Name: "withdrawn", Says: "accepts everything, looks around, and takes it back", choices: []url.Values{accept, {"choice": {"withdraw"}}}},
		)
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
