package catalog

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/numfocus/consentgate/consent"
)

// A source is a YAML file that is being read. It knows where things are, so
// that whatever is wrong can be shown.
type source struct {
	file string
	data []byte
	root yaml.Node
}

// load decodes the file into out, strictly, and returns everything wrong.
func (s *source) load(out any) []error {
	if err := yaml.Load(s.data, &s.root); err != nil {
		return s.explain(err)
	}
	if err := yaml.Load(s.data, out, yaml.WithKnownFields()); err != nil {
		return s.explain(err)
	}
	return nil
}

func (s *source) explain(err error) []error {
	var many *yaml.LoadErrors
	if errors.As(err, &many) {
		var errs []error
		for _, e := range many.Errors {
			errs = append(errs, s.at(e.Mark.Line, e.Mark.Column, errors.New(plain(e.Message))))
		}
		return errs
	}
	var one *yaml.LoadError
	if errors.As(err, &one) {
		return []error{s.at(one.Mark.Line, one.Mark.Column, errors.New(one.Message+"; check quotes, brackets and indentation"))}
	}
	return []error{s.at(1, 1, err)}
}

// plain turns the decoder's words, which name Go types, into words for who
// wrote the file.
func plain(message string) string {
	if rest, ok := strings.CutPrefix(message, "cannot construct "); ok {
		return unlike(message, rest)
	}
	rest, ok := strings.CutPrefix(message, "field ")
	key, typ, found := strings.Cut(rest, " not found in type catalog.")
	if !ok || !found {
		return message
	}
	known := map[string]reflect.Type{
		"vendorFile": reflect.TypeFor[vendorFile](),
		"listed":     reflect.TypeFor[listed](),
		"Signature":  reflect.TypeFor[Signature](),
		"Cookie":     reflect.TypeFor[Cookie](),
	}
	return fmt.Sprintf("unknown key %q; use %s", key, alternatives(keys(known[typ])))
}

// unlike says what should stand where something of another kind does. what is
// like "!!str `perhaps` into bool".
func unlike(message, what string) string {
	value, typ, found := strings.Cut(what, " into ")
	_, value, _ = strings.Cut(value, " ")
	switch {
	case !found:
		return message
	case typ == "bool":
		return value + " is neither yes nor no; write true or false"
	case strings.HasPrefix(typ, "[]"):
		return value + " is not a list; write [first, second] or a line with a dash for each"
	case strings.HasPrefix(typ, "catalog."):
		return value + " is not a set of keys; write {key: value} or a line for each key"
	}
	return "several values stand where one belongs; write a single text"
}

// keys lists the YAML keys of a struct type.
func keys(t reflect.Type) []string {
	if t == nil {
		return nil
	}
	var names []string
	for f := range t.Fields() {
		if f.Anonymous {
			names = append(names, keys(f.Type)...)
			continue
		}
		names = append(names, f.Tag.Get("yaml"))
	}
	return names
}

// locate puts the place of a mistake in front of it.
func (s *source) locate(m consent.Mistake) error {
	node := &s.root
	if node.Kind == yaml.DocumentNode && len(node.Content) > 0 {
		node = node.Content[0]
	}
	for _, step := range steps(m.Field) {
		next := child(node, step)
		if next == nil {
			break // it is missing: show where it should be
		}
		node = next
	}
	return s.at(max(node.Line, 1), max(node.Column, 1), m)
}

// steps splits a path: "services[3].cookies" is services, 3, cookies.
func steps(field string) []string {
	return strings.FieldsFunc(field, func(r rune) bool { return r == '.' || r == '[' || r == ']' })
}

func child(n *yaml.Node, step string) *yaml.Node {
	switch n.Kind {
	case yaml.SequenceNode:
		if i, err := strconv.Atoi(step); err == nil && i < len(n.Content) {
			return n.Content[i]
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == step {
				return n.Content[i+1]
			}
		}
	}
	return nil
}

// at shows an error with its place, the line and a mark under the column.
func (s *source) at(line, column int, err error) error {
	if line == 0 {
		return fmt.Errorf("%s: %w", s.file, err)
	}
	where := fmt.Sprintf("%s:%d:%d", s.file, line, column)
	lines := bytes.Split(s.data, []byte("\n"))
	if line > len(lines) {
		return fmt.Errorf("%s: %w", where, err)
	}
	text := strings.TrimRight(string(lines[line-1]), "\r")
	mark := strings.Repeat(" ", max(column-1, 0)) + "^"
	return fmt.Errorf("%s: %w\n    %s\n    %s", where, err, text, mark)
}
