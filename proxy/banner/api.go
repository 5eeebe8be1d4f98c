package banner

import (
	"strconv"
	"strings"

	"github.com/numfocus/consentgate/consent"
)

// API is the script that a site's own pages include where their scripts want to know
// the decision: window.consentgate. It is the same for everybody. A site that only
// observes withholds nothing, which is what its pages are told.
func (b *Banner) API(observe bool) Asset {
	otherwise := allowed(consent.Necessary)
	if observe {
		otherwise = allowed(consent.AllPurposes()...)
	}
	arguments := []string{encode(b.site.Prefix), b.byPurpose(), encode(otherwise), encode(b.scripts.path["polish"]), b.scripts.stay}
	return Asset{Name: "api.js", Type: scriptType, Body: []byte(b.scripts.api + "(" + strings.Join(arguments, ",") + ")")}
}

func allowed(purposes ...consent.Purpose) string {
	return strconv.Itoa(int(consent.PurposesOf(purposes...)))
}

// byPurpose is an object with the ids of all services by purpose. The purposes are in
// the order of their bits in a class.
func (b *Banner) byPurpose() string {
	var fields []string
	for _, p := range consent.AllPurposes() {
		var ids []string
		for _, s := range b.site.services {
			switch {
			case s.Purpose != p:
			case s.Sells:
				ids = append(ids, "-"+string(s.ID))
			default:
				ids = append(ids, string(s.ID))
			}
		}
		fields = append(fields, encode(p)+":"+encode(strings.Join(ids, " ")))
	}
	return "{" + strings.Join(fields, ",") + "}"
}
