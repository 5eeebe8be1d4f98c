// Command bench measures the gateway beside other proxies on one computer and
// writes tables in Markdown. See README.md for what is measured and how to read
// it.
//
//	go run ./examples/bench -quick
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"time"
)

// A plan says how much is measured.
type plan struct {
	rounds  int           // of every cell, interleaved; figures are medians
	span    time.Duration // of one cell in one round; whole seconds
	pings   int           // latencies of each proxy
	stalled int           // pages stalled at a time
	slow    time.Duration // how long slow readers read; zero: none
	sites   int           // of a gateway with many
	only    string        // measure only phases whose name contains this
	pages   string        // folder of saved pages
}

var (
	quickPlan = plan{rounds: 3, span: time.Second, pings: 200, stalled: 100, slow: 5 * time.Second, sites: 100}
	fullPlan  = plan{rounds: 5, span: 2 * time.Second, pings: 800, stalled: 300, slow: 15 * time.Second, sites: 1000}
)

func main() {
	quick := flag.Bool("quick", false, "two or three minutes instead of ten, and less sure")
	only := flag.String("only", "", "measure only the `PHASE`: load, latency, stall, slow, scan or growth")
	pages := flag.String("pages", "../shared/data/pages", "`FOLDER` of saved pages, *.html, to scan too")
	gateway := flag.String("gateway", "", "measure this `BINARY` instead of building one")
	flag.Parse()
	p := fullPlan
	if *quick {
		p = quickPlan
	}
	p.only, p.pages = *only, *pages
	if err := run(p, *gateway); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(p plan, gateway string) error {
	l, err := newLab(gateway)
	if err != nil {
		return err
	}
	defer l.close()
	r := results{failed: map[string]string{}}
	for _, phase := range []struct {
		name    string
		measure func(*lab, plan, *results) error
	}{
		{"load", measureLoad}, {"latency", measureLatency}, {"stall", measureStall}, {"slow", measureSlow}, {"scan", measureScan}, {"growth", measureGrowth},
	} {
		if !strings.Contains(phase.name, p.only) {
			r.failed[phase.name] = "left out"
			continue
		}
		fmt.Fprintln(os.Stderr, "bench:", phase.name)
		if err := phase.measure(l, p, &r); err != nil {
			r.failed[phase.name] = oneLine(err)
			fmt.Fprintf(os.Stderr, "bench: measure %s: %v\n", phase.name, err)
		}
	}
	r.print(os.Stdout, l)
	return nil
}

// oneLine fits an error into a table.
func oneLine(err error) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(err.Error(), "|", "/")), " ")
}
