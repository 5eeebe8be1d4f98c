package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/numfocus/consentgate/consent"
	"github.com/numfocus/consentgate/proxy"
	"github.com/numfocus/consentgate/proxy/serve"
	"github.com/numfocus/consentgate/proxy/upstream"
)

type runOptions struct {
	upstream, listen, data, admin, config string
	addresses                             string
	profiling                             bool
}

func (o *runOptions) register(f *flag.FlagSet) {
	f.StringVar(&o.upstream, "upstream", "", "where the site itself is: a `URL` such as http://127.0.0.1:8080")
	f.StringVar(&o.listen, "listen", "", "where visitors are served: an `ADDR` such as :8000")
	f.StringVar(&o.data, "data", "", "`DIR` for the keys, the record of consent and the inventory; data, where no file says otherwise")
	f.StringVar(&o.admin, "admin", "", "`ADDR` for /healthz, /readyz, /metrics, /inventory and /reload; keep it on loopback")
	f.StringVar(&o.addresses, "log-addresses", "", "visitors' addresses in the log: truncated, where no file says otherwise, or none: a `WORD`")
	f.BoolVar(&o.profiling, "pprof", false, "add /debug/pprof/ to the operators' listener")
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
	if err := serveSites(ctx, c, o, conf); err != nil {
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
	conf.Logging.Addresses = cmp.Or(o.addresses, conf.Logging.Addresses)
	conf.Admin.Profiling = o.profiling || conf.Admin.Profiling
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
	case "logging.addresses":
		m.Field = "--log-addresses"
	}
	return m.Error()
}

// announce tells where to look, once everything listens.
func announce(w io.Writer, conf config, at serve.Addrs) {
	for _, s := range conf.Proxy.Sites {
		fmt.Fprintf(w, "Consentgate stands in front of %s\n", strings.Join(s.Upstream.Origins(), ", "))
	}
	for _, addr := range at.Site {
		fmt.Fprintf(w, "  visitors   %s\n", webAddress(addr))
	}
	for _, addr := range at.TLS {
		fmt.Fprintf(w, "  secure     %s\n", strings.Replace(webAddress(addr), "http:", "https:", 1))
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
