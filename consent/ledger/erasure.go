package ledger

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
)

// A Reason says why payloads were erased.
type Reason string

const (
	OnRequest Reason = "request"   // by the visitor, or for the visitor
	OutOfTime Reason = "retention" // kept for as long as it had to be
)

// A Span names consecutive entries of a chain, First and Last included. It
// takes the receipts among them; an erasure between them stays.
type Span struct {
	First   uint64 `json:"first"`
	Gateway string `json:"gateway"`
	Last    uint64 `json:"last"`
}

// An Erasure names the entries whose payloads were removed. Its JSON is in the
// canonical form that the package comment describes.
type Erasure struct {
	Reason Reason
	Spans  []Span
}

// An ID names one entry of all chains.
type ID struct {
	Gateway string
	Seq     uint64
}

// Compare orders by gateway, then by sequence number.
func (id ID) Compare(other ID) int {
	return cmp.Or(cmp.Compare(id.Gateway, other.Gateway), cmp.Compare(id.Seq, other.Seq))
}

// Spans gives the fewest spans that name exactly ids. It sorts ids.
func Spans(ids []ID) []Span {
	slices.SortFunc(ids, ID.Compare)
	var spans []Span
	for _, id := range ids {
		last := len(spans) - 1
		if last >= 0 && spans[last].Gateway == id.Gateway && id.Seq <= spans[last].Last+1 {
			spans[last].Last = id.Seq
			continue
		}
		spans = append(spans, Span{Gateway: id.Gateway, First: id.Seq, Last: id.Seq})
	}
	return spans
}

type wireErasure struct {
	Reason Reason `json:"reason"`
	Schema string `json:"schema"`
	Spans  []Span `json:"spans"`
}

// MarshalJSON gives the canonical form.
func (e Erasure) MarshalJSON() ([]byte, error) {
	return canonical(wireErasure{Reason: e.Reason, Schema: Schema, Spans: e.Spans})
}

// UnmarshalJSON reads what MarshalJSON gives, strictly.
func (e *Erasure) UnmarshalJSON(data []byte) error {
	var w wireErasure
	if err := strict(data, &w); err != nil {
		return fmt.Errorf("read erasure: %w", err)
	}
	if w.Schema != Schema {
		return fmt.Errorf("read erasure: schema %q is not %s", w.Schema, Schema)
	}
	*e = Erasure{Reason: w.Reason, Spans: w.Spans}
	return nil
}

func parseErasure(body []byte) (Erasure, error) {
	var e Erasure
	if err := e.UnmarshalJSON(body); err != nil {
		return Erasure{}, err
	}
	if err := e.check(); err != nil {
		return Erasure{}, fmt.Errorf("check erasure: %w", err)
	}
	return e, sameBytes(body, e)
}

func (e Erasure) check() error {
	if e.Reason != OnRequest && e.Reason != OutOfTime {
		return fmt.Errorf("reason %q is not request or retention", e.Reason)
	}
	if len(e.Spans) == 0 {
		return errors.New("names nothing")
	}
	for _, s := range e.Spans {
		if err := checkText("gateway", s.Gateway); err != nil {
			return err
		}
		if s.First == 0 || s.Last < s.First || s.Last > math.MaxInt64 {
			return fmt.Errorf("%d to %d is not a span", s.First, s.Last)
		}
	}
	return nil
}
