package ledger_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/numfocus/consentgate/consent/ledger"
	"github.com/numfocus/consentgate/consent/ledger/ledgertest"
)

// FuzzReceipt: whatever is read and passes Check is written as it was read, but
// for its form.
func FuzzReceipt(f *testing.F) {
	body, err := ledgertest.Receipt("r").MarshalJSON()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(body)
	f.Fuzz(func(t *testing.T, body []byte) {
		var r, again ledger.Receipt
		if r.UnmarshalJSON(body) != nil || r.Check() != nil {
			return
		}
		once, err := r.MarshalJSON()
		must(t, err)
		must(t, again.UnmarshalJSON(once))
		twice, err := again.MarshalJSON()
		must(t, err)
		if !bytes.Equal(once, twice) {
			t.Errorf("%s became %s", once, twice)
		}
	})
}

// FuzzImport: whatever is imported without an error verifies.
func FuzzImport(f *testing.F) {
	s := ledgertest.New()
	for _, err := range []error{
		s.PutNotice(f.Context(), ledgertest.Notice()), s.Append(f.Context(), ledgertest.Receipt("a")),
		s.Append(f.Context(), ledgertest.Receipt("b")), s.Erase(f.Context(), "a"),
	} {
		must(f, err)
	}
	var text strings.Builder
	must(f, ledger.Export(f.Context(), s, &text))
	f.Add(text.String())
	f.Fuzz(func(t *testing.T, text string) {
		into := ledgertest.New()
		if _, err := ledger.Import(t.Context(), into, strings.NewReader(text)); err != nil {
			return
		}
		if _, err := ledger.Verify(t.Context(), into, ledger.Check{}); err != nil && !strings.Contains(err.Error(), "no erasure names it") {
			t.Errorf("%v after the import of %s", err, text)
		}
	})
}
