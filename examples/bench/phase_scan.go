package main

import (
	_ "embed"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/numfocus/consentgate/consent"
	"github.com/numfocus/consentgate/consent/catalog"
	"github.com/numfocus/consentgate/proxy/rewrite"
)

// scans are microseconds for one pass over the page.
type scans struct {
	whole, kilobyte, single, xnet, lol []float64

	saved  []float64 // of each saved page: the time of a pass, to x/net/html's
	allocs float64   // of one pass
}

//go:embed lolhtml.mjs
var lolScript string

// measureScan compares the scanner with two others, without any proxy.
func measureScan(l *lab, p plan, r *results) error {
	page := []byte(homePage(""))
	file := filepath.Join(l.dir, "page.html")
	if err := os.WriteFile(file, page, 0o644); err != nil {
		return err
	}
	lol, err := newLol(l)
	if err != nil {
		r.failed["lol"] = oneLine(err)
	}
	services, err := catalog.Builtin()
	if err != nil {
		return err
	}
	rules, err := newScanRules(services)
	if err != nil {
		return err
	}
	w := rewrite.NewWriter(io.Discard, rules, rewrite.Options{Charset: "utf-8"})
	for range 2*p.rounds + 1 {
		for _, one := range []struct {
			took *[]float64
			size int
		}{{&r.scans.whole, len(page)}, {&r.scans.kilobyte, 1 << 10}, {&r.scans.single, 1}} {
			*one.took = append(*one.took, timed(func() { scan(w, rules, page, one.size) }))
		}
		r.scans.xnet = append(r.scans.xnet, timed(func() { tokenize(page) }))
		if lol != nil {
			took, err := lol(file)
			if err != nil {
				r.failed["lol"], lol = oneLine(err), nil
				continue
			}
			r.scans.lol = append(r.scans.lol, took)
		}
	}
	r.scans.allocs = testing.AllocsPerRun(50, func() { scan(w, rules, page, len(page)) })
	return measureSaved(w, rules, p, r)
}

// measureSaved scans each page of a folder, if there is one.
func measureSaved(w *rewrite.Writer, rules rewrite.Rules, p plan, r *results) error {
	files, err := filepath.Glob(filepath.Join(p.pages, "*.html"))
	if err != nil || len(files) == 0 {
		r.failed["saved"] = "no pages in " + p.pages + " (-pages FOLDER)"
		return err
	}
	for _, file := range files {
		page, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		var ratios []float64
		for range p.rounds {
			mine := timedFor(shortSpan, func() { scan(w, rules, page, len(page)) })
			ratios = append(ratios, mine/timedFor(shortSpan, func() { tokenize(page) }))
		}
		r.scans.saved = append(r.scans.saved, median(ratios))
	}
	return nil
}

// Each figure of a pass is the average over one of these spans.
const (
	scanSpan  = 150 * time.Millisecond
	shortSpan = 10 * time.Millisecond
)

// timed gives microseconds a call.
func timed(f func()) float64 { return timedFor(scanSpan, f) }

// timedFor counts the time of this thread's processor: what other programs take
// is left out, and so is the collector's work for the others that are compared.
func timedFor(span time.Duration, f func()) float64 {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	begun, n := threadTime(), 0
	for threadTime()-begun < span {
		f()
		n++
	}
	return float64((threadTime() - begun).Nanoseconds()) / 1000 / float64(n)
}

func threadTime() time.Duration {
	const thisThread = 1 // RUSAGE_THREAD (getrusage(2))
	var used syscall.Rusage
	_ = syscall.Getrusage(thisThread, &used) // cannot fail for this
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

func scan(w *rewrite.Writer, rules rewrite.Rules, page []byte, size int) {
	w.Reset(io.Discard, rules, rewrite.Options{Charset: "utf-8"})
	for i := 0; i < len(page); i += size {
		_, _ = w.Write(page[i:min(i+size, len(page))]) // io.Discard takes everything
	}
	_ = w.Close()
}

func tokenize(page []byte) {
	z := html.NewTokenizer(strings.NewReader(string(page)))
	for z.Next() != html.ErrorToken {
		_ = z.Raw()
	}
}

// scanRules look every URL up in the whole catalog.
type scanRules struct {
	catalog *catalog.Catalog
	parser  catalog.Parser
	base    catalog.URL
}

func newScanRules(services []consent.Service) (*scanRules, error) {
	c, err := catalog.New(services)
	if err != nil {
		return nil, err
	}
	return &scanRules{catalog: c, base: catalog.URL{Scheme: []byte("https"), Host: []byte("example.org"), Path: []byte("/")}}, nil
}

func (r *scanRules) Base([]byte)                           {}
func (r *scanRules) Language([]byte)                       {}
func (r *scanRules) Script(*rewrite.Inline) rewrite.Action { return rewrite.Keep }
func (r *scanRules) AppendContent(d, _ []byte) []byte      { return d }

func (r *scanRules) AppendPlaceholder(d []byte, _ *rewrite.Element) []byte {
	return append(d, inserted...)
}
func (r *scanRules) AppendInsert(d []byte, _ rewrite.Place) []byte { return append(d, inserted...) }
func (r *scanRules) Beyond(string, int64)                          {}

func (r *scanRules) URL(ref *rewrite.Ref) rewrite.Action {
	if u, ok := r.parser.Parse(&r.base, ref.URL); ok && r.catalog.URL(u).Service != nil {
		return rewrite.Withhold
	}
	return rewrite.Keep
}

func (s scans) print(w io.Writer) {
	if len(s.whole) == 0 {
		return
	}
	speed := func(took []float64) string {
		return fmt.Sprintf("%.0f µs | %.2f", median(took), float64(len(homePage("")))/median(took)/1000)
	}
	fmt.Fprintf(w, "\n**One pass over the page**\n\n| | time | GB/s |\n|---|--:|--:|\n")
	fmt.Fprintf(w, "| scanner with the whole catalog | %s |\n| in pieces of 1 KB | %s |\n| x/net/html, raw tokens | %s |\n",
		speed(s.whole), speed(s.kilobyte), speed(s.xnet))
	if len(s.lol) > 0 {
		fmt.Fprintf(w, "| lol-html, three selectors | %s |\n", speed(s.lol))
	}
	if n := len(s.saved); n > 0 {
		fmt.Fprintf(w, "\nOn %d saved pages the scanner is %.1f (the slowest) to %.1f times as fast as x/net/html, %.1f times in the middle.\n",
			n, 1/quantile(s.saved, 1), 1/quantile(s.saved, 0), 1/median(s.saved))
	}
}

// newLol installs bun, whose HTMLRewriter is lol-html.
func newLol(l *lab) (func(page string) (float64, error), error) {
	dir := filepath.Join(l.dir, "bun")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, err
	}
	script := filepath.Join(dir, "lolhtml.mjs")
	if err := os.WriteFile(script, []byte(lolScript), 0o644); err != nil {
		return nil, err
	}
	install := exec.Command("npm", "install", "--no-audit", "--no-fund", "--silent", "bun")
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("npm install bun: %w %s", err, out)
	}
	return func(page string) (float64, error) {
		out, err := exec.Command(filepath.Join(dir, "node_modules/.bin/bun"), script, page).Output()
		if err != nil {
			return 0, err
		}
		return strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
	}, nil
}
