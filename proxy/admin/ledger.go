package admin

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/numfocus/consentgate/consent/ledger"
)

func (m *Metrics) makeLedger() {
	m.receipts = m.counters("receipts_total", "Receipts stored, by event: given, changed or withdrawn.", "event")
	m.refusals = m.counter("refusals_total", "Refusals counted.")
	m.failures = m.counters("ledger_errors_total", "What the ledger could not do.", "operation")
	m.storing = m.histograms("ledger_append_duration_seconds", "How long a visitor waited for a receipt to be on the disk.",
		[]float64{.001, .0025, .005, .01, .025, .05, .1, .5, 2.5}).With(nil).(prometheus.Histogram)
	for _, event := range []ledger.Event{ledger.Given, ledger.Changed, ledger.Withdrawn} {
		m.receipts.WithLabelValues(string(event))
	}
	for _, operation := range []string{"append", "refuse", "find", "erase", "notice"} {
		m.failures.WithLabelValues(operation)
	}
}

// Counted is s with what visitors do to it counted.
func (m *Metrics) Counted(s ledger.Store) ledger.Store { return counted{s, m} }

type counted struct {
	ledger.Store
	metrics *Metrics
}

func (c counted) Append(ctx context.Context, r ledger.Receipt) error {
	begun := time.Now()
	err := c.Store.Append(ctx, r)
	c.metrics.storing.Observe(time.Since(begun).Seconds())
	if err == nil {
		c.metrics.receipts.WithLabelValues(string(r.Event)).Inc() // checked by Append
	}
	return c.failed("append", err)
}

func (c counted) Refuse(ctx context.Context, r ledger.Refusal) error {
	err := c.Store.Refuse(ctx, r)
	if err == nil {
		c.metrics.refusals.Inc()
	}
	return c.failed("refuse", err)
}

func (c counted) Find(ctx context.Context, record string) ([]ledger.Receipt, error) {
	receipts, err := c.Store.Find(ctx, record)
	return receipts, c.failed("find", err)
}

func (c counted) Erase(ctx context.Context, record string) error {
	return c.failed("erase", c.Store.Erase(ctx, record))
}

func (c counted) PutNotice(ctx context.Context, n ledger.Notice) error {
	return c.failed("notice", c.Store.PutNotice(ctx, n))
}

// failed counts an error that is the ledger's own.
func (c counted) failed(operation string, err error) error {
	if err != nil && !errors.Is(err, ledger.ErrNotFound) && !errors.Is(err, context.Canceled) {
		c.metrics.failures.WithLabelValues(operation).Inc()
	}
	return err
}
