package main

import (
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/numfocus/consentgate/consent"
	"github.com/numfocus/consentgate/consent/catalog"
	"github.com/numfocus/consentgate/proxy/rewrite"
)

// manyServices is what a catalog may grow to.
const manyServices = 5000

// growth is what more of something costs, as a ratio.
type growth struct {
	services, sites float64
	many            int // sites
}

func (g growth) goals() []goal {
	known := func(v float64) float64 {
		if v == 0 {
			return math.NaN()
		}
		return v
	}
	return of("growth", []goal{
		{number: 9, what: fmt.Sprintf("Scanner with %d services, to that with those built in", manyServices), value: known(g.services), limit: 1.1},
		{number: 9, what: fmt.Sprintf("Processor for a page never seen (br) with %d sites, to that with one", g.many), value: known(g.sites), limit: 1.1},
	})
}

// measureGrowth compares the gateway with itself.
func measureGrowth(l *lab, p plan, r *results) error {
	r.growth.many = p.sites
	services, err := catalog.Builtin()
	if err != nil {
		return err
	}
	few, err := newScanRules(services)
	if err != nil {
		return err
	}
	many, err := newScanRules(withMadeUp(services, manyServices))
	if err != nil {
		return err
	}
	page := []byte(homePage(""))
	w := rewrite.NewWriter(io.Discard, few, rewrite.Options{Charset: "utf-8"})
	var ratios []float64
	for range 2*p.rounds + 1 {
		base := timed(func() { scan(w, few, page, len(page)) })
		ratios = append(ratios, timed(func() { scan(w, many, page, len(page)) })/base)
	}
	r.growth.services = median(ratios)
	return measureSites(l, p, r)
}

// withMadeUp adds services of the shape of the built-in ones.
func withMadeUp(services []consent.Service, n int) []consent.Service {
	for i := len(services); i < n; i++ {
		name := fmt.Sprintf("made-up-%d", i)
		services = append(services, consent.Service{
			ID: consent.ServiceID(name), Purpose: consent.Optional()[i%3],
			URLs: []string{"*." + name + ".com", "cdn." + name + ".net/js/", "www." + name + ".org/embed.js", "js-*." + name + ".io", "*/wp-content/plugins/" + name + "/"},
		})
	}
	return services
}

// measureSites asks a gateway with one site and one with many, in turn.
func measureSites(l *lab, p plan, r *results) error {
	one, err := l.begin(gatewayPeer(gatewayName, ""), l.plainAddr)
	if err != nil {
		return err
	}
	defer one.stop()
	many, err := l.begin(manySitesPeer(p.sites), l.plainAddr)
	if err != nil {
		return err
	}
	defer many.stop()
	few := &cell{server: one, path: pathNew, accept: browser}
	lots := &cell{server: many, path: pathNew, accept: browser}
	for range p.rounds {
		for _, c := range []*cell{few, lots} {
			if err := c.measure(l, fewVisitors, min(p.span, 2*time.Second)); err != nil {
				return err
			}
		}
	}
	r.growth.sites = median(lots.cpu) / median(few.cpu)
	return nil
}

// manySitesPeer is a gateway in which the site that is asked for must be found
// by its host among others.
func manySitesPeer(n int) peer {
	return peer{gatewayName, func(l *lab, addr, origin string) (*process, error) {
		host, _, _ := strings.Cut(addr, ":")
		var sites strings.Builder
		for i := range n - 1 {
			fmt.Fprintf(&sites, "  - {hosts: [site%d.example], upstream: {url: http://%s}}\n", i, origin)
		}
		fmt.Fprintf(&sites, "  - {hosts: [%s], upstream: {url: http://%s}}\n", host, origin)
		return l.startGateway(gatewayName, addr, "sites:\n"+sites.String())
	}}
}
