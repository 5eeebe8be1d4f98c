package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/rs/zerolog"

	"github.com/numfocus/consentgate/consent"
	"github.com/numfocus/consentgate/proxy"
)

// loggingConfig says how the log is written. The zero value writes for people
// on a terminal and JSON everywhere else, from level info.
type loggingConfig struct {
	Format string `yaml:"format"` // json, console, or auto
	Level  string `yaml:"level"`  // debug, info, warn or error
	// Addresses says how much of visitors' addresses is logged: truncated (the
	// default: the network) or none. There is no way to log them whole.
	Addresses string `yaml:"addresses"`
}

func (l loggingConfig) Check() error {
	var errs []error
	switch l.Format {
	case "", "auto", "json", "console":
	default:
		errs = append(errs, consent.Mistake{
			Field: "format", Problem: fmt.Sprintf("%q is not a format of the log", l.Format), Cure: "use json, console or auto"})
	}
	switch l.Level {
	case "", "debug", "info", "warn", "error":
	default:
		errs = append(errs, consent.Mistake{
			Field: "level", Problem: fmt.Sprintf("%q is not a level of the log", l.Level), Cure: "use debug, info, warn or error"})
	}
	switch proxy.Addresses(l.Addresses) {
	case "", proxy.TruncatedAddresses, proxy.NoAddresses:
	default:
		errs = append(errs, consent.Mistake{
			Field: "addresses", Problem: fmt.Sprintf("%q is no way to log addresses", l.Addresses), Cure: "use truncated or none; they are never logged whole"})
	}
	return errors.Join(errs...)
}

// logger writes to w. It expects a configuration without mistakes.
func (l loggingConfig) logger(w io.Writer) zerolog.Logger {
	if l.Format == "console" || l.Format != "json" && isTerminal(w) {
		w = zerolog.ConsoleWriter{Out: w, TimeFormat: time.TimeOnly, NoColor: !isTerminal(w)}
	}
	level := zerolog.InfoLevel
	if parsed, err := zerolog.ParseLevel(strings.ToLower(l.Level)); err == nil && l.Level != "" {
		level = parsed
	}
	return zerolog.New(w).Level(level).With().Timestamp().Logger()
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}
