package ledger

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// ExportCSV writes the receipts that have not been erased, one a row, for
// people and spreadsheets. It holds one at a time. Only what Export writes can
// be imported again.
func ExportCSV(ctx context.Context, s Store, w io.Writer) error {
	out := csv.NewWriter(w)
	err := out.Write([]string{
		"gateway", "entry", "record_id", "event", "time", "valid_until", "site", "language", "notice_revision",
		"notice_sha256", "catalog_sha256", "purposes", "services", "method", "dnt", "gpc", "overrode_dnt", "overrode_gpc",
	})
	if err == nil {
		err = eachReceipt(ctx, s, func(l Link, r Receipt) error { return out.Write(row(l, r)) })
	}
	if out.Flush(); err == nil {
		err = out.Error()
	}
	if err != nil {
		return fmt.Errorf("export receipts: %w", err)
	}
	return nil
}

func eachReceipt(ctx context.Context, s Store, visit func(Link, Receipt) error) error {
	chains, err := s.Chains(ctx)
	if err != nil {
		return err
	}
	for _, c := range chains {
		err := s.Walk(ctx, c.Gateway, c.Base.Seq, func(l Link) error {
			r, ok, err := l.Receipt()
			if err != nil {
				return fmt.Errorf("entry %d of %s: %w", l.Seq, l.Gateway, err)
			}
			if !ok {
				return nil
			}
			return visit(l, r)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func row(l Link, r Receipt) []string {
	services := make([]string, len(r.Services))
	for i, id := range r.Services {
		services[i] = string(id)
	}
	dnt := ""
	if r.Signals.DNT != 0 {
		dnt = string(rune(r.Signals.DNT))
	}
	return []string{
		l.Gateway, strconv.FormatUint(l.Seq, 10), text(r.Record), string(r.Event),
		r.Time.Format(time.RFC3339), r.ValidUntil.Format(time.RFC3339), text(r.Site), text(r.Language), text(r.Revision),
		r.Notice, r.Catalog, r.Purposes.String(), text(strings.Join(services, ", ")), string(r.Method), dnt,
		strconv.FormatBool(r.Signals.GPC), strconv.FormatBool(r.OverrodeDNT), strconv.FormatBool(r.OverrodeGPC),
	}
}

// text keeps a spreadsheet from taking a value for a formula.
func text(s string) string {
	if s != "" && strings.ContainsRune("=+-@", rune(s[0])) {
		return "'" + s
	}
	return s
}
