package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/rs/zerolog"

	"github.com/numfocus/consentgate/consent"
	"github.com/numfocus/consentgate/consent/ledger"
	"github.com/numfocus/consentgate/consent/ledger/postgres"
	"github.com/numfocus/consentgate/consent/ledger/sqlite"
)

// A ledgerConfig says where the record of consent is and how long it is kept.
type ledgerConfig struct {
	Keeping  ledger.Config   `yaml:",inline"`
	Postgres postgres.Config `yaml:"postgres"` // none: the file in the data folder is the ledger, not an outbox
}

// Check returns every mistake.
func (c ledgerConfig) Check() error {
	return errors.Join(c.Keeping.Check(), consent.Within("postgres", c.Postgres.Check()))
}

// serveLedger opens the ledger for a gateway. It does not fail where the file
// or the database cannot be used now: a site must not stand still because its
// record cannot be written; until it can, nothing is granted.
func serveLedger(file string, c ledgerConfig) (ledger.Store, error) {
	outbox := sqlite.New(file, sqlite.Options{Skew: c.Keeping.Skew})
	return behind(outbox, c)
}

// openLedger opens the ledger for a command, which is done for where the file
// cannot be used. One that only looks leaves the file alone, unless that is an
// outbox from which something has still to be shipped; where there is no outbox
// it makes none, and looks into PostgreSQL alone.
func openLedger(file string, c ledgerConfig, order ledgerOrder) (ledger.Store, error) {
	inFile := c.Postgres.URL == ""
	_, err := os.Stat(file)
	switch {
	case err != nil && inFile && !order.makes:
		return nil, fmt.Errorf("open ledger: %w", err)
	case err != nil && !inFile && order.looks:
		return onlyPostgres(c)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	outbox, err := sqlite.Open(file, sqlite.Options{Skew: c.Keeping.Skew, ReadOnly: order.looks && inFile})
	if err != nil {
		return nil, err
	}
	return behind(outbox, c)
}

// onlyPostgres is for those who look from where no gateway is. The outbox that
// this takes is empty, and gone afterwards.
func onlyPostgres(c ledgerConfig) (ledger.Store, error) {
	folder, err := os.MkdirTemp("", "consentgate-")
	if err != nil {
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	outbox, err := sqlite.Open(filepath.Join(folder, "outbox.db"), sqlite.Options{})
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	store, err := behind(outbox, c)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	return passing{store, folder}, nil
}

// A passing ledger leaves no folder behind.
type passing struct {
	ledger.Store
	folder string
}

func (p passing) Close() error { return errors.Join(p.Store.Close(), os.RemoveAll(p.folder)) }

func behind(outbox *sqlite.Store, c ledgerConfig) (ledger.Store, error) {
	if c.Postgres.URL == "" {
		return outbox, nil
	}
	store, err := postgres.Open(c.Postgres, outbox)
	if err != nil {
		return nil, errors.Join(err, outbox.Close())
	}
	return store, nil
}

// purgeEvery is how often a gateway looks for receipts that are out of time.
const purgeEvery = 24 * time.Hour

// keepLedger purges the ledger at the start and every day until ctx is done.
func keepLedger(ctx context.Context, s ledger.Store, c ledger.Config, log func() *zerolog.Logger) {
	tick := time.NewTicker(purgeEvery)
	defer tick.Stop()
	for {
		n, err := s.Purge(ctx, c.Before(time.Now()))
		switch {
		case err != nil && ctx.Err() == nil:
			log().Error().Err(err).Msg("receipts that are out of time could not be erased; it will be tried again tomorrow")
		case n > 0:
			log().Info().Int("receipts", n).Msg("erased receipts that are out of time")
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
