package main

import (
	"cmp"
	"fmt"
	"io"
	"math"
)

// A goal is a figure that must not be above a limit.
type goal struct {
	number int // goals of one number belong together
	what   string
	value  float64 // NaN: not measured
	limit  float64
	unit   string
	phase  string // in which it is measured
}

// printGoals ends the report. A goal that was not measured says why.
func (r *results) printGoals(w io.Writer) {
	fmt.Fprintf(w, "\n**Goals**\n\n| | | measured | goal: at most | |\n|--:|---|--:|--:|---|\n")
	for _, g := range r.goals() {
		measured, said := fmt.Sprintf("%.3g%s", g.value, g.unit), "met"
		switch {
		case math.IsNaN(g.value) || math.IsInf(g.value, 0):
			measured, said = "", "not measured: "+cmp.Or(r.failed[g.phase], "a part is missing, see above")
		case g.value > g.limit:
			said = "**missed**"
		}
		fmt.Fprintf(w, "| %d | %s | %s | %.3g%s | %s |\n", g.number, g.what, measured, g.limit, g.unit, said)
	}
}

func (r *results) goals() []goal {
	all := append(r.loadGoals(), r.scans.goals()...)
	all = append(all, r.latencyGoals()...)
	for _, what := range []func(*stall) goal{(*stall).lateGoal, (*stall).memoryGoal} {
		for _, s := range gatewayStalls() {
			for _, measured := range r.stalls {
				if measured.label() == s.label() && measured.size == s.size {
					s = measured
				}
			}
			all = append(all, what(s))
		}
	}
	all = append(all, r.memoryGoals()...)
	all = append(all, r.systemGoal())
	return append(all, r.growth.goals()...)
}

// cpu is microseconds a request in a table.
func (r *results) cpu(table int, name, coding string) float64 {
	if c := r.cell(table, name, coding); c != nil {
		return median(c.cpu)
	}
	return math.NaN()
}

func (r *results) cell(table int, name, coding string) *cell {
	if table >= len(r.tables) {
		return nil
	}
	return r.tables[table].cell(name, coding)
}

func (r *results) wire(table int, name, coding string) float64 {
	if c := r.cell(table, name, coding); c != nil {
		return float64(c.wire)
	}
	return math.NaN()
}

func (r *results) loadGoals() []goal {
	const seen, fresh, asset = 0, 1, 2
	pass, sub1 := r.cpu(seen, nginxName, ""), r.cpu(fresh, nginxSub1, "gzip")
	list := []goal{
		{number: 1, what: "Processor for a page seen before (br), to nginx passing it on", value: r.cpu(seen, gatewayName, "br") / pass, limit: 1},
		{number: 1, what: "The same (gzip)", value: r.cpu(seen, gatewayName, "gzip") / pass, limit: 1},
		{number: 1, what: "The same (br), to nginx `sub_filter`, gzip 1", value: r.cpu(seen, gatewayName, "br") / r.cpu(seen, nginxSub1, "gzip"), limit: 0.15},
		{number: 2, what: "Processor for a page never seen (br), to nginx `sub_filter`, gzip 1", value: r.cpu(fresh, gatewayName, "br") / sub1, limit: 0.5},
		{number: 2, what: "Its bytes, likewise", value: r.wire(fresh, gatewayName, "br") / r.wire(fresh, nginxSub1, "gzip"), limit: 1},
		{number: 2, what: "Processor for a page never seen (gzip), likewise", value: r.cpu(fresh, gatewayName, "gzip") / sub1, limit: 0.65},
		{number: 2, what: "The same with `compression: small` (gzip), to nginx `sub_filter`, gzip 5", value: r.cpu(fresh, smallName, "gzip") / r.cpu(fresh, nginxSub5, "gzip"), limit: 0.5},
		{number: 3, what: "Processor for an asset, to nginx", value: r.cpu(asset, gatewayName, "") / r.cpu(asset, nginxName, ""), limit: 2.3},
		{number: 3, what: "The same, to Caddy", value: r.cpu(asset, gatewayName, "") / r.cpu(asset, caddyName, ""), limit: 0.7},
	}
	return of("load", list)
}

// systemGoal: what the gateway costs, the origin saves.
func (r *results) systemGoal() goal {
	g := goal{number: 8, what: "Processor of origin and gateway (br), to that of the origin compressing by itself", value: math.NaN(), limit: 0.8, phase: "load"}
	if br := r.cell(1, gatewayName, "br"); br != nil {
		g.value = (median(br.cpu) + median(br.origin)) / r.cpu(1, "origin alone, gzip 1", "gzip")
	}
	return g
}

func (r *results) latencyGoals() []goal {
	added := func(path, accept string, q float64) float64 {
		return quantile(r.took(gatewayName, path, accept), q) - quantile(r.took("origin", pathNew, ""), q)
	}
	list := []goal{
		{number: 5, what: "Time to first byte added to a page never seen (br), p50", value: added(pathNew, browser, 0.5), limit: 0.6, unit: " ms"},
		{number: 5, what: "The same, p99", value: added(pathNew, browser, 0.99), limit: 1.5, unit: " ms"},
		{number: 5, what: "The same (gzip), p50", value: added(pathNew, gzipOnly, 0.5), limit: 0.6, unit: " ms"},
		{number: 5, what: "Added to a page seen before, p50", value: added(pathSame, browser, 0.5), limit: 0.35, unit: " ms"},
		{number: 5, what: "A page never seen (br), p50, to nginx `sub_filter`, gzip 1", limit: 1,
			value: quantile(r.took(gatewayName, pathNew, browser), 0.5) / quantile(r.took(nginxSub1, pathNew, gzipOnly), 0.5)},
	}
	return of("latency", list)
}

func (r *results) took(name, path, accept string) []float64 {
	if p := r.ping(name, path, accept); p != nil && len(p.took) > 0 {
		return p.took
	}
	return []float64{math.NaN()}
}

func (s *stall) lateGoal() goal {
	g := goal{number: 6, what: "Silent origin" + s.came() + ": until the visitor has it, p99", value: math.NaN(), limit: 10, unit: " ms", phase: "stall"}
	if len(s.late) > 0 {
		g.value = quantile(s.late, 0.99)
	}
	return g
}

func (s *stall) memoryGoal() goal {
	g := goal{number: 7, what: "Silent origin" + s.came() + ": memory a page", value: math.NaN(), limit: 128, unit: " KB", phase: "stall"}
	if s.each != 0 {
		g.value = float64(s.each >> 10)
	}
	return g
}

func (s *stall) came() string {
	return fmt.Sprintf(", %d KB came (%s)", s.size>>10, cmp.Or(s.accept, "identity"))
}

func (r *results) memoryGoals() []goal {
	idle, busy := math.NaN(), math.NaN()
	if b, ok := r.idle[gatewayName]; ok && b > 0 {
		idle = mb(b)
	}
	if r.busy > 0 {
		busy = mb(r.busy)
	}
	list := of("load", []goal{
		{number: 7, what: "Resident, idle", value: idle, limit: 20, unit: " MB"},
		{number: 7, what: fmt.Sprintf("Resident, %d busy connections, with 64 MB for the memo", manyVisitors), value: busy, limit: 128, unit: " MB"},
	})
	for _, accept := range slowCodings {
		most, ok := r.slow[accept]
		if !ok {
			most = math.NaN()
		}
		list = append(list, goal{
			number: 7, what: fmt.Sprintf("Resident, %d visitors slowly read %d MB each (%s)", slowReaders, slowPage>>20, accept),
			value: most, limit: 256, unit: " MB", phase: "slow",
		})
	}
	return list
}

func (s scans) goals() []goal {
	ratio := func(mine []float64, of []float64, q float64) float64 {
		return quantile(or(mine), q) / quantile(or(of), q)
	}
	return of("scan", []goal{
		{number: 4, what: "Scanner with the whole catalog, to x/net/html", value: ratio(s.whole, s.xnet, 0.5), limit: 1 / 6.0},
		{number: 4, what: "The same, in pieces of 1 KB", value: ratio(s.kilobyte, s.xnet, 0.5), limit: 1 / 6.0},
		{number: 4, what: "The same on saved pages, the slowest of them", value: quantile(or(s.saved), 1), limit: 1 / 6.0, phase: "saved"},
		{number: 4, what: "The same, in the middle of them", value: quantile(or(s.saved), 0.5), limit: 1 / 6.0, phase: "saved"},
		{number: 4, what: "Scanner with the whole catalog, to lol-html", value: ratio(s.whole, s.lol, 0.5), limit: 1 / 1.6, phase: "lol"},
		{number: 4, what: "In pieces of 1 byte, a byte", value: 1000 * quantile(or(s.single), 0.5) / float64(len(homePage(""))), limit: 100, unit: " ns"},
		{number: 4, what: "Allocations a page", value: s.allocations(), limit: 0},
	})
}

func (s scans) allocations() float64 {
	if len(s.whole) == 0 {
		return math.NaN()
	}
	return s.allocs
}

// or stands for figures that there are none of.
func or(figures []float64) []float64 {
	if len(figures) == 0 {
		return []float64{math.NaN()}
	}
	return figures
}

// of says in which phase goals are measured that do not say so themselves.
func of(phase string, goals []goal) []goal {
	for i := range goals {
		goals[i].phase = cmp.Or(goals[i].phase, phase)
	}
	return goals
}
