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
	for lang, want := range map[Lang]int{"en": 0, "de": 3, "ar": 3} {
		found := english.FindAllSubmatch(b.Declaration(lang), -1)
		if len(found) < want || want == 0 && len(found) > 0 {
			t.Errorf("%s: %d texts say that they are English", lang, len(found))
		}
	}
	page := string(b.Declaration("de"))
	if !strings.Contains(page, "<bdi>Videos fehlen.</bdi>") || !strings.Contains(page, `<bdi lang="en">2 years</bdi>`) || !strings.Contains(page, "<bdi>6 Monate</bdi>") {
		t.Errorf("in German:\n%s", page)
	}
}
