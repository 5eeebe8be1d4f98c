package banner

import (
	"testing"

	"github.com/numfocus/consentgate/consent"
)

// Scripts are asked for by what a decision allows, and nothing of that is lost.
func TestClassesSayWhatIsAllowed(t *testing.T) {
	some := []consent.ServiceID{"meta-pixel", "youtube"}
	for name, d := range map[string]consent.Decision{
		"nothing":    {Purposes: consent.PurposesOf(consent.Necessary)},
		"services":   {Purposes: consent.PurposesOf(consent.Statistics), Services: some, NoSale: true},
		"for once":   {Purposes: 1, Once: some, NoTracking: true},
		"new":        {Purposes: consent.Everything, New: some},
		"all of it":  {Purposes: consent.Everything, Services: some[:1], New: some[1:], Once: some},
		"one is new": {Purposes: consent.PurposesOf(consent.Marketing), New: some[:1]},
	} {
		site := example(t).site
		got, ok := site.decision(classOf(d))
		if !ok || got.Key() != d.Key() {
			t.Errorf("%s: %s is read as %+v, %t", name, classOf(d), got, ok)
		}
		for _, s := range exampleServices() {
			if got.Allows(s) != d.Allows(s) {
				t.Errorf("%s: %s is allowed: %t", name, s.ID, got.Allows(s))
			}
		}
	}
	for _, bad := range []class{"1_", "1_nobody", "1_youtube_meta-pixel", "1~youtube_youtube", "1_youtube.youtube"} {
		if d, ok := example(t).site.decision(bad); ok {
			t.Errorf("%s is read as %+v", bad, d)
		}
	}
}
