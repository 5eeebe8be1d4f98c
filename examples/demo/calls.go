package demo

import (
	"cmp"
	_ "embed"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// A call is one request that reached a stand-in.
type call struct {
	Visit      string // Without, With, or empty where the browser does not say
	Service    string
	Name       string
	Kind       kind
	Method     string
	Host, Path string
	Sets       []string // names of the cookies it set
}

// Calls returns the ids of the services that were called from a visit (With or
// Without), sorted, each once.
func (d *Demo) Calls(visit string) []string {
	var ids []string
	for _, c := range d.calls.list() {
		if c.Visit == visit {
			ids = append(ids, c.Service)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// mostCalls bounds what is remembered; the oldest go first.
const mostCalls = 1000

type calls struct {
	mu   sync.Mutex
	made []call
}

func (c *calls) add(one call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.made) == mostCalls {
		c.made = slices.Delete(c.made, 0, 1)
	}
	c.made = append(c.made, one)
}

func (c *calls) list() []call {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.made)
}

func (c *calls) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.made = nil
}

//go:embed board.html
var boardHTML string

// A column of the board is one visit; a row is one service in it.
type column struct {
	Title, URL, Says string
	Calls            int
	Rows             []row
}

type row struct {
	Name    string
	Calls   int
	Sets    string
	Remark  string
	Details []string
}

// board shows what was called, or forgets it.
func (d *Demo) board(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/" {
		http.NotFound(w, r)
		return
	}
	if r.Method == http.MethodPost {
		d.calls.clear()
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	made := d.calls.list()
	columns := []column{
		newColumn("Without Consentgate", "http://"+Without+":"+d.port+"/", "The site as its server sends it.", Without, made),
		newColumn("With Consentgate", "http://"+With+":"+d.port+"/", "The same site, the same server, through the gateway.", With, made),
	}
	page, err := template.New("board").Parse(boardHTML)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	page.Execute(w, columns)
}

func newColumn(title, url, says, visit string, made []call) column {
	c := column{Title: title, URL: url, Says: says}
	rows := map[string]*row{}
	for _, one := range made {
		if one.Visit != visit {
			continue
		}
		c.Calls++
		r := rows[one.Name]
		if r == nil {
			r = &row{Name: one.Name, Remark: remark(one.Service)}
			rows[one.Name] = r
		}
		r.Calls++
		r.add(one)
	}
	for _, r := range rows {
		c.Rows = append(c.Rows, *r)
	}
	slices.SortFunc(c.Rows, func(a, b row) int { return cmp.Compare(a.Name, b.Name) })
	return c
}

// remark says why somebody is called whom nobody was asked about.
func remark(service string) string {
	if service == "wp-engine" {
		return "Necessary: the company that hosts the site. It sets no cookie, and the picture is the site's own."
	}
	return ""
}

func (r *row) add(c call) {
	for _, name := range c.Sets {
		if !slices.Contains(strings.Split(r.Sets, ", "), name) {
			r.Sets = strings.TrimPrefix(r.Sets+", "+name, ", ")
		}
	}
	detail := fmt.Sprintf("%s: %s%s", c.Kind, c.Host, c.Path)
	if !slices.Contains(r.Details, detail) {
		r.Details = append(r.Details, detail)
	}
}
