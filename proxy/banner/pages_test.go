package banner

import (
	"bytes"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/numfocus/consentgate/consent"
)

func settingsPage(t *testing.T, v View) string {
	t.Helper()
	var page bytes.Buffer
	if err := example(t).Settings(&page, v); err != nil {
		t.Fatal(err)
	}
	return page.String()
}

func TestSettings(t *testing.T) {
	until := noon.Add(180 * 24 * time.Hour)
	golden(t, "settings.html", []byte(settingsPage(t, View{Decision: undecided(), Back: "/donate?x=1"})))
	golden(t, "settings-granted.html", []byte(settingsPage(t, View{Decision: granted(), Until: until, Note: Saved})))
	golden(t, "settings-signals.html", []byte(settingsPage(t, View{Decision: signalled()})))
	golden(t, "settings-erase.html", []byte(settingsPage(t, View{Decision: granted(), Until: until, Erase: true, Back: "/donate", Lang: "de"})))
}

// L3: nothing is ticked that the visitor did not tick, and what is necessary is
// said, not shown as a switch that cannot be moved.
func TestNothingIsTickedBeforeTheVisitorDoes(t *testing.T) {
	for name, d := range map[string]consent.Decision{"undecided": undecided(), "signal": signalled()} {
		page := settingsPage(t, View{Decision: d})
		if strings.Contains(page, "checked") {
			t.Errorf("%s: something is ticked", name)
		}
		if strings.Contains(page, "disabled") || strings.Contains(page, `value="necessary"`) {
			t.Errorf("%s: the necessary is shown as a switch", name)
		}
	}
	page := settingsPage(t, View{Decision: granted()})
	if n := strings.Count(page, " checked"); n != 2 {
		t.Errorf("%d boxes are ticked for a visitor who granted statistics and YouTube, want 2", n)
	}
}

// L7: purpose, provider, names of cookies, their lifetime and who can read
// them, for each service, on both pages.
func TestEveryServiceIsDeclared(t *testing.T) {
	declaration := string(example(t).Declaration("en"))
	settings := settingsPage(t, View{Decision: undecided()})
	for page, text := range map[string]string{"declaration": declaration, "settings": settings} {
		for _, s := range exampleServices() {
			entry, ok := entryIn(text, s.ID)
			if !ok {
				t.Errorf("%s: %s is missing", page, s.ID)
				continue
			}
			for _, want := range entryOf(s) {
				if !strings.Contains(entry, want) {
					t.Errorf("%s: %s does not tell %q:\n%s", page, s.ID, want, entry)
				}
			}
		}
	}
}

// entryIn is what a page says between the heading of a service and the next.
func entryIn(page string, id consent.ServiceID) (string, bool) {
	if strings.Contains(page, "cg-declaration") {
		id = "cg-" + id
	}
	_, rest, ok := strings.Cut(page, `id="`+string(id)+`"`)
	_, rest, closed := strings.Cut(rest, "</h")
	entry, _, _ := strings.Cut(rest, "<h")
	return entry, ok && closed
}

func entryOf(s *consent.Service) []string {
	want := []string{s.Loss, "Purpose", "Provider"}
	if !s.FirstParty {
		want = append(want, s.Vendor, s.PrivacyURL)
	}
	for _, c := range s.Cookies {
		want = append(want, "<code>"+c.Name+"</code>", c.Lifetime, "Who can read it")
		if c.Domain != "" {
			want = append(want, s.Vendor+" ("+c.Domain+")")
		} else if !s.FirstParty {
			want = append(want, "this website and "+s.Vendor)
		}
	}
	return want
}

func TestSignalsAreNamedAndCanBeOverridden(t *testing.T) {
	page := settingsPage(t, View{Decision: signalled()})
	for _, want := range []string{
		"Your browser sends “Do Not Track”", `name="override" value="dnt"`,
		"Your browser sends “Global Privacy Control”", `name="override" value="gpc"`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is not in the settings of a visitor with both signals", want)
		}
	}
	if strings.Contains(page, `value="accept"`) {
		t.Error("the settings offer to accept all, which a signal would hold back")
	}
	if page := settingsPage(t, View{Decision: undecided()}); strings.Contains(page, "override") {
		t.Error("a visitor without a signal is asked to override one")
	}
}

func TestWhatIsGrantedButNotInForceIsTold(t *testing.T) {
	d := decide(consent.Visitor{
		Signals: consent.Signals{DNT: consent.DNTOn},
		Choice:  &consent.Choice{Purposes: consent.PurposesOf(consent.Statistics), Record: "r"},
	})
	if page := settingsPage(t, View{Decision: d}); !strings.Contains(page, "Not all of it is in force") {
		t.Error("the page says a grant holds that the signal holds back")
	}
}

// L9: with consent given, the settings have one button that withdraws it.
func TestWithdrawingIsOneClickInTheSettings(t *testing.T) {
	if page := settingsPage(t, View{Decision: granted()}); strings.Count(page, `value="withdraw"`) != 1 {
		t.Error("there is no button that withdraws")
	}
}

// A page of the site has headings and ids of its own.
func TestTheDeclarationFitsIntoAnotherPage(t *testing.T) {
	fragment := string(example(t).Declaration("en"))
	if !strings.HasPrefix(fragment, `<div class="cg-declaration" lang="en" dir="ltr">`) || !strings.HasSuffix(fragment, "</div>") {
		t.Errorf("it is not one element: %.80s", fragment)
	}
	for _, bad := range []string{"<h1", "<h2", "<form", "<script", " style="} {
		if strings.Contains(fragment, bad) {
			t.Errorf("%s is in it", bad)
		}
	}
	for _, id := range regexp.MustCompile(` id="([^"]*)"`).FindAllStringSubmatch(fragment, -1) {
		if !strings.HasPrefix(id[1], "cg-") {
			t.Errorf("the id %q may be the site's", id[1])
		}
	}
}

func TestCookies(t *testing.T) {
	var page bytes.Buffer
	if err := example(t).Cookies(&page, "en"); err != nil {
		t.Fatal(err)
	}
	golden(t, "cookies.html", page.Bytes())
}

func TestMessages(t *testing.T) {
	b := example(t)
	for _, kind := range []Kind{Down, Slow, Busy, Other, Stored, Erase, Unknown, Foreign, Large, Missing, Method} {
		var page bytes.Buffer
		if err := b.Message(&page, "en", kind); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(page.String(), `<a class="button"`) {
			t.Errorf("%s: the page offers nothing to do", kind)
		}
		if kind == Down || kind == Stored {
			golden(t, "message-"+string(kind)+".html", page.Bytes())
		}
	}
}

func TestKindOf(t *testing.T) {
	for status, want := range map[int]Kind{
		http.StatusBadGateway: Down, http.StatusGatewayTimeout: Slow,
		http.StatusServiceUnavailable: Busy, http.StatusInternalServerError: Other,
	} {
		if got := KindOf(status); got != want {
			t.Errorf("KindOf(%d) = %s, want %s", status, got, want)
		}
	}
}
