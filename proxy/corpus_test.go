package proxy_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/tabwriter"
)

const shared = "../../shared/data"

// sharedData reads a file of the data set beside the project.
func sharedData(t *testing.T, path ...string) []byte {
	t.Helper()
	name := filepath.Join(append([]string{shared}, path...)...)
	data, err := os.ReadFile(name)
	if os.IsNotExist(err) && os.Getenv("CI") == "" {
		t.Skipf("skipped: the test data %s is not there", name)
	}
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestSnippets sends every vendor idiom through the gateway for a visitor who
// has not answered.
func TestSnippets(t *testing.T) {
	var file struct {
		Snippets []struct {
			ID, Service, HTML, Note string
			Gone, Stay              []string
		}
	}
	if err := json.Unmarshal(sharedData(t, "snippets.json"), &file); err != nil {
		t.Fatal(err)
	}
	o := newOrigin(t)
	g := o.gateway(t)
	for _, s := range file.Snippets {
		t.Run(s.ID, func(t *testing.T) {
			o.page = []byte("<!doctype html><html><head><title>t</title></head><body>" + s.HTML + "</body></html>")
			got := body(t, g.get(t, "/", nil))
			for _, gone := range s.Gone {
				if strings.Contains(withoutPlaceholders(got), gone) {
					t.Errorf("%q is still there (%s %s)\ngave %s\ngot  %s", gone, s.Service, s.Note, s.HTML, got)
				}
			}
			for _, stay := range s.Stay {
				if !strings.Contains(got, stay) {
					t.Errorf("%q is gone (%s %s)\ngave %s\ngot  %s", stay, s.Service, s.Note, s.HTML, got)
				}
			}
		})
	}
	if len(file.Snippets) == 0 {
		t.Error("there are no snippets")
	}
}

// A savedPage is one real page with its labels.
type savedPage struct {
	file, url, role string
	html            []byte
	labels          []label
}

type label struct {
	kind, url, service string
	third, listed      bool
}

func savedPages(t *testing.T) []*savedPage {
	t.Helper()
	var pages []*savedPage
	byFile := map[string]*savedPage{}
	for _, row := range table(t, "MANIFEST.tsv") {
		p := &savedPage{file: row["file"], url: row["url"], role: row["role"], html: sharedData(t, "pages", row["file"])}
		pages = append(pages, p)
		byFile[p.file] = p
	}
	for _, row := range table(t, "labels.tsv") {
		p := byFile[row["page"]]
		p.labels = append(p.labels, label{
			kind: row["kind"], url: row["url"], service: row["service_id"],
			third: row["third_party"] == "1", listed: row["blocked_by_list"] != "-",
		})
	}
	return pages
}

func table(t *testing.T, name string) []map[string]string {
	t.Helper()
	r := csv.NewReader(bytes.NewReader(sharedData(t, "pages", name)))
	r.Comma, r.LazyQuotes, r.FieldsPerRecord = '\t', true, -1
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var list []map[string]string
	for _, row := range rows[1:] {
		m := map[string]string{}
		for i, field := range row {
			m[rows[0][i]] = field
		}
		list = append(list, m)
	}
	return list
}

// A count is how many of some things were as they should be.
type count struct{ good, all int }

func (c *count) add(good bool) {
	c.all++
	if good {
		c.good++
	}
}

func (c count) percent() float64 {
	if c.all == 0 {
		return 100
	}
	return 100 * float64(c.good) / float64(c.all)
}

func (c count) String() string { return fmt.Sprintf("%d of %d\t%.1f %%", c.good, c.all, c.percent()) }

// trackersByDesign are first-party references that the labels' lists do not
// know and the catalog does: statistics plugins and order attribution.
var trackersByDesign = map[string]bool{"sourcebuster": true, "wp-tracking-plugins": true}

// TestSavedPages sends 90 real pages through the gateway and compares with the
// labels of public block lists.
func TestSavedPages(t *testing.T) {
	o := newOrigin(t)
	g := o.gateway(t)
	var direct, inline, hints, kept count
	for _, p := range savedPages(t) {
		before := extractPage(t, p.html, p.url)
		after := extractPage(t, []byte(withoutPlaceholders(p.through(t, o, g, nil))), p.url)
		for _, l := range p.labels {
			u := normal(l.url)
			switch {
			case l.kind == "inline_script_url", l.kind == "form_action", l.kind == "data_attr_url":
			case l.third && l.listed && l.kind == "link_hint":
				hints.add(!after.urls[u])
			case l.third && l.listed:
				direct.add(!after.urls[u])
				if after.urls[u] {
					t.Logf("%s: %s is still there: %s", p.file, l.kind, l.url)
				}
			case !l.third && !l.listed && before.urls[u] && !trackersByDesign[l.service]:
				kept.add(after.urls[u])
				if !after.urls[u] {
					t.Errorf("%s: first-party %s is gone: %s", p.file, l.kind, l.url)
				}
			}
		}
		for _, script := range before.scripts {
			if literal, ok := p.listedLiteral(script); ok {
				gone := !contains(after.scripts, script)
				inline.add(gone)
				if !gone {
					t.Logf("%s: an inline script with %s is still there: %.120q", p.file, literal, script)
				}
			}
		}
	}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "direct third-party references withheld\t%v\n", direct)
	fmt.Fprintf(w, "inline scripts withheld\t%v\n", inline)
	fmt.Fprintf(w, "hints withheld\t%v\n", hints)
	fmt.Fprintf(w, "first-party references kept\t%v\n", kept)
	w.Flush()
	t.Log("\n" + b.String())
	for _, goal := range []struct {
		name string
		got  count
		want float64
	}{{"direct references", direct, 98}, {"inline scripts", inline, 95}, {"hints", hints, 99}, {"first-party references", kept, 100}} {
		if goal.got.all == 0 || goal.got.percent() < goal.want {
			t.Errorf("%s: %v, want at least %v %%", goal.name, goal.got, goal.want)
		}
	}
}

// withheldFromControls is what pages without any labelled tracker hold all the
// same that waits for consent: connections to Google before anybody agreed, and
// scripts and a frame of third parties that nobody has classified.
var withheldFromControls = []string{
	`<iframe loading="lazy" src="https://t3cffc16f.emailsys1c.net/12/1435/70d09f6a4a/subscribe/form.html?_g=1601814470" width="100%" height="500" frameborder="0"></iframe>`,
	`@import url(//fonts.googleapis.com/css?family=Quattrocento+Sans:regular,italic,700,700italic);`,
	`<script>(function () {
function integrate() {
var body = document.getElementsByTagName("body")[0];
if (!body) { window.setTimeout(integrate, 10); return; }
var script = document.createElement('script');
script.type="text/javascript";
script.src="https://altruja.de/i/tsa5";
body.insertBefore(script, body.firstChild);
}
integrate();
})();</script>`,
	`<link href="https://fonts.gstatic.com" crossorigin rel="preconnect" />`,
	`<link href='https://fonts.gstatic.com' crossorigin='anonymous' rel='preconnect' />`,
	`<link href='https://fonts.googleapis.com' rel='preconnect' />`,
	`<script async src="https://static.xingcdn.com/userconsent/cookie-consent-min.js"></script>`,
}

// TestSavedPagesStayWhole compares bytes: pages without trackers, and all pages
// for a visitor who granted everything, differ only by what is inserted.
func TestSavedPagesStayWhole(t *testing.T) {
	o := newOrigin(t)
	g := o.gateway(t)
	granted := g.choose(t, url.Values{"choice": {"accept"}})
	controls := 0
	for _, p := range savedPages(t) {
		if p.role == "control" {
			controls++
			p.wantWhole(t, "undecided", p.through(t, o, g, nil), withheldFromControls...)
		}
		p.wantWhole(t, "granted", p.through(t, o, g, granted))
	}
	if controls != 6 {
		t.Errorf("%d control pages, want 6", controls)
	}
}

// wantWhole compares byte for byte; only the elements named may be missing.
func (p *savedPage) wantWhole(t *testing.T, visitor, got string, mayMiss ...string) {
	t.Helper()
	got = withoutPlaceholders(withoutInserts(got))
	page := string(p.html)
	for _, element := range mayMiss {
		if !strings.Contains(got, element) {
			page = strings.ReplaceAll(page, element, "")
		}
	}
	if got != page {
		at := differ(got, page)
		t.Errorf("%s, %s: differs from the origin's at byte %d:\n\twant %.200q\n\tgot  %.200q", p.file, visitor, at, page[max(0, at-40):], got[max(0, at-40):])
	}
}

func (p *savedPage) through(t *testing.T, o *origin, g *gate, cookies []string) string {
	t.Helper()
	u, err := url.Parse(p.url)
	if err != nil {
		t.Fatal(err)
	}
	o.page = p.html
	return body(t, g.getFrom(t, u.Host, u.RequestURI(), cookies))
}

// listedLiteral finds a labelled URL in the text of a script.
func (p *savedPage) listedLiteral(script string) (string, bool) {
	plain := strings.ReplaceAll(script, `\/`, "/")
	for _, l := range p.labels {
		if l.kind != "inline_script_url" || !l.third || !l.listed {
			continue
		}
		_, rest, _ := strings.Cut(l.url, "//")
		if rest != "" && strings.Contains(plain, rest) {
			return l.url, true
		}
	}
	return "", false
}

func normal(raw string) string {
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil {
		return raw
	}
	u.Fragment = ""
	return u.String()
}

func contains(list []string, s string) bool {
	for _, one := range list {
		if one == s {
			return true
		}
	}
	return false
}

func differ(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

func body(t *testing.T, r io.ReadCloser) string {
	t.Helper()
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
