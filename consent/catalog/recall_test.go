package catalog

import (
	"bytes"
	"encoding/base64"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"golang.org/x/net/html"

	"github.com/numfocus/consentgate/consent"
)

// pagesDir holds saved pages of real sites with labels. They belong to their
// publishers and are no part of the project.
const pagesDir = "../../../shared/data/pages"

// donations is what withholds the one script of a page without trackers that is
// withheld all the same: it loads a donation service's script, which nobody has
// looked at, from a host the catalog does not know.
const donations = "unknown altruja.de"

// A savedPage is one of them.
type savedPage struct {
	file    string
	host    string
	control bool     // has no tracker
	labels  []string // third-party URLs in its inline scripts that block lists know
	scripts [][]byte // texts of those inline scripts that run
}

// TestScriptRecall measures on real pages which inline scripts are withheld from
// a visitor who has not chosen yet.
func TestScriptRecall(t *testing.T) {
	c := builtinCatalog(t)
	var labelled, missed, withheld, kept int
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "page\tscripts\tlabelled\tmissed\talso withheld")
	for _, p := range savedPages(t) {
		var row struct{ labelled, missed, withheld int }
		for _, text := range p.scripts {
			by := judge(c, p, text)
			switch url := p.labelIn(text); {
			case p.control && by != "" && by != donations:
				t.Errorf("%s has no tracker, but a script is withheld by %s: %.80q", p.file, by, text)
			case url != "":
				row.labelled++
				if by == "" {
					row.missed++
					t.Logf("%s: missed %s in %d bytes: %.100q", p.file, url, len(text), text)
				}
			case by != "":
				row.withheld++
				if testing.Verbose() {
					t.Logf("%s: withheld by %s, %d bytes: %.100q", p.file, by, len(text), text)
				}
			default:
				kept++
			}
		}
		labelled, missed, withheld = labelled+row.labelled, missed+row.missed, withheld+row.withheld
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\n", p.file, len(p.scripts), row.labelled, row.missed, row.withheld)
	}
	fmt.Fprintf(w, "all\t%d\t%d\t%d\t%d\n", labelled+withheld+kept, labelled, missed, withheld)
	w.Flush()
	recall := 1 - float64(missed)/float64(labelled)
	t.Logf("\n%srecall %.1f %%; of %d scripts without a label %d are withheld", table.String(), 100*recall, withheld+kept, withheld)
	if recall < 0.95 {
		t.Errorf("recall is %.1f %%, want 95 %%", 100*recall)
	}
}

// judge says by what a script is withheld from a visitor who has not chosen;
// empty: it is not.
func judge(c *Catalog, p savedPage, text []byte) string {
	undecided := consent.Policy{}.Decide(consent.Visitor{}, time.Now())
	if m := c.Script(text, func(s *consent.Service) bool { return !undecided.Allows(s) }); m.Service != nil {
		return string(m.Service.ID) + " " + m.Rule
	}
	host, ok := c.UnknownLoader(text, func(host []byte) bool {
		return Registrable(string(host)) == Registrable(p.host)
	})
	if ok {
		return "unknown " + string(host)
	}
	return ""
}

// labelIn returns a labelled URL that text contains.
func (p savedPage) labelIn(text []byte) string {
	plain := html.UnescapeString(strings.ReplaceAll(string(text), `\/`, "/"))
	for _, url := range p.labels {
		_, needle, _ := strings.Cut(url, "://")
		if strings.Contains(plain, strings.TrimSuffix(strings.TrimPrefix(needle, "www."), "/")) {
			return url
		}
	}
	return ""
}

func savedPages(t *testing.T) []savedPage {
	t.Helper()
	var pages []savedPage
	index := make(map[string]int)
	for _, row := range readTable(t, "MANIFEST.tsv") {
		var u URL
		u, _ = new(Parser).Parse(nil, []byte(row["url"]))
		index[row["file"]] = len(pages)
		pages = append(pages, savedPage{
			file: row["file"], host: string(u.Host), control: row["role"] == "control",
			scripts: inlineScripts(t, row["file"]),
		})
	}
	for _, row := range readTable(t, "labels.tsv") {
		listed := strings.Contains(row["blocked_by_list"], "EP") || strings.Contains(row["blocked_by_list"], "EL")
		if row["kind"] == "inline_script_url" && row["third_party"] == "1" && listed {
			p := &pages[index[row["page"]]]
			p.labels = append(p.labels, row["url"])
		}
	}
	return pages
}

// readTable reads a tab-separated file with a heading.
func readTable(t *testing.T, name string) []map[string]string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(pagesDir, name))
	if err != nil {
		missingData(t, err)
	}
	r := csv.NewReader(bytes.NewReader(data))
	r.Comma, r.LazyQuotes, r.FieldsPerRecord = '\t', true, -1
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var table []map[string]string
	for _, row := range rows[1:] {
		m := make(map[string]string)
		for i, cell := range row {
			m[rows[0][i]] = cell
		}
		table = append(table, m)
	}
	return table
}

// missingData skips a test for want of the saved pages, which only those who
// have them can run, and fails it where they must be there.
func missingData(t testing.TB, err error) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("the saved pages are missing: %v", err)
	}
	t.Skipf("needs the saved pages: %v", err)
}

// inlineScripts returns the texts of a page's scripts that run and are in the
// page itself.
func inlineScripts(t *testing.T, file string) (texts [][]byte) {
	t.Helper()
	f, err := os.Open(filepath.Join(pagesDir, file))
	if err != nil {
		missingData(t, err)
	}
	defer f.Close()
	z := html.NewTokenizer(f)
	for {
		switch z.Next() {
		case html.ErrorToken:
			return texts
		case html.StartTagToken:
			tok := z.Token()
			if tok.Data != "script" || !runs(tok) {
				continue
			}
			if src := attr(tok, "src"); src != "" {
				texts = append(texts, inDataURL(src)...)
			} else if z.Next() == html.TextToken {
				texts = append(texts, bytes.Clone(z.Raw()))
			}
		}
	}
}

// runs reports whether a script element runs, at once or after an optimiser
// plugin has put its type back.
func runs(tok html.Token) bool {
	typ := attr(tok, "type")
	for _, data := range []string{"text/plain", "json", "template", "html"} {
		if strings.Contains(typ, data) {
			return false
		}
	}
	return true
}

// inDataURL returns the script in a data: URL, none for other URLs.
func inDataURL(src string) [][]byte {
	rest, ok := strings.CutPrefix(src, "data:text/javascript")
	_, body, found := strings.Cut(rest, ";base64,")
	if !ok || !found {
		return nil
	}
	text, err := base64.StdEncoding.DecodeString(body)
	if err != nil {
		return nil
	}
	return [][]byte{text}
}

func attr(tok html.Token, name string) string {
	for _, a := range tok.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}
