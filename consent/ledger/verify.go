package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// A Broken is the first record of a ledger that is not what was written.
type Broken struct {
	Gateway string
	Seq     uint64 // 0: the chain as a whole
	Record  string // id, where the record still tells it
	Problem string
}

func (b *Broken) Error() string {
	s := fmt.Sprintf("chain of %s is broken at entry %d", b.Gateway, b.Seq)
	if b.Record != "" {
		s += " (record " + b.Record + ")"
	}
	return s + ": " + b.Problem
}

// A Report says what Verify went through.
type Report struct {
	Chains   []Chain
	Entries  uint64
	Receipts uint64 // whose payload is there
	Erased   uint64 // whose payload was erased, as erasures confirm
	Notices  uint64
	Unkept   uint64 // receipts whose notice is not kept; possible only for what was imported
}

// A Check is what Verify can be told. The zero value checks everything there is.
type Check struct {
	// Anchors are heads that earlier reports gave, by gateway: chains have to
	// lead through them.
	Anchors map[string]Point
	// Progress, if not nil, is called now and then with the number of entries
	// checked and to check.
	Progress func(done, all uint64)
}

// Verify checks every chain of s from its base to its head. It returns a
// *Broken for the first record that is not what was written, and other errors
// where s could not be read. It may run while s is in use. What it holds in
// memory grows with the number of erased records that are not next to each
// other, not with the ledger.
func Verify(ctx context.Context, s Store, check Check) (Report, error) {
	chains, err := s.Chains(ctx)
	if err != nil {
		return Report{}, fmt.Errorf("verify ledger: %w", err)
	}
	v := &verifier{check: check, notices: map[string]bool{}, missing: map[string][]Span{}, erased: map[string][]Span{}}
	for _, c := range chains {
		v.all += c.Head.Seq - c.Base.Seq
	}
	if err := v.verify(ctx, s, chains); err != nil {
		var broken *Broken
		if errors.As(err, &broken) {
			return v.report, broken
		}
		return v.report, fmt.Errorf("verify ledger: %w", err)
	}
	return v.report, nil
}

type verifier struct {
	check   Check
	report  Report
	all     uint64
	notices map[string]bool
	missing map[string][]Span // payloads that are not there, by gateway
	erased  map[string][]Span // payloads that erasures name, by gateway
}

func (v *verifier) verify(ctx context.Context, s Store, chains []Chain) error {
	if err := s.Notices(ctx, v.notice); err != nil {
		return err
	}
	for _, c := range chains {
		if err := v.chain(ctx, s, c); err != nil {
			return err
		}
	}
	for gateway := range v.check.Anchors {
		if !slices.ContainsFunc(chains, func(c Chain) bool { return c.Gateway == gateway }) {
			return &Broken{Gateway: gateway, Problem: "the chain is gone"}
		}
	}
	return v.settle(ctx, s)
}

func (v *verifier) notice(n Notice) error {
	if err := n.Check(); err != nil {
		return &Broken{Gateway: "notices", Problem: "notice was changed: " + err.Error()}
	}
	v.notices[n.Hash] = true
	v.report.Notices++
	return nil
}

// chain checks one chain up to the head that it had at first: what is appended
// meanwhile is for the next time.
func (v *verifier) chain(ctx context.Context, s Store, want Chain) error {
	at := Chain{Gateway: want.Gateway, Base: want.Base, Head: want.Base}
	err := s.Walk(ctx, want.Gateway, want.Base.Seq, func(l Link) error {
		if l.Seq > want.Head.Seq && at.Head == want.Head {
			return errEnough
		}
		return v.link(&at, l)
	})
	if err != nil && !errors.Is(err, errEnough) {
		return err
	}
	if at.Head != want.Head {
		return &Broken{Gateway: want.Gateway, Seq: at.Head.Seq + 1, Problem: fmt.Sprintf(
			"the chain should go on to entry %d", want.Head.Seq)}
	}
	if anchor, ok := v.check.Anchors[want.Gateway]; ok && anchor.Seq > at.Head.Seq {
		return &Broken{Gateway: want.Gateway, Seq: anchor.Seq, Problem: "the entry of the anchor is gone"}
	}
	v.report.Chains = append(v.report.Chains, at)
	return nil
}

var errEnough = errors.New("enough")

const progressEvery = 1000 // entries

func (v *verifier) link(at *Chain, l Link) error {
	should := at.Head.Seq + 1
	body, err := at.extend(l)
	if err != nil {
		return brokenAt(at.Gateway, should, l, err.Error())
	}
	if anchor, ok := v.check.Anchors[l.Gateway]; ok && anchor.Seq == l.Seq && anchor.Hash != l.Hash {
		return brokenAt(at.Gateway, should, l, "the chain does not lead through the anchor: it was rewritten")
	}
	v.note(l, body)
	v.report.Entries++
	if v.check.Progress != nil && (v.report.Entries%progressEvery == 0 || v.report.Entries == v.all) {
		v.check.Progress(v.report.Entries, v.all)
	}
	return nil
}

func brokenAt(gateway string, seq uint64, l Link, problem string) *Broken {
	b := &Broken{Gateway: gateway, Seq: seq, Problem: problem}
	if r, ok, err := l.Receipt(); ok && err == nil {
		b.Record = r.Record
	}
	return b
}

// note remembers what erasures and missing payloads there are. l is in order.
func (v *verifier) note(l Link, body said) {
	switch {
	case body.erasure != nil:
		v.erase(*body.erasure)
	case body.receipt != nil:
		v.report.Receipts++
		if !v.notices[body.receipt.Notice] {
			v.report.Unkept++
		}
	default:
		v.missing[l.Gateway] = widen(v.missing[l.Gateway], l.Seq)
		v.report.Erased++
	}
}

func (v *verifier) erase(e Erasure) {
	for _, s := range e.Spans {
		v.erased[s.Gateway] = append(v.erased[s.Gateway], s)
	}
}

// widen adds the next sequence number to spans that are in order.
func widen(spans []Span, seq uint64) []Span {
	if last := len(spans) - 1; last >= 0 && spans[last].Last+1 == seq {
		spans[last].Last = seq
		return spans
	}
	return append(spans, Span{First: seq, Last: seq})
}

// settle checks that an erasure names every payload that is missing. Some of
// them may have been erased after their erasure's chain had been walked.
func (v *verifier) settle(ctx context.Context, s Store) error {
	if len(v.missing) == 0 {
		return nil
	}
	if _, ok := v.unexplained(); ok {
		if err := v.catchUp(ctx, s); err != nil {
			return err
		}
	}
	if id, ok := v.unexplained(); ok {
		return &Broken{Gateway: id.Gateway, Seq: id.Seq, Problem: "payload is missing, and no erasure names it"}
	}
	return nil
}

func (v *verifier) catchUp(ctx context.Context, s Store) error {
	chains, err := s.Chains(ctx)
	if err != nil {
		return err
	}
	for _, c := range chains {
		err := s.Walk(ctx, c.Gateway, v.walked(c.Gateway), func(l Link) error {
			if e, ok, err := l.Erasure(); ok && err == nil && l.check() == nil {
				v.erase(e)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (v *verifier) walked(gateway string) uint64 {
	for _, c := range v.report.Chains {
		if c.Gateway == gateway {
			return c.Head.Seq
		}
	}
	return 0
}

// unexplained returns the first missing payload that no erasure names.
func (v *verifier) unexplained() (ID, bool) {
	for _, c := range v.report.Chains {
		erased := join(v.erased[c.Gateway])
		for _, m := range v.missing[c.Gateway] {
			if seq := firstOutside(m, erased); seq != 0 {
				return ID{Gateway: c.Gateway, Seq: seq}, true
			}
		}
	}
	return ID{}, false
}

// join sorts spans of one gateway and melts those that touch.
func join(spans []Span) []Span {
	slices.SortFunc(spans, func(a, b Span) int {
		return ID{Seq: a.First}.Compare(ID{Seq: b.First})
	})
	var joined []Span
	for _, s := range spans {
		last := len(joined) - 1
		if last >= 0 && s.First <= joined[last].Last+1 {
			joined[last].Last = max(joined[last].Last, s.Last)
			continue
		}
		joined = append(joined, s)
	}
	return joined
}

// firstOutside returns the first number of m that is in none of spans, which
// are joined, or 0.
func firstOutside(m Span, spans []Span) uint64 {
	i, _ := slices.BinarySearchFunc(spans, m.First, func(s Span, seq uint64) int {
		return ID{Seq: s.Last}.Compare(ID{Seq: seq})
	})
	switch {
	case i == len(spans) || spans[i].First > m.First:
		return m.First
	case spans[i].Last < m.Last:
		return spans[i].Last + 1
	}
	return 0
}
