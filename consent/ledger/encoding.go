package ledger

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/numfocus/consentgate/consent"
)

// Schema names the version of the records' form.
const Schema = "consentgate/1"

// wireReceipt has its fields in the order of their keys, as RFC 8785 wants.
type wireReceipt struct {
	Catalog    string              `json:"catalog_sha256"`
	Event      Event               `json:"event"`
	Language   string              `json:"language"`
	Method     Method              `json:"method"`
	Revision   string              `json:"notice_revision"`
	Notice     string              `json:"notice_sha256"`
	Override   wireOverride        `json:"override"`
	Purposes   []consent.Purpose   `json:"purposes"`
	Record     string              `json:"record_id"`
	Schema     string              `json:"schema"`
	Services   []consent.ServiceID `json:"services"`
	Signals    wireSignals         `json:"signals"`
	Site       string              `json:"site"`
	Time       time.Time           `json:"time"`
	ValidUntil time.Time           `json:"valid_until"`
}

type wireOverride struct {
	DNT bool `json:"dnt"`
	GPC bool `json:"gpc"`
}

type wireSignals struct {
	DNT string `json:"dnt"` // "1", "0" or, where none was sent, ""
	GPC bool   `json:"gpc"`
}

// MarshalJSON gives the canonical form.
func (r Receipt) MarshalJSON() ([]byte, error) {
	r = r.Normal()
	w := wireReceipt{
		Catalog: r.Catalog, Event: r.Event, Language: r.Language, Method: r.Method,
		Revision: r.Revision, Notice: r.Notice,
		Override: wireOverride{DNT: r.OverrodeDNT, GPC: r.OverrodeGPC},
		Purposes: r.Purposes.List(), Record: r.Record, Schema: Schema, Services: r.Services,
		Signals: wireSignals{GPC: r.Signals.GPC},
		Site:    r.Site, Time: r.Time, ValidUntil: r.ValidUntil,
	}
	if w.Services == nil {
		w.Services = []consent.ServiceID{}
	}
	if r.Signals.DNT != consent.DNTUnset {
		w.Signals.DNT = string(rune(r.Signals.DNT))
	}
	return canonical(w)
}

// UnmarshalJSON reads what MarshalJSON gives, strictly.
func (r *Receipt) UnmarshalJSON(data []byte) error {
	var w wireReceipt
	if err := strict(data, &w); err != nil {
		return fmt.Errorf("read receipt: %w", err)
	}
	if w.Schema != Schema {
		return fmt.Errorf("read receipt: schema %q is not %s", w.Schema, Schema)
	}
	signals, err := w.Signals.signals()
	if err != nil {
		return fmt.Errorf("read receipt: %w", err)
	}
	for _, p := range w.Purposes {
		if _, err := consent.ParsePurpose(string(p)); err != nil {
			return fmt.Errorf("read receipt: %w", err)
		}
	}
	if len(w.Services) == 0 {
		w.Services = nil
	}
	*r = Receipt{
		Record: w.Record, Event: w.Event, Time: w.Time, ValidUntil: w.ValidUntil,
		Site: w.Site, Language: w.Language, Revision: w.Revision, Notice: w.Notice,
		Catalog: w.Catalog, Purposes: consent.PurposesOf(w.Purposes...), Services: w.Services,
		Method: w.Method, Signals: signals,
		OverrodeDNT: w.Override.DNT, OverrodeGPC: w.Override.GPC,
	}
	return nil
}

func (w wireSignals) signals() (consent.Signals, error) {
	s := consent.Signals{GPC: w.GPC}
	switch w.DNT {
	case "":
	case "0", "1":
		s.DNT = consent.DNT(w.DNT[0])
	default:
		return s, fmt.Errorf("dnt signal %q is not 1, 0 or empty", w.DNT)
	}
	return s, nil
}

// parseReceipt reads the body of a payload and insists on the canonical form:
// a body that says the same in other bytes is not what was written.
func parseReceipt(body []byte) (Receipt, error) {
	var r Receipt
	if err := r.UnmarshalJSON(body); err != nil {
		return Receipt{}, err
	}
	if err := r.Check(); err != nil {
		return Receipt{}, err
	}
	return r, sameBytes(body, r)
}

func sameBytes(body []byte, v json.Marshaler) error {
	again, err := v.MarshalJSON()
	if err != nil {
		return err
	}
	if !bytes.Equal(body, again) {
		return fmt.Errorf("not in canonical form")
	}
	return nil
}

// canonical encodes structs whose fields are in the order of their keys and
// whose strings passed checkText: for those encoding/json without its HTML
// escapes gives the form of RFC 8785.
func canonical(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// strict decodes exactly one value without unknown fields.
func strict(data []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return err
	}
	if _, err := dec.Token(); err != io.EOF {
		return fmt.Errorf("more than one JSON value")
	}
	return nil
}
