package main

import (
	"context"
	"os"
	"path/filepath"

	"github.com/rs/zerolog"

	"github.com/numfocus/consentgate/consent/ledger/postgres"
	"github.com/numfocus/consentgate/proxy/serve"
)

// hosts are the names that the sites are visited under; a site that takes every
// host adds none.
func (c config) hosts() []string {
	var all []string
	for _, s := range c.Proxy.Sites {
		all = append(all, s.Hosts...)
	}
	return all
}

// certificateFolder is where certificates are kept by a gateway of its own.
func (c config) certificateFolder() string { return filepath.Join(c.data(), "certificates") }

// shared is where gateways that share a ledger keep their certificates. The zero
// value is for one that does not.
type shared struct{ files *postgres.Files }

func sharedCertificates(c config) (shared, error) {
	if c.Ledger.Postgres.URL == "" || c.Serve.TLS.ACME.Email == "" {
		return shared{}, nil
	}
	files, err := postgres.OpenFiles(c.Ledger.Postgres)
	return shared{files}, err
}

func (s shared) close() {
	if s.files != nil {
		_ = s.files.Close() // it has only looked and written at once
	}
}

// serveParts is what a server is given beside its configuration.
func serveParts(c config, log zerolog.Logger, s shared, getenv func(string) string) (serve.Parts, error) {
	sockets, err := serve.Inherit(getenv)
	p := serve.Parts{Log: log, Tell: tellLog(log), Folder: c.certificateFolder(), Sockets: sockets, Getenv: getenv}
	if s.files != nil {
		p.Shared = s.files
	}
	return p, err
}

// tellLog writes events of certificates into the log.
func tellLog(log zerolog.Logger) func(serve.Event) {
	return func(e serve.Event) {
		level, err := zerolog.ParseLevel(string(e.Level))
		if err != nil {
			level = zerolog.ErrorLevel
		}
		log.WithLevel(level).Fields(e.Fields).Msg(e.Text)
	}
}

// upgradeWhenTold has the program started anew whenever the process is told to,
// until one of the new processes serves; then this one may go. It returns at
// once. The program is looked up now: later it may have another name, and a new
// one this.
func upgradeWhenTold(ctx context.Context, server *serve.Server, log zerolog.Logger, upgraded func()) {
	program, err := os.Executable()
	if err != nil {
		log.Error().Err(err).Msg("the program cannot be upgraded while it runs")
		return
	}
	told, stop := upgradeSignal()
	go func() {
		defer stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-told:
			}
			log.Info().Str("program", program).Msg("starting a new process in place of this one")
			pid, err := server.Upgrade(ctx, program, os.Args[1:]...)
			if err == nil {
				log.Info().Int("pid", pid).Msg("the new process serves; this one ends what is under way")
				upgraded()
				return
			}
			log.Error().Err(err).Msg("this process goes on")
		}
	}()
}
