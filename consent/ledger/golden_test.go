package ledger

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/numfocus/consentgate/consent"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares with a file in testdata. These files are the format: one that
// has to be updated breaks every ledger there is.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s:\n%s\nwant\n%s", name, got, want)
	}
}

func fullReceipt() Receipt {
	return Receipt{
		Record: "7d0c3c0e-5f0a-4a53-9d3e-3c1c7e7c2b11", Event: Changed,
		Time: time.Date(2026, 11, 23, 17, 58, 43, 0, time.UTC), ValidUntil: time.Date(2027, 5, 22, 17, 58, 43, 0, time.UTC),
		Site: "numfocus.org", Language: "pt-BR", Revision: `2026-11 "é" <b> & \`,
		Notice: strings.Repeat("0a", 32), Catalog: strings.Repeat("b1", 32),
		Purposes: consent.PurposesOf(consent.Necessary, consent.Statistics),
		Services: []consent.ServiceID{"vimeo", "youtube"}, Method: BySettings,
		Signals: consent.Signals{DNT: consent.DNTOn, GPC: true}, OverrodeDNT: true,
	}
}

func smallReceipt() Receipt {
	r := fullReceipt()
	r.Event, r.Purposes, r.Services = Withdrawn, 0, nil
	r.Signals, r.OverrodeDNT = consent.Signals{}, false
	return r
}

func TestFormat(t *testing.T) {
	var out strings.Builder
	c := Chain{Gateway: "g0123456789abcdef"}
	for _, body := range []interface{ MarshalJSON() ([]byte, error) }{
		fullReceipt(), smallReceipt(),
		Erasure{Reason: OnRequest, Spans: []Span{{Gateway: c.Gateway, First: 1, Last: 1}, {Gateway: "g2", First: 7, Last: 900}}},
	} {
		text, err := body.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		p := Payload{Salt: sha256.Sum256([]byte("fixed")), Body: text}
		e := Entry{
			Gateway: c.Gateway, Seq: c.Head.Seq + 1, Time: fullReceipt().Time, Kind: KindReceipt,
			Digest: p.Digest(), Prev: c.Head.Hash,
		}
		e.Hash = e.Sum()
		c.Head = Point{e.Seq, e.Hash}
		fmt.Fprintf(&out, "%s\ndigest %s\nhash   %s\n\n", text, e.Digest, e.Hash)
	}
	golden(t, "format.txt", out.String())
}

// TestRoundTrip reads what was written, and nothing that says the same in
// other bytes.
func TestRoundTrip(t *testing.T) {
	for _, r := range []Receipt{fullReceipt(), smallReceipt()} {
		body, err := r.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		got, err := parseReceipt(body)
		if err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(got) != fmt.Sprint(r) {
			t.Errorf("read %+v, want %+v", got, r)
		}
		for _, other := range []string{
			" " + string(body), string(body) + "\n", string(body) + "{}",
			strings.Replace(string(body), `"schema":"consentgate/1"`, `"schema":"consentgate/2"`, 1),
			strings.Replace(string(body), `"site"`, `"sites"`, 1),
			strings.Replace(string(body), `"gpc":`, `"gpc": `, 1),
			strings.Replace(string(body), `numfocus.org`, `numfocus\u002eorg`, 1),
			strings.Replace(string(body), `"purposes":[`, `"purposes":["everything"`, 1),
		} {
			if _, err := parseReceipt([]byte(other)); err == nil {
				t.Errorf("read %s", other)
			}
		}
	}
}

func TestReceiptCheck(t *testing.T) {
	if err := fullReceipt().Check(); err != nil {
		t.Error(err)
	}
	r := fullReceipt()
	r.Record, r.Site, r.Language, r.Revision = "", "a\nb", strings.Repeat("x", 201), "\xff"
	r.Event, r.Method, r.Notice, r.Catalog = "undone", "telepathy", strings.Repeat("A", 64), "b1"
	r.ValidUntil = r.Time.Add(-time.Hour)
	r.Services = []consent.ServiceID{"line\u2028separator"}
	golden(t, "check.txt", r.Check().Error()+"\n")
}

func TestSpans(t *testing.T) {
	for _, c := range []struct{ ids, want string }{
		{"", "[]"},
		{"a5", "[{5 a 5}]"},
		{"a3 a1 a2 a2", "[{1 a 3}]"},
		{"b1 a1 b2 a3", "[{1 a 1} {3 a 3} {1 b 2}]"},
	} {
		var ids []ID
		for _, id := range strings.Fields(c.ids) {
			ids = append(ids, ID{Gateway: id[:1], Seq: uint64(id[1] - '0')})
		}
		if got := fmt.Sprint(Spans(ids)); got != c.want {
			t.Errorf("spans of %s: %s, want %s", c.ids, got, c.want)
		}
	}
}

func TestFirstOutside(t *testing.T) {
	spans := join([]Span{{First: 10, Last: 12}, {First: 3, Last: 4}, {First: 5, Last: 6}, {First: 11, Last: 20}})
	for _, c := range []struct{ first, last, want uint64 }{
		{3, 6, 0}, {4, 5, 0}, {10, 20, 0}, {1, 2, 1}, {2, 4, 2}, {6, 7, 7}, {6, 12, 7}, {9, 9, 9}, {15, 21, 21}, {30, 31, 30},
	} {
		if got := firstOutside(Span{First: c.first, Last: c.last}, spans); got != c.want {
			t.Errorf("%d-%d: %d, want %d", c.first, c.last, got, c.want)
		}
	}
}

func TestConfig(t *testing.T) {
	now := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	for retain, want := range map[string]string{
		"": "2023-11-23", "36 months": "2023-11-23", "3 years": "2023-11-23", "1 year": "2025-11-23",
		"90 days": "2026-08-25", "0 days": "2026-11-23",
	} {
		c := Config{Retain: retain}
		if err := c.Check(); err != nil {
			t.Errorf("%q: %v", retain, err)
		}
		if got := c.Before(now).Format(time.DateOnly); got != want {
			t.Errorf("%q: before %s, want %s", retain, got, want)
		}
	}
	for _, retain := range []string{"36", "months", "-1 days", "3 weeks", "1.5 years", "99999 days", "3  years"} {
		if err := (Config{Retain: retain, Skew: -1}).Check(); len(consent.Mistakes(err)) != 2 {
			t.Errorf("%q: %v", retain, err)
		}
	}
}
