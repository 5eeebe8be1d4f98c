package main

import (
	"fmt"
	"io"
	"math"
)

// A goal is a figure that must not be above a limit.
type goal struct {
	what  string
	value float64
	limit float64
	unit  string
}

func (r *results) printGoals(w io.Writer) {
	goals := r.goals()
	if len(goals) == 0 {
		return
	}
	fmt.Fprintf(w, "\n**Goals**\n\n| | goal | measured | |\n|---|--:|--:|---|\n")
	for _, g := range goals {
		said := "pass"
		switch {
		case math.IsNaN(g.value):
			said = "not measured"
		case g.value > g.limit:
			said = "**miss**"
		}
		fmt.Fprintf(w, "| %s | at most %.4g%s | %.3g%s | %s |\n", g.what, g.limit, g.unit, g.value, g.unit, said)
	}
	for _, line := range r.slow {
		fmt.Fprintf(w, "| %d visitors read %d MB slowly, %s | bounded | | |\n", slowReaders, slowPage>>20, line)
	}
}

func (r *results) goals() []goal {
	var all []goal
	if len(r.tables) == 3 {
		all = append(all, r.loadGoals()...)
	}
	if len(r.pings) > 0 {
		all = append(all, r.latencyGoals()...)
	}
	for _, s := range r.stalls {
		if s.name == gatewayName {
			all = append(all, s.goals()...)
		}
	}
	if len(r.tables) == 3 {
		all = append(all,
			goal{"Resident, idle", mb(r.idle[gatewayName]), 20, " MB"},
			goal{fmt.Sprintf("Resident, %d connections, with 64 MB for the memo", manyVisitors), mb(r.busy), 128, " MB"})
	}
	return append(all, r.scans.goals()...)
}

func (r *results) loadGoals() []goal {
	seen, fresh, asset := r.tables[0], r.tables[1], r.tables[2]
	cpu := func(t table, name, coding string) float64 {
		if c := t.cell(name, coding); c != nil {
			return median(c.cpu)
		}
		return math.NaN()
	}
	wire := func(t table, name, coding string) float64 { return float64(t.cell(name, coding).wire) }
	pass, sub1 := cpu(seen, nginxName, ""), cpu(fresh, nginxSub1, "gzip")
	br := fresh.cell(gatewayName, "br")
	system := median(br.cpu) + median(br.origin)
	return []goal{
		{"Page seen before (br), to nginx passing it on", cpu(seen, gatewayName, "br") / pass, 1, ""},
		{"Page seen before (gzip), to nginx passing it on", cpu(seen, gatewayName, "gzip") / pass, 1, ""},
		{"Page seen before (br), to nginx sub_filter, gzip 1", cpu(seen, gatewayName, "br") / cpu(seen, nginxSub1, "gzip"), 0.15, ""},
		{"New page (br), to nginx sub_filter, gzip 1", cpu(fresh, gatewayName, "br") / sub1, 0.5, ""},
		{"Bytes of it, likewise", wire(fresh, gatewayName, "br") / wire(fresh, nginxSub1, "gzip"), 1, ""},
		{"New page (gzip), to nginx sub_filter, gzip 1", cpu(fresh, gatewayName, "gzip") / sub1, 0.65, ""},
		{"New page, small, to nginx sub_filter, gzip 5", cpu(fresh, smallName, "gzip") / cpu(fresh, nginxSub5, "gzip"), 0.5, ""},
		{"Asset, to nginx", cpu(asset, gatewayName, "") / cpu(asset, nginxName, ""), 2.3, ""},
		{"Asset, to Caddy", cpu(asset, gatewayName, "") / cpu(asset, caddyName, ""), 0.7, ""},
		{"Origin and gateway (br), to the origin compressing by itself", system / cpu(fresh, "origin alone, gzip 1", "gzip"), 0.8, ""},
	}
}

func (r *results) latencyGoals() []goal {
	origin := r.ping("origin", pathNew, "")
	added := func(p *ping, q float64) float64 { return quantile(p.took, q) - quantile(origin.took, q) }
	br, gz := r.ping(gatewayName, pathNew, browser), r.ping(gatewayName, pathNew, gzipOnly)
	return []goal{
		{"Time to first byte added to a new page (br), p50", added(br, 0.5), 0.6, " ms"},
		{"Likewise, p99", added(br, 0.99), 1.5, " ms"},
		{"Time to first byte added to a new page (gzip), p50", added(gz, 0.5), 0.6, " ms"},
		{"Time to first byte added to a page seen before, p50", added(r.ping(gatewayName, pathSame, browser), 0.5), 0.35, " ms"},
		{"New page (br), to nginx sub_filter, gzip 1", median(br.took) / median(r.ping(nginxSub1, pathNew, gzipOnly).took), 1, ""},
	}
}

func (s *stall) goals() []goal {
	late := math.Inf(1)
	if len(s.late) > 0 {
		late = quantile(s.late, 0.99)
	}
	of := fmt.Sprintf(", %d KB came (%s)", s.size>>10, s.label())
	return []goal{
		{"Silent origin: until the visitor has it, p99" + of, late, 10, " ms"},
		{"Silent origin: memory" + of, float64(s.each >> 10), 128, " KB"},
	}
}

func (s scans) goals() []goal {
	if len(s.whole) == 0 {
		return nil
	}
	all := []goal{
		{"Scanner, whole page, to x/net/html (6 times as fast)", median(s.whole) / median(s.xnet), 1 / 6.0, ""},
		{"Scanner, pieces of 1 KB, to x/net/html", median(s.kilobyte) / median(s.xnet), 1 / 6.0, ""},
		{"Scanner, pieces of 1 byte: nanoseconds a byte", 1000 * median(s.single) / float64(len(homePage(""))), 100, " ns"},
	}
	if len(s.lol) > 0 {
		all = append(all, goal{"Scanner, whole page, to lol-html (1.6 times as fast)", median(s.whole) / median(s.lol), 1 / 1.6, ""})
	}
	return all
}
