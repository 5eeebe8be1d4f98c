package endpoint

import (
	"net/http"
	"strings"
	"testing"

	"github.com/numfocus/consentgate/consent/ledger"
	"github.com/numfocus/consentgate/consent/ledger/ledgertest"
)

// TestWhatWasShownIsKept: a receipt holds only the hash of the notice; to prove
// consent one needs the notice.
func TestWhatWasShownIsKept(t *testing.T) {
	store := ledgertest.New()
	w := newWorld(t, func(_ *Config, s *Site) {
		s.Ledger, s.Catalog = store, strings.Repeat("0", 64)
	})
	for range 2 {
		wantStatus(t, w.visitor().choose(fields("choice", "accept")), http.StatusSeeOther)
	}
	var kept []ledger.Notice
	err := store.Notices(t.Context(), func(n ledger.Notice) error {
		kept = append(kept, n)
		return n.Check()
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(kept) != 1 {
		t.Fatalf("%d notices are kept, want 1", len(kept))
	}
	n := kept[0]
	if n.Hash != w.endpoint.site.Banner.NoticeHash("en") || n.Revision != revision || n.Language != "en" {
		t.Errorf("kept under %s, revision %s, language %s", n.Hash, n.Revision, n.Language)
	}
	for _, want := range []string{`id="cg-banner"`, "Reject all", "Cookie settings"} {
		if !strings.Contains(string(n.Body), want) {
			t.Errorf("what is kept has no %q", want)
		}
	}
	report, err := ledger.Verify(t.Context(), store, ledger.Check{})
	if err != nil || report.Unkept > 0 {
		t.Errorf("verify: %+v, error %v", report, err)
	}
}
