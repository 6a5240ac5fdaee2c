package model_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// TestEveryMessageHasACase reads the sources of this package and of package
// source for the messages they can give, and looks for each in a case.
func TestEveryMessageHasACase(t *testing.T) {
	var expected strings.Builder
	for _, dir := range []string{errorCases, lockCases} {
		paths, err := filepath.Glob(filepath.Join(dir, "*.txtar"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			a, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range a.Files {
				if f.Name == "stderr" || f.Name == "changes" {
					expected.Write(f.Data)
				}
			}
		}
	}
	messages := 0
	for _, dir := range []string{".", "../source"} {
		eachFile(t, dir, func(fset *token.FileSet, file *ast.File) {
			ast.Inspect(file, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				look := func(text ast.Expr, before, after string) {
					for _, format := range literals(text) {
						messages++
						if !formatExpr(before, format, after).MatchString(expected.String()) {
							t.Errorf("%s: no case in testdata/gen for %q", fset.Position(text.Pos()), format)
						}
					}
				}
				switch name := called(call); {
				case name == "Addf" && len(call.Args) >= 3:
					look(call.Args[2], ": ", "$")
				case name == "bad" && len(call.Args) >= 2:
					look(call.Args[1], ": ", "$")
				case name == "refuse" && len(call.Args) >= 3:
					look(call.Args[2], ": ", "$")
				case name == "add" && len(call.Args) >= 5: // differ.add: why and what.
					look(call.Args[3], "", "")
					look(call.Args[4], ": ", ": ")
				}
				return true
			})
		})
	}
	if messages < 100 {
		t.Errorf("found %d messages only: does this test still know how they are made?", messages)
	}
}

func eachFile(t *testing.T, dir string, do func(*token.FileSet, *ast.File)) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no Go files in %s: %v", dir, err)
	}
	fset := token.NewFileSet()
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(fset, path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		do(fset, file)
	}
}

func called(call *ast.CallExpr) string {
	switch f := call.Fun.(type) {
	case *ast.SelectorExpr:
		return f.Sel.Name
	case *ast.Ident:
		return f.Name
	}
	return ""
}

// literals is the string literals of an expression: of "a" + x + "b" both.
func literals(e ast.Expr) []string {
	var list []string
	ast.Inspect(e, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if s, err := strconv.Unquote(lit.Value); err == nil {
				list = append(list, s)
			}
		}
		return true
	})
	return list
}

var verbs = regexp.MustCompile(`%[.0-9]*[a-zA-Z]`)

// formatExpr matches what a format string prints, between two expressions.
func formatExpr(before, format, after string) *regexp.Regexp {
	var b strings.Builder
	b.WriteString("(?m)" + before)
	last := 0
	for _, at := range verbs.FindAllStringIndex(format, -1) {
		b.WriteString(regexp.QuoteMeta(format[last:at[0]]))
		switch format[at[0]:at[1]] {
		case "%d":
			b.WriteString(`\d+`)
		case "%q":
			b.WriteString(`".*"`)
		default:
			b.WriteString(`.*`)
		}
		last = at[1]
	}
	b.WriteString(regexp.QuoteMeta(format[last:]) + after)
	return regexp.MustCompile(b.String())
}
