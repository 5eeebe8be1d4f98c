package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/numfocus/consentgate/consent"
	"github.com/numfocus/consentgate/consent/token"
	"github.com/numfocus/consentgate/proxy"
	"github.com/numfocus/consentgate/proxy/serve"
	"github.com/numfocus/consentgate/proxy/upstream"
)

type runOptions struct{ upstream, listen, data, admin, config string }

func (o *runOptions) register(f *flag.FlagSet) {
	f.StringVar(&o.upstream, "upstream", "", "where the site itself is: a `URL` such as http://127.0.0.1:8080")
	f.StringVar(&o.listen, "listen", "", "where visitors are served: an `ADDR` such as :8000")
	f.StringVar(&o.data, "data", "", "`DIR` for the keys, the record of consent and the inventory; data, where no file says otherwise")
	f.StringVar(&o.admin, "admin", "", "`ADDR` for /healthz, /readyz, /metrics and /inventory; keep it on loopback")
	f.StringVar(&o.config, "config", "", "read everything else from a `FILE`; consentgate help config shows one")
}

func runCommand(c console, args []string) int {
	var o runOptions
	rest, code, ok := parse(c, "run", &o, args)
	switch {
	case !ok:
		return code
	case len(rest) > 0:
		return misuse(c, "run", "what is %q?", rest[0])
	case (o.upstream == "") == (o.config == ""):
		return misuse(c, "run", "say --upstream URL or --config FILE")
	}
	conf, code, ok := o.configuration(c)
	if !ok {
		return code
	}
	ctx, stop := untilTold()
	defer stop()
	if err := serveSites(ctx, c, conf); err != nil {
		return failed(c, "run", err)
	}
	return exitFine
}

// untilTold gives a context that is done at SIGTERM or Ctrl-C. A second one
// ends the program at once.
func untilTold() (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// configuration is the file, with what the flags say in its place.
func (o runOptions) configuration(c console) (conf config, code int, ok bool) {
	if o.config != "" {
		if conf, ok = readConfig(c, o.config); !ok {
			return conf, exitUsage, false
		}
	} else {
		conf.Proxy.Sites = []proxy.SiteConfig{{Upstream: upstream.Config{URL: o.upstream}}}
	}
	if o.listen != "" {
		conf.Serve.Listen = []string{o.listen}
	}
	conf.Serve.Ops = cmp.Or(o.admin, conf.Serve.Ops)
	conf.Data = cmp.Or(o.data, conf.Data)
	if wrong := consent.Mistakes(conf.Check()); len(wrong) > 0 {
		return conf, misuse(c, "run", "%s", flagged(wrong[0])), false
	}
	return conf, exitFine, true
}

// flagged is a mistake in the words of who wrote flags and no file.
func flagged(m consent.Mistake) string {
	switch m.Field {
	case "sites[0].upstream.url":
		m.Field = "--upstream"
	case "listen[0]":
		m.Field = "--listen"
	case "ops":
		m.Field = "--admin"
	}
	return m.Error()
}

// serveSites runs the gateway until ctx is done.
func serveSites(ctx context.Context, c console, conf config) (err error) {
	log := conf.Logging.logger(c.err)
	keys, err := token.LoadOrCreateKeys(conf.keyFile())
	if err != nil {
		return err
	}
	tokens, err := token.New(keys)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(conf.data(), 0o700); err != nil {
		return fmt.Errorf("make the data folder: %w", err)
	}
	store, err := serveLedger(conf.ledgerFile(), conf.Ledger)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	go keepLedger(ctx, store, conf.Ledger.Keeping, log)

	seen, err := openInventory(ctx, conf.inventoryFile(), log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, seen.Save()) }()

	gateway, err := proxy.New(conf.Proxy, proxy.Parts{Ledger: store, Tokens: tokens, Log: log, Inventory: seen})
	if err != nil {
		return err
	}
	server, err := serve.New(conf.Serve, log)
	if err != nil {
		return err
	}
	ops := &ops{started: time.Now(), ledger: store.Health, inventory: seen.File}
	context.AfterFunc(ctx, func() { ops.ready.Store(false) })
	return server.Run(ctx, serve.Handlers{Site: gateway, Ops: ops.handler(), Drain: gateway.Close}, func(at serve.Addrs) {
		ops.ready.Store(true)
		announce(c.out, conf, at)
		debug.FreeOSMemory() // preparing the sites takes more than serving them
	})
}

// announce tells where to look, once everything listens.
func announce(w io.Writer, conf config, at serve.Addrs) {
	for _, s := range conf.Proxy.Sites {
		fmt.Fprintf(w, "Consentgate stands in front of %s\n", strings.Join(s.Upstream.Origins(), ", "))
	}
	for _, addr := range at.Site {
		fmt.Fprintf(w, "  visitors   %s\n", webAddress(addr))
	}
	if at.Ops != nil {
		fmt.Fprintf(w, "  operators  %s/metrics\n", webAddress(at.Ops))
	}
	fmt.Fprintln(w, "Ctrl-C ends it.")
}

// webAddress is an address as one would open it on this computer.
func webAddress(a net.Addr) string {
	host, port, err := net.SplitHostPort(a.String())
	if err != nil {
		return "http://" + a.String()
	}
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port)
}
