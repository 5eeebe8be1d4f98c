package ledger_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/numfocus/consentgate/consent/ledger"
	"github.com/numfocus/consentgate/consent/ledger/ledgertest"
)

// A forged ledger shows links that somebody had their hands on.
type forged struct {
	*ledgertest.Memory
	chains []ledger.Chain
	links  map[string][]ledger.Link
}

func (f *forged) Chains(context.Context) ([]ledger.Chain, error) { return f.chains, nil }

func (f *forged) Walk(_ context.Context, gateway string, after uint64, visit func(ledger.Link) error) error {
	for _, l := range f.links[gateway] {
		if l.Seq <= after {
			continue
		}
		if err := visit(l); err != nil {
			return err
		}
	}
	return nil
}

// A trick changes one chain. It reports whether it could.
type trick func(r *rand.Rand, links []ledger.Link) ([]ledger.Link, bool)

func tricks() map[string]trick {
	one := func(change func(*rand.Rand, *ledger.Link)) trick {
		return func(r *rand.Rand, links []ledger.Link) ([]ledger.Link, bool) {
			change(r, &links[r.IntN(len(links))])
			return links, true
		}
	}
	bit := func(r *rand.Rand, d *ledger.Digest) { d[r.IntN(len(d))] ^= 1 << r.IntN(8) }
	return map[string]trick{
		"change the hash":    one(func(r *rand.Rand, l *ledger.Link) { bit(r, &l.Hash) }),
		"change the link":    one(func(r *rand.Rand, l *ledger.Link) { bit(r, &l.Prev) }),
		"change the digest":  one(func(r *rand.Rand, l *ledger.Link) { bit(r, &l.Digest) }),
		"change the time":    one(func(r *rand.Rand, l *ledger.Link) { l.Time = l.Time.Add(time.Duration(1+r.IntN(9)) * time.Hour) }),
		"change the number":  one(func(r *rand.Rand, l *ledger.Link) { l.Seq += 1 + uint64(r.IntN(3)) }),
		"change the gateway": one(func(_ *rand.Rand, l *ledger.Link) { l.Gateway += "x" }),
		"change the kind": one(func(_ *rand.Rand, l *ledger.Link) {
			l.Kind = map[ledger.Kind]ledger.Kind{ledger.KindReceipt: ledger.KindErasure, ledger.KindErasure: ledger.KindReceipt}[l.Kind]
		}),
		"change the body": withPayload(func(r *rand.Rand, l *ledger.Link) { l.Payload.Body[r.IntN(len(l.Payload.Body))] ^= 1 << r.IntN(8) }),
		"change the salt": withPayload(func(r *rand.Rand, l *ledger.Link) { l.Payload.Salt[r.IntN(32)] ^= 1 << r.IntN(8) }),
		"take a payload":  withPayload(func(_ *rand.Rand, l *ledger.Link) { l.Payload = nil }),
		"rewrite a receipt, hashes and all": withPayload(func(_ *rand.Rand, l *ledger.Link) {
			l.Payload.Body = bytes.Replace(l.Payload.Body, []byte(`"statistics"`), []byte(`"marketing"`), 1)
			l.Payload.Salt[0]++
			l.Digest = l.Payload.Digest()
			l.Hash = l.Sum()
		}),
		"drop a record": func(r *rand.Rand, links []ledger.Link) ([]ledger.Link, bool) {
			i := r.IntN(len(links))
			return slices.Delete(links, i, i+1), true
		},
		"cut the end": func(r *rand.Rand, links []ledger.Link) ([]ledger.Link, bool) {
			return links[:r.IntN(len(links))], true
		},
		"swap two records": func(r *rand.Rand, links []ledger.Link) ([]ledger.Link, bool) {
			i, j := r.IntN(len(links)), r.IntN(len(links))
			links[i], links[j] = links[j], links[i]
			return links, i != j
		},
		"swap two records, numbers kept": func(r *rand.Rand, links []ledger.Link) ([]ledger.Link, bool) {
			i, j := r.IntN(len(links)), r.IntN(len(links))
			links[i], links[j] = links[j], links[i]
			links[i].Seq, links[j].Seq = links[j].Seq, links[i].Seq
			return links, i != j
		},
		"swap two payloads": func(r *rand.Rand, links []ledger.Link) ([]ledger.Link, bool) {
			i, j := r.IntN(len(links)), r.IntN(len(links))
			links[i].Payload, links[j].Payload = links[j].Payload, links[i].Payload
			return links, links[i].Payload != links[j].Payload
		},
		"repeat a record": func(r *rand.Rand, links []ledger.Link) ([]ledger.Link, bool) {
			i := r.IntN(len(links))
			return slices.Insert(links, i, links[i]), true
		},
		"insert a record": func(r *rand.Rand, links []ledger.Link) ([]ledger.Link, bool) {
			i := r.IntN(len(links))
			c := ledger.Chain{Gateway: links[i].Gateway, Head: ledger.Point{Seq: links[i].Seq - 1, Hash: links[i].Prev}}
			l, err := c.AppendReceipt(ledgertest.Receipt("forged"))
			return slices.Insert(links, i, l), err == nil
		},
		"add a record at the end": func(r *rand.Rand, links []ledger.Link) ([]ledger.Link, bool) {
			last := links[len(links)-1]
			c := ledger.Chain{Gateway: last.Gateway, Head: ledger.Point{Seq: last.Seq, Hash: last.Hash}}
			l, err := c.AppendReceipt(ledgertest.Receipt("forged"))
			links[len(links)-1] = l // in place of the last
			links[len(links)-1].Seq = last.Seq
			return links, err == nil
		},
	}
}

// withPayload changes a link that still has one.
func withPayload(change func(*rand.Rand, *ledger.Link)) trick {
	return func(r *rand.Rand, links []ledger.Link) ([]ledger.Link, bool) {
		i := r.IntN(len(links))
		if links[i].Payload == nil {
			return links, false
		}
		p := *links[i].Payload
		p.Body = bytes.Clone(p.Body)
		links[i].Payload = &p
		change(r, &links[i])
		return links, true
	}
}

// TestTampering plays every trick on many ledgers: Verify finds each, and none
// in a ledger that was left alone.
func TestTampering(t *testing.T) {
	for name, play := range tricks() {
		t.Run(name, func(t *testing.T) {
			played := 0
			for seed := range uint64(30) {
				r := rand.New(rand.NewPCG(seed, 1))
				f := random(t, r)
				if _, err := ledger.Verify(t.Context(), f, ledger.Check{}); err != nil {
					t.Fatalf("seed %d: a ledger that was left alone: %v", seed, err)
				}
				gateway := f.chains[r.IntN(len(f.chains))].Gateway
				before := slices.Clone(f.links[gateway])
				after, ok := play(r, slices.Clone(before))
				if !ok || reflect.DeepEqual(before, after) {
					continue
				}
				played++
				f.links[gateway] = after
				var broken *ledger.Broken
				if _, err := ledger.Verify(t.Context(), f, ledger.Check{}); !errors.As(err, &broken) {
					t.Errorf("seed %d: not found: %v", seed, err)
				} else if broken.Gateway != gateway || broken.Seq == 0 {
					t.Errorf("seed %d: found in the wrong place: %v", seed, broken)
				}
			}
			if played < 10 {
				t.Errorf("played only %d times: this showed little", played)
			}
		})
	}
}

// random makes a ledger of two gateways with some records erased.
func random(t *testing.T, r *rand.Rand) *forged {
	t.Helper()
	m, other := ledgertest.New(), ledgertest.New()
	for i := range 8 + r.IntN(8) {
		for _, s := range []ledger.Store{m, other} {
			must(t, s.Append(t.Context(), ledgertest.Receipt(ledgertest.Record(i))))
		}
	}
	copyLinks(t, m, other)
	for range r.IntN(4) {
		if err := m.Erase(t.Context(), ledgertest.Record(r.IntN(8))); err != nil && !errors.Is(err, ledger.ErrNotFound) {
			t.Fatal(err)
		}
	}
	must(t, m.Append(t.Context(), ledgertest.Receipt("last")))
	chains, err := m.Chains(t.Context())
	must(t, err)
	return &forged{m, chains, all(t, m)}
}

func all(t *testing.T, s ledger.Store) map[string][]ledger.Link {
	t.Helper()
	chains, err := s.Chains(t.Context())
	must(t, err)
	links := map[string][]ledger.Link{}
	for _, c := range chains {
		must(t, s.Walk(t.Context(), c.Gateway, 0, func(l ledger.Link) error {
			links[c.Gateway] = append(links[c.Gateway], l)
			return nil
		}))
	}
	return links
}

func copyLinks(t *testing.T, to, from ledger.Store) {
	t.Helper()
	for _, links := range all(t, from) {
		must(t, to.Extend(t.Context(), links))
	}
}

// TestAnchor rewrites a whole chain, heads and all: only who noted an earlier
// head can tell.
func TestAnchor(t *testing.T) {
	s, rewritten := ledgertest.New(), ledgertest.New()
	for i := range 5 {
		must(t, s.Append(t.Context(), ledgertest.Receipt(ledgertest.Record(i))))
	}
	r, err := ledger.Verify(t.Context(), s, ledger.Check{})
	must(t, err)
	noted := map[string]ledger.Point{r.Chains[0].Gateway: r.Chains[0].Head}
	must(t, s.Append(t.Context(), ledgertest.Receipt("later")))
	_, err = ledger.Verify(t.Context(), s, ledger.Check{Anchors: noted})
	must(t, err)

	for _, forged := range []ledger.Chain{{Gateway: r.Chains[0].Gateway}, {Gateway: "g-other"}} {
		for i := range 3 {
			l, err := forged.AppendReceipt(ledgertest.Receipt(ledgertest.Record(i)))
			must(t, err)
			must(t, rewritten.Extend(t.Context(), []ledger.Link{l}))
		}
		if _, err := ledger.Verify(t.Context(), rewritten, ledger.Check{}); err != nil {
			t.Fatalf("the forgery is not even good: %v", err)
		}
		var broken *ledger.Broken
		if _, err := ledger.Verify(t.Context(), rewritten, ledger.Check{Anchors: noted}); !errors.As(err, &broken) {
			t.Errorf("a rewritten chain passes: %v", err)
		}
		rewritten = ledgertest.New()
	}
}

// TestExportImport moves a ledger into another and gets the same out of it.
func TestExportImport(t *testing.T) {
	s := ledgertest.New()
	must(t, s.PutNotice(t.Context(), ledgertest.Notice()))
	for i := range 1200 {
		r := ledgertest.Receipt(ledgertest.Record(i))
		r.Revision = `<b> & "é"`
		must(t, s.Append(t.Context(), r))
	}
	must(t, s.Refuse(t.Context(), ledger.Refusal{Time: ledgertest.Time, Site: "=1+1", Language: "en", Method: ledger.ByBanner}))
	must(t, s.Erase(t.Context(), ledgertest.Record(7)))
	first := export(t, s)

	into := ledgertest.New()
	for range 2 { // the second time everything is there
		done, err := ledger.Import(t.Context(), into, strings.NewReader(first))
		must(t, err)
		if done != (ledger.Imported{Notices: 1, Entries: 1201, Counts: 3}) {
			t.Errorf("imported %+v", done)
		}
	}
	if second := export(t, into); second != first {
		t.Error("the import exports something else")
	}
	if r, err := ledger.Verify(t.Context(), into, ledger.Check{}); err != nil || r.Receipts != 1199 {
		t.Errorf("verify: %v, %+v", err, r)
	}

	lines := strings.SplitAfter(first, "\n")
	for name, text := range map[string]string{
		"cut":           strings.Join(lines[:len(lines)-2], ""),
		"half a line":   first[:len(first)/2],
		"a line less":   strings.Join(slices.Delete(slices.Clone(lines), 500, 501), ""),
		"changed":       strings.Replace(first, `"statistics"`, `"marketing"`, 1),
		"another thing": `{"wp_posts":1}`,
		"empty":         "",
	} {
		if _, err := ledger.Import(t.Context(), ledgertest.New(), strings.NewReader(text)); err == nil {
			t.Errorf("imported an export that is %s", name)
		}
	}
}

func export(t *testing.T, s ledger.Store) string {
	t.Helper()
	var b strings.Builder
	must(t, ledger.Export(t.Context(), s, &b))
	return b.String()
}

func TestCSVAndStats(t *testing.T) {
	s := ledgertest.New()
	for i := range 3 {
		must(t, s.Append(t.Context(), ledgertest.Receipt(ledgertest.Record(i))))
	}
	must(t, s.Refuse(t.Context(), ledger.Refusal{Time: ledgertest.Time, Site: "numfocus.org", Language: "en", Method: ledger.ByBanner}))
	later := ledgertest.Receipt(ledgertest.Record(0))
	later.Event, later.Time, later.Purposes = ledger.Withdrawn, ledgertest.Time.AddDate(0, 0, 9), 0
	must(t, s.Append(t.Context(), later))

	var csv strings.Builder
	must(t, ledger.ExportCSV(t.Context(), s, &csv))
	if n := strings.Count(csv.String(), "\n"); n != 5 {
		t.Errorf("%d lines of CSV, want 5:\n%s", n, csv.String())
	}
	for by, want := range map[ledger.By]string{
		ledger.ByDay:   "2024-05-06 4 1 75.0 0; 2024-05-15 0 0 0.0 1; ",
		ledger.ByMonth: "2024-05 4 1 75.0 1; ", ledger.ByYear: "2024 4 1 75.0 1; ",
	} {
		stats, err := ledger.Summarize(t.Context(), s, by)
		must(t, err)
		got := ""
		for _, s := range stats {
			got += fmt.Sprintf("%s %d %d %.1f %d; ", s.Period, s.Answers(), s.Refused, s.Rate("statistics"), s.Withdrawn)
		}
		if got != want {
			t.Errorf("by %s: %s, want %s", by, got, want)
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
