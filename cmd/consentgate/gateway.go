package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/numfocus/consentgate/consent/ledger"
	"github.com/numfocus/consentgate/proxy"
	"github.com/numfocus/consentgate/proxy/admin"
	"github.com/numfocus/consentgate/proxy/inventory"
	"github.com/numfocus/consentgate/proxy/serve"
)

// serveSites runs the gateway until ctx is done.
func serveSites(ctx context.Context, c console, o runOptions, conf config) (err error) {
	told, unheard := hangups() // first of all: unheard, a SIGHUP ends the program
	defer unheard()
	log := conf.Logging.logger(c.err)
	if limit := limitMemory(os.DirFS("/"), c.getenv); limit > 0 {
		log.Info().Int64("bytes", limit).Msg("memory limit")
	}
	kept, err := openKept(ctx, conf, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, kept.close()) }()

	operators := newOps(kept, &worlds{read: o.reread(c.getenv), logTo: c.err})
	worlds := operators.worlds
	if err := worlds.begin(conf); err != nil {
		return err
	}
	defer keepUp(ctx, conf, kept, worlds)()

	shared, err := sharedCertificates(conf)
	if err != nil {
		return err
	}
	defer shared.close()
	parts, err := serveParts(conf, log, shared, c.getenv)
	if err != nil {
		return err
	}
	server, err := serve.New(conf.Serve, parts)
	if err != nil {
		return err
	}
	operators.server.Store(server)
	ctx, upgraded := context.WithCancel(ctx)
	defer upgraded()
	upgradeWhenTold(ctx, server, log, upgraded)
	reload := func(context.Context) (string, error) {
		defer server.Reloading()()
		return worlds.reload()
	}
	go reloadWhenTold(ctx, told, reload)
	context.AfterFunc(ctx, func() { operators.enter(stopping) })
	return server.Run(ctx, serve.Handlers{
		Site:  worlds,
		Hosts: func() []string { return worlds.now.Load().conf.hosts() },
		Ops:   operators.handler(conf.Admin, reload),
		Drain: func(ctx context.Context) { worlds.now.Load().gateway.Close(ctx) },
	}, func(at serve.Addrs) {
		operators.enter(serving)
		announce(c.out, conf, at)
		debug.FreeOSMemory() // preparing the sites takes more than serving them
	})
}

// kept is what the gateway keeps on the disk, and what no reload changes.
type kept struct {
	ledger    ledger.Store
	inventory *inventory.Store
}

func openKept(ctx context.Context, conf config, log zerolog.Logger) (k kept, err error) {
	if err := os.MkdirAll(conf.data(), 0o700); err != nil {
		return k, fmt.Errorf("make the data folder: %w", err)
	}
	if k.ledger, err = serveLedger(conf.ledgerFile(), conf.Ledger); err != nil {
		return k, err
	}
	if k.inventory, err = openInventory(conf.inventoryFile(), log); err != nil {
		return k, errors.Join(err, k.ledger.Close())
	}
	return k, nil
}

func (k kept) close() error { return errors.Join(k.inventory.Save(), k.ledger.Close()) }

// newOps connects those who run the gateway with what there is to know.
func newOps(k kept, ws *worlds) *ops {
	ws.parts = proxy.Parts{Inventory: k.inventory, Version: buildVersion()}
	o := &ops{worlds: ws, ledger: k.ledger}
	ws.metrics = admin.NewMetrics(o.sources())
	ws.parts.Meter, ws.parts.Ledger = ws.metrics, ws.metrics.Counted(k.ledger)
	return o
}

// keepUp does in the background what has to be done now and then. end, or the end
// of ctx, has it stop; end waits until it has, so that the ledger can be closed.
func keepUp(ctx context.Context, conf config, k kept, ws *worlds) (end func()) {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	ws.background(&running, "keep ledger", func() { keepLedger(ctx, k.ledger, conf.Ledger.Keeping, ws.log) })
	ws.background(&running, "save inventory", func() {
		tick := time.NewTicker(saveEvery)
		defer tick.Stop()
		k.inventory.Keep(ctx, tick.C, func(err error) {
			ws.log().Error().Err(err).Msg("the inventory could not be saved; it will be tried again")
		})
	})
	return func() {
		cancel()
		running.Wait()
	}
}
