package main

import (
	"flag"
	"fmt"
)

type checkOptions struct{ live, gateway, site string }

func (o *checkOptions) register(f *flag.FlagSet) {
	f.StringVar(&o.live, "live", "", "look at the page at this public `URL` instead, as a new visitor gets it")
	f.StringVar(&o.gateway, "gateway", "", "where the gateway itself is: a `URL` such as http://127.0.0.1:8080; the page is asked for there too and compared")
	f.StringVar(&o.site, "site", "", "which site, by `NAME`, where the file has several")
}

func checkCommand(c console, args []string) int {
	var o checkOptions
	rest, code, ok := parse(c, "check", &o, args)
	switch {
	case !ok:
		return code
	case o.live != "" && len(rest) < 2:
		return checkLive(c, o, rest)
	case o.live == "" && (o.gateway != "" || o.site != ""):
		return misuse(c, "check", "--gateway and --site need --live")
	case len(rest) != 1:
		return misuse(c, "check", "name one file")
	}
	conf, ok := readConfig(c, rest[0])
	if !ok {
		return exitUsage
	}
	fmt.Fprintf(c.out, "%s: fine, %s\n", rest[0], count(len(conf.Proxy.Sites), "site"))
	return exitFine
}
