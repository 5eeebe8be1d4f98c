package proxy

import (
	"testing"

	"github.com/numfocus/consentgate/consent"
	"github.com/numfocus/consentgate/consent/catalog"
)

// Sites that change the built-in services in the same way share a catalog, and
// the services that come with the program are read once for all sites.
func TestSitesShareCatalogs(t *testing.T) {
	own := func(url string) catalog.Config {
		return catalog.Config{"survey": catalog.Entry{
			Name: "Survey", Vendor: "Survey Ltd", Country: "IE", Privacy: "https://survey.example/privacy", Purpose: consent.Statistics,
			Loss: "You lose nothing.", Withheld: consent.Remove, URLs: []string{url},
		}}
	}
	reads := 0
	once := readBuiltinOnce()
	base := func() ([]consent.Service, error) {
		reads++
		return once()
	}
	known := new(catalogs)
	get := func(c catalog.Config) *catalog.Catalog {
		t.Helper()
		made, err := known.with(base, c)
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	plain, first, other := get(nil), get(own("survey.example")), get(own("poll.example"))
	if get(catalog.Config{}) != plain || get(own("survey.example")) != first || get(own("poll.example")) != other {
		t.Error("equal sites do not share a catalog")
	}
	if plain == first || first == other {
		t.Error("different sites share a catalog")
	}
	if reads != 3 {
		t.Errorf("the built-in services were asked for %d times for 3 catalogs", reads)
	}
	if s, _ := other.Service("survey"); s == nil || s.URLs[0] != "poll.example" {
		t.Errorf("the third site's service is %+v", s)
	}
}
