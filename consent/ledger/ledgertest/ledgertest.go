// Package ledgertest is the contract that every ledger must keep, and a ledger
// in memory for the tests of those who write to one.
package ledgertest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/numfocus/consentgate/consent"
	"github.com/numfocus/consentgate/consent/ledger"
)

// Run tests that the stores which open makes keep the contract of
// [ledger.Store]. open returns a new, empty store each time, and sees to
// closing it.
func Run(t *testing.T, open func(testing.TB) ledger.Store) {
	for _, c := range []struct {
		name string
		test func(*testing.T, ledger.Store)
	}{
		{"what was appended is found", appended},
		{"receipts of a record come oldest first", oldestFirst},
		{"an unknown record is not found", unknown},
		{"what is no proof is not stored", noProof},
		{"a receipt from the future is not stored", future},
		{"a caller that gave up has stored nothing", gaveUp},
		{"an erased record is gone and the chain holds", erased},
		{"a purge takes what is out of time, and only that", purged},
		{"counts outlive receipts", counted},
		{"notices are kept whole under their hash", notices},
		{"concurrent grants make one chain without gaps", concurrent},
		{"links from elsewhere are taken once", extended},
		{"links that do not continue their chain are refused", misfits},
		{"an erasure from elsewhere takes effect", obeyed},
		{"counts from elsewhere are raised, not added", raised},
		{"a closed ledger says so", closed},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, open(t)) })
	}
}

func appended(t *testing.T, s ledger.Store) {
	want := Receipt(Record(1))
	want.Signals = consent.Signals{DNT: consent.DNTOn, GPC: true}
	want.OverrodeDNT, want.OverrodeGPC = true, true
	given := want
	given.Time = given.Time.Add(time.Millisecond).In(time.FixedZone("", 3600))
	given.Services = []consent.ServiceID{"youtube", "vimeo", "youtube"}
	must(t, s.Append(t.Context(), given))

	got, err := s.Find(t.Context(), want.Record)
	must(t, err)
	same(t, []ledger.Receipt{want}, got)
	must(t, s.Health(t.Context()))
}

func oldestFirst(t *testing.T, s ledger.Store) {
	given, changed, withdrawn := Receipt(Record(1)), Receipt(Record(1)), Receipt(Record(1))
	changed.Event, changed.Time, changed.Method = ledger.Changed, Time.Add(time.Hour), ledger.ByPlaceholder
	withdrawn.Event, withdrawn.Time, withdrawn.Method = ledger.Withdrawn, Time.Add(2*time.Hour), ledger.BySettings
	withdrawn.Purposes, withdrawn.Services = 0, nil
	for _, r := range []ledger.Receipt{withdrawn, given, changed, Receipt(Record(2))} {
		must(t, s.Append(t.Context(), r))
	}
	got, err := s.Find(t.Context(), Record(1))
	must(t, err)
	same(t, []ledger.Receipt{given.Normal(), changed.Normal(), withdrawn.Normal()}, normal(got))
}

func unknown(t *testing.T, s ledger.Store) {
	must(t, s.Append(t.Context(), Receipt(Record(1))))
	_, err := s.Find(t.Context(), Record(2))
	wantError(t, err, ledger.ErrNotFound)
	wantError(t, s.Erase(t.Context(), Record(2)), ledger.ErrNotFound)
	verify(t, s)
}

func noProof(t *testing.T, s ledger.Store) {
	for _, spoil := range []func(*ledger.Receipt){
		func(r *ledger.Receipt) { r.Record = "" },
		func(r *ledger.Receipt) { r.Event = ledger.Refused },
		func(r *ledger.Receipt) { r.Time = time.Time{} },
		func(r *ledger.Receipt) { r.ValidUntil = r.Time.Add(-time.Hour) },
		func(r *ledger.Receipt) { r.Site = "new\nline" },
		func(r *ledger.Receipt) { r.Notice = "" },
		func(r *ledger.Receipt) { r.Catalog = "ABC" },
		func(r *ledger.Receipt) { r.Method = "telepathy" },
	} {
		r := Receipt(Record(1))
		spoil(&r)
		if err := s.Append(t.Context(), r); err == nil {
			t.Errorf("appended %+v", r)
		}
	}
	if n := len(links(t, s)); n != 0 {
		t.Errorf("%d links in the ledger", n)
	}
}

func future(t *testing.T, s ledger.Store) {
	r := Receipt(Record(1))
	r.Time = time.Now().Add(ledger.DefaultSkew + time.Minute)
	r.ValidUntil = r.Time.AddDate(0, 6, 0)
	wantError(t, s.Append(t.Context(), r), ledger.ErrFuture)

	r.Time = time.Now().Add(ledger.DefaultSkew / 2)
	must(t, s.Append(t.Context(), r))
}

func gaveUp(t *testing.T, s ledger.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	wantError(t, s.Append(ctx, Receipt(Record(1))), context.Canceled)
	_, err := s.Find(t.Context(), Record(1))
	wantError(t, err, ledger.ErrNotFound)
}

func erased(t *testing.T, s ledger.Store) {
	for i := range 4 {
		must(t, s.Append(t.Context(), Receipt(Record(i%2))))
	}
	must(t, s.Erase(t.Context(), Record(0)))

	_, err := s.Find(t.Context(), Record(0))
	wantError(t, err, ledger.ErrNotFound)
	wantError(t, s.Erase(t.Context(), Record(0)), ledger.ErrNotFound)
	kept, err := s.Find(t.Context(), Record(1))
	must(t, err)
	if len(kept) != 2 {
		t.Errorf("%d receipts of the other record, want 2", len(kept))
	}
	if r := verify(t, s); r.Receipts != 2 || r.Erased != 2 || r.Entries != 5 {
		t.Errorf("report %+v, want 2 receipts and 2 erased in 5 entries", r)
	}
}

func purged(t *testing.T, s ledger.Store) {
	for i := range 10 {
		r := Receipt(Record(i))
		r.ValidUntil = Time.AddDate(0, 0, i)
		must(t, s.Append(t.Context(), r))
	}
	n, err := s.Purge(t.Context(), Time.AddDate(0, 0, 4))
	must(t, err)
	if n != 4 {
		t.Errorf("purged %d, want 4", n)
	}
	for i := range 10 {
		_, err := s.Find(t.Context(), Record(i))
		if gone := errors.Is(err, ledger.ErrNotFound); gone != (i < 4) {
			t.Errorf("record %d: %v", i, err)
		}
	}
	verify(t, s)
	n, err = s.Purge(t.Context(), Time.AddDate(0, 0, 4))
	must(t, err)
	if n != 0 {
		t.Errorf("purged %d again", n)
	}
}

func counted(t *testing.T, s ledger.Store) {
	must(t, s.Append(t.Context(), Receipt(Record(1))))
	must(t, s.Append(t.Context(), Receipt(Record(2))))
	for range 3 {
		must(t, s.Refuse(t.Context(), ledger.Refusal{
			Time: Time, Site: "numfocus.org", Language: "en", Method: ledger.ByBanner, Signals: consent.Signals{GPC: true},
		}))
	}
	if err := s.Refuse(t.Context(), ledger.Refusal{}); err == nil {
		t.Error("counted the refusal of nothing")
	}
	want := map[string]int64{
		"2024-05-06 numfocus.org en given banner none ":           2,
		"2024-05-06 numfocus.org en given banner none statistics": 2,
		"2024-05-06 numfocus.org en refused banner gpc ":          3,
	}
	same(t, want, counts(t, s))

	must(t, s.Erase(t.Context(), Record(1)))
	_, err := s.Purge(t.Context(), Time.AddDate(100, 0, 0))
	must(t, err)
	same(t, want, counts(t, s))
}

func notices(t *testing.T, s ledger.Store) {
	n := Notice()
	other := ledger.NewNotice("2024-05-01", "fr", nil)
	for _, n := range []ledger.Notice{n, other, n} {
		must(t, s.PutNotice(t.Context(), n))
	}
	lie := n
	lie.Body = []byte("something else")
	if err := s.PutNotice(t.Context(), lie); err == nil {
		t.Error("kept a notice under the hash of another")
	}
	var got []string
	must(t, s.Notices(t.Context(), func(n ledger.Notice) error {
		got = append(got, fmt.Sprint(n.Hash, n.Revision, n.Language, string(n.Body)))
		return n.Check()
	}))
	want := []string{
		fmt.Sprint(n.Hash, n.Revision, n.Language, string(n.Body)),
		fmt.Sprint(other.Hash, other.Revision, other.Language, ""),
	}
	slices.Sort(want)
	same(t, want, got)
}

func concurrent(t *testing.T, s ledger.Store) {
	const clients, each = 16, 20
	must(t, s.PutNotice(t.Context(), Notice()))
	var all sync.WaitGroup
	for c := range clients {
		all.Go(func() {
			for i := range each {
				if err := s.Append(t.Context(), Receipt(Record(c*each+i))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	for i := range clients * each {
		if _, err := s.Find(t.Context(), Record(i)); err != nil {
			t.Error(err)
		}
	}
	r := verify(t, s)
	if r.Entries != clients*each || len(r.Chains) != 1 || r.Unkept != 0 {
		t.Errorf("report %+v, want %d entries of one chain, and their notice", r, clients*each)
	}
}

func closed(t *testing.T, s ledger.Store) {
	must(t, s.Close())
	wantError(t, s.Append(t.Context(), Receipt(Record(1))), ledger.ErrClosed)
	wantError(t, s.Refuse(t.Context(), ledger.Refusal{Time: Time, Site: "a", Language: "en", Method: ledger.ByBanner}), ledger.ErrClosed)
	_, err := s.Find(t.Context(), Record(1))
	wantError(t, err, ledger.ErrClosed)
	wantError(t, s.Health(t.Context()), ledger.ErrClosed)
	must(t, s.Close())
}

func verify(t *testing.T, s ledger.Store) ledger.Report {
	t.Helper()
	r, err := ledger.Verify(t.Context(), s, ledger.Check{})
	must(t, err)
	return r
}

func links(t *testing.T, s ledger.Store) []ledger.Link {
	t.Helper()
	chains, err := s.Chains(t.Context())
	must(t, err)
	var all []ledger.Link
	for _, c := range chains {
		must(t, s.Walk(t.Context(), c.Gateway, 0, func(l ledger.Link) error {
			all = append(all, l)
			return nil
		}))
	}
	return all
}

func counts(t *testing.T, s ledger.Store) map[string]int64 {
	t.Helper()
	got := map[string]int64{}
	must(t, s.Counts(t.Context(), func(c ledger.Count) error {
		got[fmt.Sprintln(c.Day, c.Site, c.Language, c.Event, c.Method, c.Signal, c.Purpose)] += c.N
		return nil
	}))
	trimmed := map[string]int64{}
	for k, n := range got {
		trimmed[k[:len(k)-1]] = n
	}
	return trimmed
}

func normal(rs []ledger.Receipt) []ledger.Receipt {
	for i := range rs {
		rs[i] = rs[i].Normal()
	}
	return rs
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantError(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("error %v, want %v", err, want)
	}
}

func same(t testing.TB, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want - got +:\n%s", diff)
	}
}
