package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

type rules struct {
	module  string              // import path of the whole
	rooms   []room              //
	modules map[string][]string // third-party module -> the rooms that may import it
	folders []string            // allowed at the top level
	longest int                 // lines of a file that is no test
}

type room struct {
	dir   string   // below the top; "x/..." for every package below x
	ours  []string // rooms it may import
	never []string // standard packages it must not import
}

// checkTree parses the Go files below top and says what breaks the rules. It
// parses, rather than asking the go command, because the test cache sees the
// files a test opens but not what a child process reads.
func checkTree(t *testing.T, top string, r rules) []string {
	t.Helper()
	c := checker{rules: r, files: token.NewFileSet(), packages: map[string]map[string]*ast.File{}}
	c.topFolders(t, top)
	err := filepath.WalkDir(top, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(top, name)
		if err != nil {
			return err
		}
		return c.visit(name, filepath.ToSlash(rel), d)
	})
	if err != nil {
		t.Fatal(err)
	}
	for dir, files := range c.packages {
		c.checkPackage(dir, files)
	}
	slices.Sort(c.violations)
	return slices.Compact(c.violations)
}

type checker struct {
	rules
	files      *token.FileSet
	packages   map[string]map[string]*ast.File // folder -> file -> syntax
	violations []string
}

func (c *checker) say(format string, args ...any) {
	c.violations = append(c.violations, fmt.Sprintf(format, args...))
}

func (c *checker) topFolders(t *testing.T, top string) {
	entries, err := os.ReadDir(top)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() && !ignored(e.Name()) && !slices.Contains(c.folders, e.Name()) {
			c.say("%s: a folder at the top level; there are only %s", e.Name(), strings.Join(c.folders, ", "))
		}
	}
}

// ignored names folders that hold no source: hidden ones, and those that
// .gitignore lists at the top.
func ignored(name string) bool {
	return strings.HasPrefix(name, ".") || name == "bin" || name == "data"
}

func (c *checker) visit(name, rel string, d fs.DirEntry) error {
	switch base := d.Name(); {
	case rel == ".":
		return nil
	case d.IsDir() && isModule(name):
		return fs.SkipDir // a module of its own has walls of its own
	case d.IsDir() && (base == "testdata" || strings.HasPrefix(base, ".") || rel == "bin" || rel == "data"):
		return fs.SkipDir
	case d.IsDir() || path.Ext(base) != ".go":
		return nil
	}
	file, err := parser.ParseFile(c.files, name, nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	if strings.HasSuffix(rel, "_test.go") {
		return nil
	}
	if n := c.files.File(file.Pos()).LineCount(); n > c.longest {
		c.say("%s: %d lines; over %d a file is rarely one idea", rel, n, c.longest)
	}
	dir := path.Dir(rel)
	if c.packages[dir] == nil {
		c.packages[dir] = map[string]*ast.File{}
	}
	c.packages[dir][rel] = file
	return nil
}

func isModule(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil
}

func (c *checker) checkPackage(dir string, files map[string]*ast.File) {
	i := slices.IndexFunc(c.rooms, func(r room) bool { return matches(dir, r.dir) })
	if i < 0 {
		c.say("%s: not in the table of rooms", dir)
		return
	}
	documented := false
	for name, file := range files {
		documented = documented || isPackageDoc(file)
		for _, spec := range file.Imports {
			imported, _ := strconv.Unquote(spec.Path.Value)
			c.checkImport(c.rooms[i], dir, name, imported)
		}
	}
	if !documented {
		c.say("%s: no package comment", dir)
	}
	for _, v := range state(files) {
		c.say("%s", v)
	}
}

func isPackageDoc(file *ast.File) bool {
	doc := file.Doc.Text()
	return strings.HasPrefix(doc, "Package "+file.Name.Name+" ") ||
		file.Name.Name == "main" && strings.HasPrefix(doc, "Command ")
}

func (c *checker) checkImport(r room, dir, file, imported string) {
	ours, isOurs := strings.CutPrefix(imported, c.module+"/")
	switch {
	case isOurs && !matchesAny(ours, r.ours):
		c.say("%s: %s may not import %s", file, dir, ours)
	case isOurs:
	case !strings.Contains(strings.Split(imported, "/")[0], "."): // the standard library
		if matchesAny(imported, r.never) {
			c.say("%s: %s must never see %s", file, dir, imported)
		}
	default:
		c.checkModule(dir, file, imported)
	}
}

func (c *checker) checkModule(dir, file, imported string) {
	for module, rooms := range c.modules {
		if matches(imported, strings.TrimSuffix(module, "/...")+"/...") {
			if !matchesAny(dir, rooms) {
				c.say("%s: %s belongs to %s, not to %s", file, module, strings.Join(rooms, " and "), dir)
			}
			return
		}
	}
	c.say("%s: %s is not in the table of modules", file, imported)
}

// matches reports whether name is what pattern says: "a/b" itself, "a/..." a
// and all below it, "..." everything.
func matches(name, pattern string) bool {
	prefix, open := strings.CutSuffix(pattern, "...")
	if !open {
		return name == pattern
	}
	return strings.HasPrefix(name+"/", prefix)
}

func matchesAny(name string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return matches(name, p) })
}

// TestArchitectureRules breaks each rule once, in a tree of its own.
func TestArchitectureRules(t *testing.T) {
	archives, err := filepath.Glob("testdata/architecture/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, name := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			top := t.TempDir()
			var want string
			for _, f := range archive.Files {
				if f.Name == "want" {
					want = string(f.Data)
					continue
				}
				writeFile(t, filepath.Join(top, f.Name), f.Data)
			}
			got := checkTree(t, top, rules{
				module: "example.org/house",
				rooms: []room{
					{dir: "consent", never: []string{"net/http/..."}},
					{dir: "proxy", ours: []string{"consent"}},
					{dir: "proxy/..."},
				},
				modules: map[string][]string{"example.com/brotli": {"proxy"}, "golang.org/x/...": {"..."}},
				folders: []string{"consent", "proxy"},
				longest: 30,
			})
			if got := strings.Join(got, "\n"); strings.TrimSpace(got) != strings.TrimSpace(want) {
				t.Errorf("got:\n%s\n\nwant:\n%s", got, want)
			}
		})
	}
}

func writeFile(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o644); err != nil {
		t.Fatal(err)
	}
}
