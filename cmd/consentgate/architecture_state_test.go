package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

// state says where a package keeps something that changes: an init function, a
// variable that starts empty, one that some function writes to. It goes by
// names, without types, so it can miss a write through an alias; it is here to
// notice what somebody would write without thinking.
func state(files map[string]*ast.File) []string {
	var found []string
	vars := map[string]bool{}
	for name, file := range files {
		for _, decl := range file.Decls {
			switch decl := decl.(type) {
			case *ast.FuncDecl:
				if decl.Name.Name == "init" && decl.Recv == nil {
					found = append(found, name+": an init function")
				}
			case *ast.GenDecl:
				if decl.Tok == token.VAR {
					found = append(found, emptyVars(name, decl, vars)...)
				}
			}
		}
	}
	for name, file := range files {
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Body != nil {
				for _, v := range writes(f, vars) {
					found = append(found, fmt.Sprintf("%s: %s writes to the package variable %s", name, f.Name.Name, v))
				}
			}
		}
	}
	return found
}

// emptyVars adds the declared names to vars, and returns a complaint for each
// that has no value although nothing embeds one.
func emptyVars(file string, decl *ast.GenDecl, vars map[string]bool) []string {
	var found []string
	for _, spec := range decl.Specs {
		spec := spec.(*ast.ValueSpec)
		for _, name := range spec.Names {
			if name.Name == "_" {
				continue
			}
			vars[name.Name] = true
			if len(spec.Values) == 0 && !embeds(decl.Doc) && !embeds(spec.Doc) {
				found = append(found, fmt.Sprintf("%s: the package variable %s has no value, so something must set it", file, name.Name))
			}
		}
	}
	return found
}

func embeds(doc *ast.CommentGroup) bool {
	return doc != nil && slices.ContainsFunc(doc.List, func(c *ast.Comment) bool {
		return strings.HasPrefix(c.Text, "//go:embed ")
	})
}

// writes returns the names among vars that f assigns to, and does not declare
// itself.
func writes(f *ast.FuncDecl, vars map[string]bool) []string {
	local := map[string]bool{}
	var written []string
	target := func(e ast.Expr) {
		if name := root(e); vars[name] {
			written = append(written, name)
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Field:
			declare(local, n.Names...)
		case *ast.ValueSpec:
			declare(local, n.Names...)
		case *ast.RangeStmt:
			declareExprs(local, n.Tok, n.Key, n.Value)
		case *ast.AssignStmt:
			declareExprs(local, n.Tok, n.Lhs...)
			if n.Tok != token.DEFINE {
				for _, e := range n.Lhs {
					target(e)
				}
			}
		case *ast.IncDecStmt:
			target(n.X)
		case *ast.CallExpr:
			if fun, ok := n.Fun.(*ast.Ident); ok && (fun.Name == "delete" || fun.Name == "clear") {
				target(n.Args[0])
			}
		}
		return true
	})
	written = slices.DeleteFunc(written, func(name string) bool { return local[name] })
	slices.Sort(written)
	return slices.Compact(written)
}

func declare(local map[string]bool, names ...*ast.Ident) {
	for _, name := range names {
		local[name.Name] = true
	}
}

func declareExprs(local map[string]bool, tok token.Token, exprs ...ast.Expr) {
	for _, e := range exprs {
		if name, ok := e.(*ast.Ident); ok && tok == token.DEFINE {
			local[name.Name] = true
		}
	}
}

// root is x in x, x.f, x[i] and *x.
func root(e ast.Expr) string {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x.Name
		case *ast.SelectorExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		default:
			return ""
		}
	}
}
