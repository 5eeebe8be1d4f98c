package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"github.com/numfocus/consentgate/consent"
)

// A finding is one mistake in a file, where a person can see it.
type finding struct {
	line, column  int // from 1; 0: the file as a whole
	problem, cure string
}

// A document is a YAML file that remembers where everything stood in it.
type document struct {
	name  string
	text  []byte
	root  *yaml.Node
	at    map[string]place // by path: "sites[0].notice.revision"
	wrong []finding
}

const emptyCure = "consentgate help config shows an example"

// A place is where the value of a path stands, and what was expected there.
type place struct {
	key, value *yaml.Node // key is nil in lists
	want       reflect.Type
}

// loadStrict reads text into the struct that into points to: a key the struct
// does not have, a key written twice and a value of another type are mistakes,
// and all of them are found at once.
func loadStrict(name string, text []byte, into any) *document {
	d := &document{name: name, text: text, at: map[string]place{}}
	root := new(yaml.Node)
	if err := yaml.Load(text, root); err != nil {
		d.addYAML(err)
		return d
	}
	if len(root.Content) == 0 {
		d.wrong = append(d.wrong, finding{problem: "the file is empty", cure: emptyCure})
		return d
	}
	d.root = root.Content[0]
	d.walk("", nil, d.root, reflect.TypeOf(into).Elem())
	if err := yaml.Load(text, into, yaml.WithUniqueKeys(false)); err != nil { // walk has seen those
		d.addYAML(err)
	}
	return d
}

// addMistakes places what a Check found, except where the value could not be
// read in the first place and that has been said already.
func (d *document) addMistakes(err error) {
	unread := map[[2]int]bool{}
	for _, f := range d.wrong {
		unread[[2]int{f.line, f.column}] = true
	}
	for _, m := range consent.Mistakes(err) {
		p, missing := d.find(m.Field)
		if unread[[2]int{p.value.Line, p.value.Column}] {
			continue
		}
		f := finding{line: p.value.Line, column: p.value.Column, problem: m.Problem, cure: m.Cure}
		if missing != "" {
			f.problem = missing + ": " + m.Problem
			if p.key != nil {
				f.line, f.column = p.key.Line, p.key.Column
			}
		}
		d.wrong = append(d.wrong, f)
	}
}

// find gives the place of a path; for one that is not in the file, the nearest
// above it that is, and what of the path is missing there.
func (d *document) find(path string) (p place, missing string) {
	for at := path; ; at = at[:max(0, strings.LastIndexAny(at, ".["))] {
		if p, ok := d.at[at]; ok {
			return p, strings.TrimPrefix(path[len(at):], ".")
		}
	}
}

// walk records where everything stands, and complains of keys that t has not.
func (d *document) walk(path string, key, n *yaml.Node, t reflect.Type) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	d.at[path] = place{key, n, t}
	switch {
	case isScalar(t):
	case n.Kind == yaml.MappingNode && t.Kind() == reflect.Struct:
		d.walkStruct(path, n, t)
	case n.Kind == yaml.MappingNode && t.Kind() == reflect.Map:
		for i := 0; i < len(n.Content); i += 2 {
			d.walkKey(path, n.Content[i], n.Content[i+1], t.Elem())
		}
	case n.Kind == yaml.SequenceNode && t.Kind() == reflect.Slice:
		for i, item := range n.Content {
			d.walk(path+"["+strconv.Itoa(i)+"]", nil, item, t.Elem())
		}
	}
}

func (d *document) walkStruct(path string, n *yaml.Node, t reflect.Type) {
	known := fields(t)
	for i := 0; i < len(n.Content); i += 2 {
		key := n.Content[i]
		want, ok := known[key.Value]
		if !ok {
			d.complain(key, fmt.Sprintf("%q is not a setting here", key.Value), didYouMean(key.Value, known))
			continue
		}
		d.walkKey(path, key, n.Content[i+1], want)
	}
}

func (d *document) walkKey(path string, key, n *yaml.Node, t reflect.Type) {
	path = join(path, key.Value)
	if first, twice := d.at[path]; twice {
		d.complain(key, fmt.Sprintf("%q stands in line %d already", key.Value, first.key.Line), "leave one of the two")
		return
	}
	d.walk(path, key, n, t)
}

func (d *document) complain(n *yaml.Node, problem, cure string) {
	d.wrong = append(d.wrong, finding{n.Line, n.Column, problem, cure})
}

// fields lists the keys of a struct with the types of their values.
func fields(t reflect.Type) map[string]reflect.Type {
	known := map[string]reflect.Type{}
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case name == "-" || !f.IsExported() && !f.Anonymous:
		case strings.Contains(options, "inline"):
			for k, v := range fields(f.Type) {
				known[k] = v
			}
		default:
			known[cmp.Or(name, strings.ToLower(f.Name))] = f.Type
		}
	}
	return known
}

// isScalar reports whether values of t are written as one word, although they
// may be a struct in memory.
func isScalar(t reflect.Type) bool {
	text := reflect.TypeFor[interface{ UnmarshalText([]byte) error }]()
	own := reflect.TypeFor[yaml.Unmarshaler]()
	pointer := reflect.PointerTo(t)
	return pointer.Implements(text) || pointer.Implements(own)
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// addYAML puts what the YAML library found into our words.
func (d *document) addYAML(err error) {
	var many *yaml.LoadErrors
	var one *yaml.LoadError
	switch {
	case errors.As(err, &many):
		for _, e := range many.Errors {
			d.wrong = append(d.wrong, d.reword(e))
		}
	case errors.As(err, &one):
		d.wrong = append(d.wrong, d.reword(one))
	default:
		d.wrong = append(d.wrong, finding{problem: err.Error()})
	}
}

func (d *document) reword(e *yaml.LoadError) finding {
	f := finding{line: e.Mark.Line, column: e.Mark.Column, problem: e.Message}
	if !strings.HasPrefix(e.Message, "cannot construct") {
		f.line, f.column = d.within(f.line, f.column)
		f.cure = "look for a bracket, a quote or an indentation before this place"
		if strings.Contains(d.line(f.line), "\t") {
			f.cure = "indent with spaces; YAML has no tabs"
		}
	}
	if strings.Contains(f.problem, "no documents in stream") {
		f.problem, f.cure = "the file is empty", emptyCure
		return f
	}
	for _, p := range d.at {
		if p.value.Line != f.line || p.value.Column != f.column {
			continue
		}
		name := "this"
		if p.key != nil {
			name = p.key.Value
		}
		f.problem = fmt.Sprintf("%s must be %s", name, describe(p.want))
		if p.want.Kind() == reflect.Slice && p.value.Kind == yaml.ScalarNode {
			f.cure = fmt.Sprintf("write [%s]", p.value.Value)
		}
	}
	return f
}

// describe says what a value of type t looks like in the file.
func describe(t reflect.Type) string {
	if t == reflect.TypeFor[time.Duration]() {
		return "a duration such as 30s, 15m or 4320h"
	}
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "a whole number"
	case reflect.Slice:
		return "a list"
	case reflect.Struct, reflect.Map:
		return "a block of settings, indented below it"
	default:
		return "a single word or text"
	}
}

// didYouMean proposes the key that is nearest to what was written, or else
// lists them all.
func didYouMean(written string, known map[string]reflect.Type) string {
	names := slices.Sorted(maps.Keys(known))
	if near := nearest(written, names); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return "there are " + strings.Join(names, ", ")
}

// print writes the findings in the order of the file, each with its line and a
// caret below the spot.
func (d *document) print(w io.Writer) {
	slices.SortStableFunc(d.wrong, func(a, b finding) int {
		return cmp.Or(cmp.Compare(a.line, b.line), cmp.Compare(a.column, b.column))
	})
	for _, f := range d.wrong {
		says := f.problem
		if f.cure != "" {
			says += "; " + f.cure
		}
		if f.line == 0 {
			fmt.Fprintf(w, "%s: %s\n", d.name, says)
			continue
		}
		fmt.Fprintf(w, "%s:%d:%d: %s\n  %s\n  %s^\n", d.name, f.line, f.column, says,
			strings.ReplaceAll(d.line(f.line), "\t", " "), strings.Repeat(" ", max(0, f.column-1)))
	}
}

// lineBreak is what YAML takes for one.
var lineBreak = regexp.MustCompile("\r\n|[\r\n\u0085\u2028\u2029]")

// line gives a line of the file, from 1; empty where there is none.
func (d *document) line(n int) string {
	lines := d.lines()
	if n < 1 || n > len(lines) {
		return ""
	}
	return lines[n-1]
}

func (d *document) lines() []string { return lineBreak.Split(string(d.text), -1) }

// within moves a position after the end of the file, where the library sees
// what is missing, to the end of its text.
func (d *document) within(line, column int) (int, int) {
	lines := d.lines()
	if line <= len(lines) && (line < len(lines) || lines[line-1] != "") {
		return line, column
	}
	last := len(lines)
	for last > 1 && strings.TrimSpace(lines[last-1]) == "" {
		last--
	}
	return last, 1 + utf8.RuneCountInString(lines[last-1])
}
