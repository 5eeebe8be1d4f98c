package banner

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/numfocus/consentgate/consent"
)

// The first of a month has a word of its own in some languages.
func TestDates(t *testing.T) {
	b := newBanner(t, exampleConfig())
	first, other := time.Date(2026, time.March, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, time.March, 21, 0, 0, 0, 0, time.UTC)
	for lang, want := range map[Lang][2]string{
		"en":      {"March 1, 2026", "March 21, 2026"},
		"de":      {"1. März 2026", "21. März 2026"},
		"fr":      {"1er mars 2026", "21 mars 2026"},
		"it":      {"1º marzo 2026", "21 marzo 2026"},
		"pt":      {"1.º de março de 2026", "21 de março de 2026"},
		"pt-BR":   {"1º de março de 2026", "21 de março de 2026"},
		"el":      {"1η Μαρτίου 2026", "21 Μαρτίου 2026"},
		"pl":      {"1 marca 2026 r.", "21 marca 2026 r."},
		"ja":      {"2026年3月1日", "2026年3月21日"},
		"ar":      {"1 مارس 2026", "21 مارس 2026"},
		"he":      {"1 במרץ 2026", "21 במרץ 2026"},
		"zh-Hant": {"2026年3月1日", "2026年3月21日"},
	} {
		e := b.in(lang)
		if got := [2]string{e.date(first), e.date(other)}; got != want {
			t.Errorf("%s: %q, want %q", lang, got, want)
		}
	}
	for _, lang := range b.Languages() {
		for month := time.January; month <= time.December; month++ {
			if d := b.in(lang).date(time.Date(2026, month, 1, 0, 0, 0, 0, time.UTC)); strings.ContainsAny(d, "{}") || !strings.Contains(d, "1") || !strings.Contains(d, "2026") {
				t.Errorf("%s: %q", lang, d)
			}
		}
	}
}

// A name from another script stays in one piece in a sentence from right to left, and
// nothing is in the way of names elsewhere.
func TestNamesFromRightToLeft(t *testing.T) {
	b := newBanner(t, exampleConfig())
	youtube := exampleServices()[1]
	for lang, want := range map[Lang]string{"ar": "\u2068NumFOCUS\u2069", "he": "\u2068NumFOCUS\u2069", "en": "NumFOCUS", "ja": "NumFOCUS"} {
		notice := string(b.Notice(lang, undecided()))
		if !strings.Contains(notice, want) || strings.Contains(notice, "\u2068") != (want != "NumFOCUS") {
			t.Errorf("%s: %s", lang, notice)
		}
		box := string(b.AppendPlaceholder(nil, lang, Frame{Service: youtube, Title: "Talk (2026)"}, undecided()))
		if strings.Count(box, "\u2068") != strings.Count(box, "\u2069") || strings.Contains(box, "\u2068") != (want != "NumFOCUS") {
			t.Errorf("%s: %s", lang, box)
		}
	}
	d := allowing(consent.Statistics)
	d.Choice = &consent.Choice{Purposes: d.Purposes, At: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Record: "4f2a-1"}
	var page bytes.Buffer
	if err := b.Settings(&page, View{Lang: "ar", Decision: d}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(page.String(), "<bdi>4f2a-1</bdi>") {
		t.Error("the record's number can come out of order")
	}
}

// What the catalog has in English says that it is, in other languages' pages, unless
// the site has words of its own for it.
func TestWordsOfAnotherLanguage(t *testing.T) {
	cfg := exampleConfig()
	cfg.Losses = map[string]map[string]string{"de": {"youtube": "Videos fehlen."}}
	b := newBanner(t, cfg)
	english := regexp.MustCompile(`<bdi lang="en">([^<]*)</bdi>`)
	for lang, want := range map[Lang]int{"en": 0, "de": 1, "ar": 2} {
		found := english.FindAllSubmatch(b.Declaration(lang), -1)
		if len(found) < want || want == 0 && len(found) > 0 {
			t.Errorf("%s: %d texts say that they are English", lang, len(found))
		}
	}
	page := string(b.Declaration("de"))
	if !strings.Contains(page, "<bdi>Videos fehlen.</bdi>") || !strings.Contains(page, `<bdi>2 Jahre</bdi>`) || !strings.Contains(page, "<bdi>6 Monate</bdi>") {
		t.Errorf("in German:\n%s", page)
	}
}

// Numbers take the form of a word that the language has for them.
func TestLifetimes(t *testing.T) {
	all := locales(t)
	for lang, want := range map[Lang]map[string]string{
		"en": {"1 day": "1 day", "2 days": "2 days", "session": "session", "up to 1 year": "up to 1 year", "30 seconds to 1 year": "30 seconds to 1 year"},
		"de": {"1 year": "1 Jahr", "13 months": "13 Monate", "Session": "Sitzung", "session or 14 days": "Sitzung oder 14 Tage", "not published by Flipcause": "nicht veröffentlicht"},
		"pl": {"1 year": "1 rok", "2 years": "2 lata", "5 years": "5 lat", "22 months": "22 miesiące", "13 months": "13 miesięcy"},
		"uk": {"21 days": "21 день", "11 days": "11 днів", "3 days": "3 дні"},
		"ar": {"1 year": "سنة واحدة", "2 years": "سنتان", "6 months": "6 أشهر", "13 months": "13 شهرًا", "400 days": "400 يوم"},
		"he": {"2 years": "שנתיים", "30 days": "30 יום", "session to 7 days": "משך הגלישה עד 7 ימים"},
		"ga": {"2 days": "2 lá", "8 years": "8 mbliana", "6 months": "6 mhí", "13 months": "13 mí"},
		"mt": {"6 months": "6 xhur", "13 months": "13-il xahar", "20 years": "20 sena"},
		"sl": {"2 days": "2 dneva", "3 days": "3 dnevi", "30 days": "30 dni"},
		"lv": {"30 minutes": "30 minūšu", "21 days": "21 diena", "2 years": "2 gadi"},
		"ro": {"2 years": "2 ani", "20 years": "20 de ani"},
		"ja": {"2 years": "2年", "up to 1 year": "最長1年"},
		"tr": {"2 years": "2 yıl"},
	} {
		for said, want := range want {
			if got, ok := all[lang].lifetime(said); !ok || got != want {
				t.Errorf("%s: %s is %q, want %q", lang, said, got, want)
			}
		}
	}
	for _, said := range []string{"", "as long as you like", "2 fortnights", "1 year to whenever", "9999999 days"} {
		if got, ok := all["de"].lifetime(said); ok {
			t.Errorf("%q is taken for %q", said, got)
		}
	}
}

// No visitor is told in English how long a cookie of the catalog stays.
func TestEveryLifetimeOfTheCatalogIsInTheVisitorsWords(t *testing.T) {
	all := locales(t)
	for _, s := range everyService(t) {
		for _, c := range s.Cookies {
			for lang, l := range all {
				if got, ok := l.lifetime(c.Lifetime); !ok || got == "" || strings.ContainsAny(got, "{|}") {
					t.Errorf("%s: %s of %s stays %q: %q", lang, c.Name, s.ID, c.Lifetime, got)
				}
			}
		}
	}
}

func TestFormsAreComplete(t *testing.T) {
	polish := locales(t)["pl"]
	for text, fits := range map[string]bool{
		"{count} dzień|{count} dni|{count} dni": true,
		"jeden dzień|{count} dni|{count} dni":   true,
		"{count} dzień|{count} dni":             false,
		"{count} dzień|kilka dni|{count} dni":   false,
		"{count} dzień|{n} dni|{count} dni":     false,
	} {
		if problem := polish.checkCounted(text); (problem == "") != fits {
			t.Errorf("%q: %q", text, problem)
		}
	}
}

// Some words give way to the sound of the next one.
func TestListsThatSoundRight(t *testing.T) {
	all := locales(t)
	for _, c := range []struct {
		lang Lang
		next string
		want string
	}{
		{"es", "Instagram", "YouTube e Instagram"},
		{"es", "Hilos", "YouTube e Hilos"},
		{"es", "Hierro", "YouTube y Hierro"},
		{"es", "publicidad", "YouTube y publicidad"},
		{"it", "Eventbrite", "YouTube ed Eventbrite"},
		{"it", "Instagram", "YouTube e Instagram"},
		{"en", "Instagram", "YouTube and Instagram"},
	} {
		if got := all[c.lang].list([]string{"YouTube", c.next}); got != c.want {
			t.Errorf("%s: %q, want %q", c.lang, got, c.want)
		}
	}
}
