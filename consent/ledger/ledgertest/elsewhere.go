package ledgertest

import (
	"testing"

	"github.com/numfocus/consentgate/consent/ledger"
)

// elsewhere makes a chain of n receipts that another gateway wrote.
func elsewhere(t testing.TB, n int) []ledger.Link {
	t.Helper()
	c := ledger.Chain{Gateway: "g-elsewhere"}
	var made []ledger.Link
	for i := range n {
		l, err := c.AppendReceipt(Receipt(Record(1000 + i)))
		must(t, err)
		made = append(made, l)
	}
	return made
}

func extended(t *testing.T, s ledger.Store) {
	made := elsewhere(t, 10)
	must(t, s.Append(t.Context(), Receipt(Record(1))))
	must(t, s.Extend(t.Context(), nil))
	for _, part := range [][]ledger.Link{made[:4], made[:4], made[2:7], made, made[:1]} {
		must(t, s.Extend(t.Context(), part))
	}
	found, err := s.Find(t.Context(), Record(1009))
	must(t, err)
	if len(found) != 1 {
		t.Errorf("found %d receipts, want 1", len(found))
	}
	if r := verify(t, s); r.Entries != 11 || len(r.Chains) != 2 {
		t.Errorf("report %+v, want 11 entries in 2 chains", r)
	}
	var got []ledger.Link
	must(t, s.Walk(t.Context(), "g-elsewhere", 3, func(l ledger.Link) error {
		got = append(got, l)
		return nil
	}))
	same(t, made[3:], got)
}

func misfits(t *testing.T, s ledger.Store) {
	made, fork := elsewhere(t, 5), elsewhere(t, 6)
	must(t, s.Extend(t.Context(), made[:3]))
	wantError(t, s.Extend(t.Context(), made[4:]), ledger.ErrGap)
	wantError(t, s.Extend(t.Context(), fork[:2]), ledger.ErrFork)
	wantError(t, s.Extend(t.Context(), fork[3:]), ledger.ErrFork)

	changed := made[3]
	changed.Kind = ledger.KindErasure
	if err := s.Extend(t.Context(), []ledger.Link{changed}); err == nil {
		t.Error("took a changed entry")
	}
	changed = made[4]
	payload := *changed.Payload
	payload.Body = append([]byte(" "), payload.Body...)
	changed.Payload = &payload
	if err := s.Extend(t.Context(), []ledger.Link{made[3], changed}); err == nil {
		t.Error("took a changed payload")
	}
	if r := verify(t, s); r.Entries != 3 {
		t.Errorf("%d entries, want the 3 that fit", r.Entries)
	}
}

func obeyed(t *testing.T, s ledger.Store) {
	must(t, s.Append(t.Context(), Receipt(Record(1))))
	chains, err := s.Chains(t.Context())
	must(t, err)
	other := ledger.Chain{Gateway: "g-other"}
	l, err := other.AppendErasure(ledger.Erasure{
		Reason: ledger.OnRequest, Spans: []ledger.Span{{Gateway: chains[0].Gateway, First: 1, Last: 1}},
	}, Time)
	must(t, err)
	must(t, s.Extend(t.Context(), []ledger.Link{l}))
	_, err = s.Find(t.Context(), Record(1))
	wantError(t, err, ledger.ErrNotFound)
	if r := verify(t, s); r.Erased != 1 {
		t.Errorf("report %+v, want 1 erased", r)
	}
}

func raised(t *testing.T, s ledger.Store) {
	key := ledger.Refusal{Time: Time, Site: "numfocus.org", Language: "en", Method: ledger.ByBanner}.Key("g-elsewhere")
	for _, n := range []int64{3, 7, 5} {
		must(t, s.PutCounts(t.Context(), []ledger.Count{{CountKey: key, N: n}}))
	}
	same(t, map[string]int64{"2024-05-06 numfocus.org en refused banner none ": 7}, counts(t, s))
}
