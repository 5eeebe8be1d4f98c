package ledger

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/numfocus/consentgate/consent"
)

// Config says how long receipts are kept. The zero Config has the defaults.
type Config struct {
	Retain string        `yaml:"retain"` // after validity ends: "36 months" (the default), "90 days", "3 years"
	Skew   time.Duration `yaml:"skew"`   // how far ahead of the clock a receipt may be dated; zero: 5m
}

const defaultRetain = "36 months"

// Check returns every mistake.
func (c Config) Check() error {
	var mistakes []error
	if _, err := c.period(); err != nil {
		mistakes = append(mistakes, consent.Mistake{
			Field: "retain", Problem: err.Error(), Cure: "write it like 36 months, 90 days or 3 years"})
	}
	if c.Skew < 0 {
		mistakes = append(mistakes, consent.Mistake{Field: "skew", Problem: "is negative", Cure: "write it like 5m"})
	}
	return errors.Join(mistakes...)
}

// Before is what to purge at the time now: receipts whose validity ended before
// it. The Config must have passed Check.
func (c Config) Before(now time.Time) time.Time {
	p, err := c.period()
	if err != nil {
		p, _ = parsePeriod(defaultRetain) // keeps too much rather than too little
	}
	return now.AddDate(-p.years, -p.months, -p.days)
}

func (c Config) period() (period, error) {
	if c.Retain == "" {
		return parsePeriod(defaultRetain)
	}
	return parsePeriod(c.Retain)
}

type period struct{ years, months, days int }

// parsePeriod reads a number and a unit of the calendar.
func parsePeriod(s string) (period, error) {
	number, unit, _ := strings.Cut(s, " ")
	n, err := strconv.Atoi(number)
	if err != nil || n < 0 || n > 10_000 {
		return period{}, fmt.Errorf("%q is no period", s)
	}
	switch unit {
	case "year", "years":
		return period{years: n}, nil
	case "month", "months":
		return period{months: n}, nil
	case "day", "days":
		return period{days: n}, nil
	}
	return period{}, fmt.Errorf("%q is no period", s)
}
