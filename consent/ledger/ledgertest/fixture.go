package ledgertest

import (
	"fmt"
	"time"

	"github.com/numfocus/consentgate/consent"
	"github.com/numfocus/consentgate/consent/ledger"
)

// Time is when the receipts of this package were given.
var Time = time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)

// Notice is what the receipts of this package name as their notice.
func Notice() ledger.Notice {
	return ledger.NewNotice("2024-05-01", "en", []byte("<p>May we measure how this site is used?</p>"))
}

// Receipt is a first yes to statistics.
func Receipt(record string) ledger.Receipt {
	n := Notice()
	return ledger.Receipt{
		Record: record, Event: ledger.Given, Time: Time, ValidUntil: Time.AddDate(0, 6, 0),
		Site: "numfocus.org", Language: n.Language, Revision: n.Revision, Notice: n.Hash,
		Catalog:  ledger.NewNotice("", "", []byte("services")).Hash,
		Purposes: consent.PurposesOf(consent.Necessary, consent.Statistics),
		Services: []consent.ServiceID{"vimeo", "youtube"},
		Method:   ledger.ByBanner,
	}
}

// Record is the n-th of many record ids.
func Record(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", n) }
