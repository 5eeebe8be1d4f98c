package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/numfocus/consentgate/consent/catalog"
	"github.com/numfocus/consentgate/consent/ledger/sqlite"
	"github.com/numfocus/consentgate/consent/token"
	"github.com/numfocus/consentgate/examples/demo"
	"github.com/numfocus/consentgate/proxy"
	"github.com/numfocus/consentgate/proxy/banner"
	"github.com/numfocus/consentgate/proxy/upstream"
)

type demoOptions struct{ listen string }

// demoAddress is where the demo is unless something else is there already.
const demoAddress = "127.0.0.1:8000"

func (o *demoOptions) register(f *flag.FlagSet) {
	f.StringVar(&o.listen, "listen", "", "`ADDR` for all of it; "+demoAddress+", or a free port where that is taken")
}

func demoCommand(c console, args []string) int {
	var o demoOptions
	rest, code, ok := parse(c, "demo", &o, args)
	switch {
	case !ok:
		return code
	case len(rest) > 0:
		return misuse(c, "demo", "what is %q?", rest[0])
	}
	listener, err := o.open()
	if err != nil {
		return failed(c, "demo", err)
	}
	ctx, stop := untilTold()
	defer stop()
	if err := serveDemo(ctx, c, listener); err != nil {
		return failed(c, "demo", err)
	}
	return exitFine
}

func (o *demoOptions) open() (net.Listener, error) {
	if o.listen != "" {
		return net.Listen("tcp", o.listen)
	}
	if l, err := net.Listen("tcp", demoAddress); err == nil {
		return l, nil
	}
	return net.Listen("tcp", "127.0.0.1:0")
}

// serveDemo serves the example site, the gateway before it, and the stand-ins
// on one listener until ctx is done.
func serveDemo(ctx context.Context, c console, listener net.Listener) (err error) {
	folder, err := os.MkdirTemp("", "consentgate-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()

	port := strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
	example, err := demo.New(port)
	if err != nil {
		return err
	}
	origin, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	site := httpServer(example.Site())
	go site.Serve(origin)
	defer site.Close()

	gateway, closeGateway, err := demoGateway(c, folder, "http://"+origin.Addr().String())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeGateway()) }()

	front := httpServer(example.Front(gateway))
	context.AfterFunc(ctx, func() { front.Close() })
	fmt.Fprintf(c.out, `The example site of a foundation that does not exist:
  without  http://%[1]s:%[3]s/
  with     http://%[2]s:%[3]s/
Who was called by either of them:
  calls    http://localhost:%[3]s/
Ctrl-C ends it.
`, demo.Without, demo.With, port)
	if err := front.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func httpServer(h http.Handler) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute}
}

// demoGateway is a gateway as run would make it, whose key and record last as
// long as the demo.
func demoGateway(c console, folder, origin string) (g *proxy.Gateway, closeAll func() error, err error) {
	services, err := demoServices()
	if err != nil {
		return nil, nil, err
	}
	tokens, err := token.New([]token.Key{token.NewKey()})
	if err != nil {
		return nil, nil, err
	}
	store, err := sqlite.Open(filepath.Join(folder, "ledger.db"), sqlite.Options{})
	if err != nil {
		return nil, nil, err
	}
	g, err = proxy.New(proxy.Config{Sites: []proxy.SiteConfig{{
		Name:     "demo",
		Upstream: upstream.Config{URL: origin},
		Services: services,
		Notice:   banner.Config{Controller: "Open Tidepool Foundation", Contact: "hello@opentidepool.example"},
	}}}, proxy.Parts{Ledger: store, Tokens: tokens, Log: loggingConfig{Level: "warn"}.logger(c.err)})
	if err != nil {
		return nil, nil, errors.Join(err, store.Close())
	}
	return g, func() error {
		g.Close(context.Background())
		return store.Close()
	}, nil
}

// demoServices tells the catalog that the stand-ins' addresses are the vendors'
// too.
func demoServices() (catalog.Config, error) {
	builtin, err := catalog.Builtin()
	if err != nil {
		return nil, err
	}
	used, services := demo.Services(), catalog.Config{}
	for _, s := range builtin {
		if slices.Contains(used, string(s.ID)) {
			services[s.ID] = catalog.Entry{URLs: demo.Aliases(s.URLs)}
		}
	}
	return services, nil
}
