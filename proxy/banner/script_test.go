package banner

import (
	"bytes"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"

	"github.com/numfocus/consentgate/consent"
	"github.com/numfocus/consentgate/consent/catalog"
)

// everyService is all that the catalog has built in.
func everyService(t *testing.T) []*consent.Service {
	t.Helper()
	builtin, err := catalog.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	c, err := catalog.New(builtin)
	if err != nil {
		t.Fatal(err)
	}
	return c.Services()
}

// fullBanner is that of a site which may use whatever the catalog knows.
func fullBanner(t *testing.T) *Banner {
	t.Helper()
	b, err := New(exampleConfig(), everyService(t), "/_consent/")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func allowing(purposes ...consent.Purpose) consent.Decision {
	return consent.Decision{Purposes: consent.PurposesOf(consent.Necessary).With(purposes...)}
}

var site1 = Fence{FirstParty: []string{"*.example.org", "example.org"}}

func script(t *testing.T, b *Banner, name string, d consent.Decision, f Fence) string {
	t.Helper()
	body, ok := b.Script(name, string(classOf(d)), f)
	if !ok {
		t.Fatalf("there is no %s for %+v", name, d)
	}
	return string(body)
}

// packed is the length of something in brotli.
func packed(t *testing.T, parts ...[]byte) int {
	t.Helper()
	var out bytes.Buffer
	w := brotli.NewWriterLevel(&out, brotli.BestCompression)
	for _, p := range parts {
		if _, err := w.Write(p); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Len()
}

func polish(b *Banner) []byte { return b.scripts.assets[1].Body }

// longest is the language whose banner is the heaviest.
func longest(t *testing.T, b *Banner) Lang {
	t.Helper()
	return slices.MaxFunc(b.Languages(), func(l, m Lang) int {
		return packed(t, b.Notice(l, undecided())) - packed(t, b.Notice(m, undecided()))
	})
}

// What a visitor has to load for us, in bytes of brotli. The limits are promises.
func TestSizes(t *testing.T) {
	b := fullBanner(t)
	check := func(what string, got, limit int) {
		t.Logf("%-44s %5d of %d", what, got, limit)
		if got > limit {
			t.Errorf("%s: %d bytes, more than %d", what, got, limit)
		}
	}
	check("guard, undecided", packed(t, []byte(script(t, b, "guard", undecided(), site1))), 1536)
	heaviest := longest(t, b)
	for _, l := range b.Languages() {
		parts := packed(t, b.Notice(l, undecided())) + packed(t, b.Assets()[inPageSheet].Body) + packed(t, polish(b))
		if l == "en" || l == heaviest {
			check("banner, style and polish, "+string(l), parts, 3072)
		}
		if parts > 3072 {
			t.Errorf("banner, style and polish in %s: %d bytes", l, parts)
		}
	}
	everything, nothing := allowing(consent.Optional()...), allowing()
	check("settings link, once everything is granted", packed(t, b.Link("en", everything)), 256)
	check("settings link, once everything is refused", packed(t, b.Link("en", nothing)), 384)
	check("guard, refused", packed(t, []byte(script(t, b, "guard", nothing, site1))), 1536)
	check("more, when the visitor does something", packed(t, b.scripts.assets[0].Body), 2560)
	check("told, everything granted", packed(t, []byte(script(t, b, "told", everything, site1))), 1088)
	check("api, where the site's own pages ask for it", packed(t, b.API(false).Body), 2560)
	check("list, when something asks for it", packed(t, []byte(script(t, b, "list", undecided(), site1))), 10<<10)
}

func TestHeadHasWhatTheDecisionNeeds(t *testing.T) {
	b := fullBanner(t)
	refused := allowing()
	service := allowing()
	service.Services = []consent.ServiceID{"typeform", "youtube"}
	once := allowing()
	once.Once = []consent.ServiceID{"vimeo"}
	sale := allowing(consent.Statistics)
	sale.NoSale = true
	added := allowing(consent.Statistics)
	added.New, added.Ask = []consent.ServiceID{"hotjar"}, true
	for name, c := range map[string]struct {
		d    consent.Decision
		want string
	}{
		"undecided":  {undecided(), "guard?d=1 polish"},
		"refused":    {refused, "guard?d=1"},
		"some":       {allowing(consent.Statistics), "guard?d=5 told?d=5"},
		"services":   {service, "guard?d=1.typeform.youtube told?d=1.typeform.youtube"},
		"once":       {once, "guard?d=1~vimeo polish"},
		"new":        {added, "guard?d=5_hotjar told?d=5_hotjar polish"},
		"no sale":    {sale, "guard?d=5s told?d=5s"},
		"everything": {allowing(consent.Optional()...), "told?d=15"},
	} {
		var got []string
		for _, m := range regexp.MustCompile(`<script src="/_consent/assets/(\w+)\.\w+\.js(\?[^"]*)"></script>`).FindAllStringSubmatch(string(b.Head("en", c.d)), -1) {
			got = append(got, m[1]+m[2])
			if _, ok := b.Script(m[1], m[2][3:], site1); !ok {
				t.Errorf("%s: %s%s leads nowhere", name, m[1], m[2])
			}
		}
		if strings.Contains(string(b.Head("en", c.d)), `<script defer src="`+b.scripts.path["polish"]+`" data-d=`) {
			got = append(got, "polish")
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%s: %s, want %s", name, s, c.want)
		}
	}
}

// Nobody can have scripts made that no decision asks for.
func TestScriptRefusesWhatIsNoClass(t *testing.T) {
	b := fullBanner(t)
	for _, d := range []string{"", "x", "16", "01", "-1", "1ts", "1.nobody", "1.youtube.typeform", "1.youtube.youtube", "1~youtube.typeform", "1 ", "1.", "1~"} {
		if body, ok := b.Script("guard", d, site1); ok {
			t.Errorf("%q gives %.60s", d, body)
		}
	}
	if _, ok := b.Script("nothing", "1", site1); ok {
		t.Error("there is a script called nothing")
	}
}

// listed reads a list of hashes as the guard does.
func listed(t *testing.T, list string, hash uint64) bool {
	t.Helper()
	sum := uint64(0)
	for i := 0; i < len(list); i += 2 {
		n, err := strconv.ParseUint(list[i:i+2], 36, 64)
		if err != nil {
			t.Fatal(err)
		}
		if sum += n; sum == hash {
			return true
		}
	}
	return false
}

// No host of a service that is withheld looks to the guard like one that is
// allowed.
func TestHashingTellsHostsApart(t *testing.T) {
	services := everyService(t)
	for _, d := range []consent.Decision{allowing(), allowing(consent.Statistics), allowing(consent.Preferences, consent.Statistics)} {
		own, others := hosts(d, services, true), hosts(d, services, false)
		salt, list := newHashing(own, others)
		allowed := func(host string) bool { return listed(t, list, salt.of(host)) }
		for _, host := range own {
			if !allowed(host) {
				t.Errorf("%s is not allowed", host)
			}
		}
		for _, host := range others {
			if allowed(host) && !strings.Contains(" "+strings.Join(own, " ")+" ", " "+host+" ") {
				t.Errorf("%s looks allowed", host)
			}
		}
	}
}

// Names that are equally long and look alike do so by every salt: the search must
// end all the same, and on the safe side.
func TestHashingEnds(t *testing.T) {
	services := everyService(t)
	d := allowing(consent.Statistics)
	var own, others []string
	for _, suffix := range []string{"", ".localhost", ".test", ".invalid"} { // as many again, as a site's own services may be
		for _, host := range hosts(d, services, true) {
			own = append(own, host+suffix)
		}
		for _, host := range hosts(d, services, false) {
			others = append(others, host+suffix)
		}
	}
	for name, lists := range map[string][2][]string{
		"many":                     {own, others},
		"alike in every character": {{"ba.example", "other.example"}, {"Ab.example"}}, // 33*'a' + 'b' is 33*'b' + 'A'
	} {
		h, list := newHashing(lists[0], lists[1])
		for _, host := range lists[1] {
			if listed(t, list, h.of(host)) && !slices.Contains(lists[0], host) {
				t.Errorf("%s: %s looks allowed", name, host)
			}
		}
	}
}

func TestSqueezeScriptKeepsStrings(t *testing.T) {
	b := fullBanner(t)
	for _, name := range perClass() {
		got := script(t, b, name, undecided(), site1)
		if strings.Contains(got, "/*") && name != "list" || strings.Contains(got, "\n") {
			t.Errorf("%s has comments or lines left:\n%.300s", name, got)
		}
	}
}

// Whoever has answered has no more than the settings link and, as long as something is
// withheld or told, what does that; and the polish where there is a button for it.
func TestTailIsForPlaceholders(t *testing.T) {
	b := fullBanner(t)
	for name, c := range map[string]struct {
		d    consent.Decision
		want bool
	}{
		"undecided":  {undecided(), false}, // has it
		"refused":    {allowing(), true},
		"some":       {allowing(consent.Statistics), false}, // fetches it when it is needed
		"everything": {allowing(consent.Optional()...), false},
	} {
		if got := len(b.Tail(c.d)) > 0; got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
	for d, want := range map[string]bool{"5": true, "5_hotjar": false, "5~vimeo": false} {
		if told, _ := b.Script("told", d, site1); strings.Contains(string(told), "consentgate=") != want {
			t.Errorf("told?d=%s brings the polish's place along: want %t", d, want)
		}
	}
}
