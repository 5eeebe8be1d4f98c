package postgres

import (
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/numfocus/consentgate/consent"
)

// Config says where PostgreSQL is. The zero Config means that there is none.
type Config struct {
	URL     string        `yaml:"url"`     // postgres://user:password@host:5432/database, or key=value pairs; PGPASSWORD and ~/.pgpass work too
	Timeout time.Duration `yaml:"timeout"` // of one exchange; zero: 15 s
	Keep    time.Duration `yaml:"keep"`    // how long receipts stay in the outbox after PostgreSQL has them; zero: 1 h
}

const (
	defaultTimeout = 15 * time.Second
	defaultKeep    = time.Hour
	connectTimeout = 5 * time.Second
)

// Check returns every mistake.
func (c Config) Check() error {
	var mistakes []error
	if c.URL == "" {
		if c != (Config{}) {
			mistakes = append(mistakes, consent.Mistake{
				Field: "url", Problem: "is missing", Cure: "give the address of the database, or remove this block"})
		}
	} else if _, err := pgx.ParseConfig(c.URL); err != nil {
		mistakes = append(mistakes, consent.Mistake{
			Field: "url", Problem: "cannot be understood", Cure: "write it like postgres://user@host:5432/database"})
	}
	for field, d := range map[string]time.Duration{"timeout": c.Timeout, "keep": c.Keep} {
		if d < 0 {
			mistakes = append(mistakes, consent.Mistake{Field: field, Problem: "is negative", Cure: "write it like 15s"})
		}
	}
	return errors.Join(mistakes...)
}

func (c Config) withDefaults() Config {
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
	}
	if c.Keep == 0 {
		c.Keep = defaultKeep
	}
	return c
}
