package main

import (
	_ "embed"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/html"

	"github.com/numfocus/consentgate/consent/catalog"
	"github.com/numfocus/consentgate/proxy/rewrite"
)

// scans are microseconds for one pass over the page.
type scans struct{ whole, kilobyte, single, xnet, lol []float64 }

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
		l.missing = append(l.missing, err.Error())
	}
	rules, err := newScanRules()
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
			if took, err := lol(file); err == nil {
				r.scans.lol = append(r.scans.lol, took)
			}
		}
	}
	return nil
}

// timed gives microseconds a call.
func timed(f func()) float64 {
	begun, n := time.Now(), 0
	for time.Since(begun) < 150*time.Millisecond {
		f()
		n++
	}
	return float64(time.Since(begun).Nanoseconds()) / 1000 / float64(n)
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

func newScanRules() (*scanRules, error) {
	services, err := catalog.Builtin()
	if err != nil {
		return nil, err
	}
	c, err := catalog.New(services)
	if err != nil {
		return nil, err
	}
	return &scanRules{catalog: c, base: catalog.URL{Scheme: []byte("https"), Host: []byte("example.org"), Path: []byte("/")}}, nil
}

func (r *scanRules) Base([]byte)                           {}
func (r *scanRules) Language([]byte)                       {}
func (r *scanRules) Script(*rewrite.Inline) rewrite.Action { return rewrite.Keep }
func (r *scanRules) AppendContent(d, _ []byte) []byte { return d }

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
		return nil, fmt.Errorf("lol-html was not measured: npm install bun: %w %s", err, out)
	}
	return func(page string) (float64, error) {
		out, err := exec.Command(filepath.Join(dir, "node_modules/.bin/bun"), script, page).Output()
		if err != nil {
			return 0, err
		}
		return strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
	}, nil
}
