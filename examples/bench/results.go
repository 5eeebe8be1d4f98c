package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
)

// results are all figures of one run.
type results struct {
	tables []table
	idle   map[string]int64 // bytes resident before the first request
	busy   int64            // bytes, the gateway's, with many visitors
	pings  []*ping
	stalls []*stall
	slow   map[string]float64 // MB at the most, by coding
	scans  scans
	growth growth
	failed map[string]string // why a phase has no figures
}

func median(of []float64) float64 { return quantile(of, 0.5) }

func quantile(of []float64, q float64) float64 {
	if len(of) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(of))
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}

func mb(bytes int64) float64 { return float64(bytes) / (1 << 20) }

// print writes everything as Markdown.
func (r *results) print(w io.Writer, l *lab) {
	for _, t := range r.tables {
		t.print(w, r.baseFor(t))
	}
	r.printPings(w)
	r.printStalls(w)
	r.scans.print(w)
	fmt.Fprintf(w, "\n%d processors, %s, %s, load average: %s.\n", runtime.NumCPU(), runtime.Version(), version(l.nginx), loadAverage())
	for _, word := range l.missing {
		fmt.Fprintf(w, "Not measured: %s.\n", word)
	}
	r.printGoals(w)
}

func version(nginx string) string {
	out, err := exec.Command(nginx, "-v").CombinedOutput()
	if err != nil {
		return "nginx"
	}
	_, name, _ := strings.Cut(strings.TrimSpace(string(out)), ": ")
	return name
}

func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	one, _, _ := strings.Cut(string(text), " ")
	return one
}

func (r *results) baseFor(t table) float64 {
	for _, c := range t.cells {
		if c.server.name == t.base && median(c.cpu) > 0 {
			return median(c.cpu)
		}
	}
	return 1
}

func (t table) print(w io.Writer, base float64) {
	fmt.Fprintf(w, "\n**%s**\n\n| | CPU a request | of %s | requests/s | bytes |\n|---|--:|--:|--:|--:|\n", t.title, t.base)
	cells := slices.SortedFunc(slices.Values(t.cells), func(a, b *cell) int { return cmp.Compare(median(a.cpu), median(b.cpu)) })
	for _, c := range cells {
		fmt.Fprintf(w, "| %s | %.0f µs | %.2f | %.0f | %d |\n", c.name(), median(c.cpu), median(c.cpu)/base, median(c.rate), c.wire)
	}
}

func (r *results) printPings(w io.Writer) {
	if len(r.pings) == 0 {
		return
	}
	fmt.Fprintf(w, "\n**Time to the first byte, one visitor**\n\n| | p50 | p99 |\n|---|--:|--:|\n")
	for _, p := range r.pings {
		fmt.Fprintf(w, "| %s | %.2f ms | %.2f ms |\n", p.label(), median(p.took), quantile(p.took, 0.99))
	}
}

func (p *ping) label() string {
	what := "new page"
	if p.path == pathSame {
		what = "page seen before"
	}
	return strings.TrimSuffix(fmt.Sprintf("%s, %s, %s", p.name, what, p.accept), ", ")
}

func (r *results) printStalls(w io.Writer) {
	if len(r.stalls) == 0 {
		return
	}
	fmt.Fprintf(w, "\n**The origin falls silent in the middle of a page**\n\n| | what it sent | is with the visitor after | memory a page |\n|---|--:|--:|--:|\n")
	for _, s := range r.stalls {
		late := "never"
		if len(s.late) > 0 {
			late = fmt.Sprintf("%.1f ms (p99 %.1f)", median(s.late), quantile(s.late, 0.99))
		}
		fmt.Fprintf(w, "| %s | %d KB | %s | %d KB |\n", s.label(), s.size>>10, late, s.each>>10)
	}
}

func (s *stall) label() string { return strings.TrimSuffix(s.name+", "+s.accept, ", ") }
