package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/mattn/go-isatty"

	"github.com/numfocus/consentgate/consent/ledger"
)

func verifyLedger(ctx context.Context, c console, s ledger.Store, o *ledgerOptions, _ string) error {
	bar := newProgress(c.err, "entries")
	r, err := ledger.Verify(ctx, s, ledger.Check{Anchors: o.anchors, Progress: bar.show})
	bar.end()
	if err != nil {
		return err
	}
	for _, chain := range r.Chains {
		fmt.Fprintf(c.out, "head %s\n", head(chain))
		if chain.Base.Seq > 0 {
			fmt.Fprintf(c.out, "     (entries up to %d are not here)\n", chain.Base.Seq)
		}
	}
	fmt.Fprintf(c.out, "%d entries in %s: %d receipts, %d erased; %s kept\n",
		r.Entries, count(len(r.Chains), "chain"), r.Receipts, r.Erased, count(int(r.Notices), "notice"))
	if r.Unkept > 0 {
		fmt.Fprintf(c.out, "%d receipts name a notice that is not kept here\n", r.Unkept)
	}
	fmt.Fprintln(c.out, "Every record is as it was written.")
	return nil
}

func ledgerStats(ctx context.Context, c console, s ledger.Store, o *ledgerOptions, _ string) error {
	stats, err := ledger.Summarize(ctx, s, ledger.By(o.by))
	if err != nil {
		return err
	}
	if o.csv {
		return ledger.WriteCSV(c.out, ledger.By(o.by), stats)
	}
	return ledger.WriteTable(c.out, ledger.By(o.by), stats)
}

func showRecord(ctx context.Context, c console, s ledger.Store, _ *ledgerOptions, record string) error {
	receipts, err := s.Find(ctx, record)
	if err != nil {
		return err
	}
	enc := json.NewEncoder(c.out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(receipts)
}

func exportLedger(ctx context.Context, c console, s ledger.Store, o *ledgerOptions, path string) (err error) {
	write := ledger.Export
	if o.csv {
		write = ledger.ExportCSV
	}
	if path == "" {
		return write(ctx, s, c.out)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(write(ctx, s, f), f.Sync(), f.Close())
}

func backupLedger(ctx context.Context, c console, s ledger.Store, _ *ledgerOptions, path string) error {
	file, ok := s.(interface {
		Backup(ctx context.Context, path string) error
	})
	if !ok {
		return errors.New("the ledger is in PostgreSQL: use pg_dump, or consentgate ledger export")
	}
	if err := file.Backup(ctx, path); err != nil {
		return err
	}
	fmt.Fprintf(c.out, "%s\nTo go back to it: end the gateway, remove ledger.db-wal and ledger.db-shm, put it in the place of ledger.db.\n", path)
	return nil
}

// A progress is a bar on a terminal, and nothing elsewhere.
type progress struct {
	w     io.Writer // nil: no terminal
	of    string    // what is counted, in the plural
	drawn time.Time
}

func newProgress(w io.Writer, of string) *progress {
	if f, ok := w.(*os.File); ok && isatty.IsTerminal(f.Fd()) {
		return &progress{w: w, of: of}
	}
	return &progress{}
}

const barWidth = 40

func (p *progress) show(done, all uint64) {
	if p.w == nil || all == 0 || time.Since(p.drawn) < 100*time.Millisecond {
		return
	}
	p.drawn = time.Now()
	full := min(barWidth, int(barWidth*done/all))
	fmt.Fprintf(p.w, "\r[%s%s] %d %% of %d %s", strings.Repeat("#", full), strings.Repeat(".", barWidth-full), 100*done/all, all, p.of)
}

func (p *progress) end() {
	if p.w != nil && !p.drawn.IsZero() {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
