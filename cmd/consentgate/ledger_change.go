package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/numfocus/consentgate/consent/ledger"
)

func importLedger(ctx context.Context, c console, s ledger.Store, _ *ledgerOptions, path string) error {
	var from io.Reader = c.in
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		from = f
	}
	done, err := ledger.Import(ctx, s, from)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "%d entries, %d notices and %d counts are here now\n", done.Entries, done.Notices, done.Counts)
	return nil
}

func eraseRecord(ctx context.Context, c console, s ledger.Store, _ *ledgerOptions, record string) error {
	if err := s.Erase(ctx, record); err != nil {
		return err
	}
	fmt.Fprintf(c.out, "The receipts of record %s are erased.\n", record)
	return nil
}

func purgeLedger(ctx context.Context, c console, s ledger.Store, o *ledgerOptions, _ string) error {
	before := o.keeping.Before(time.Now())
	n, err := s.Purge(ctx, before)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "%s erased that had ended before %s\n", count(n, "receipt"), before.Format(time.DateOnly))
	return nil
}
