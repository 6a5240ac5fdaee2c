package model_test

import (
	"fmt"
	"go/ast"
	"go/token"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/nacre-store/nacre/cmd/gen/internal/model"
)

// reference is schema/reference.yaml: the comment at its head, then the files
// that it consists of.
func reference(t *testing.T) (types, order, account, trade string) {
	t.Helper()
	b, err := os.ReadFile("../../../../schema/reference.yaml")
	if err != nil {
		t.Fatal(err)
	}
	parts := regexp.MustCompile(`(?m)^---.*$`).Split(string(b), -1)
	if len(parts) != 4 {
		t.Fatalf("%d files in the reference, want 4", len(parts))
	}
	return parts[0], parts[1], parts[2], parts[3]
}

// TestReference loads the reference and looks for everything that a model can
// express, so that the reference leaves no part of the language out.
func TestReference(t *testing.T) {
	types, order, account, trade := reference(t)
	files := fstest.MapFS{}
	for name, text := range map[string]string{"types": types, "order": order, "account": account, "trade": trade} {
		files[name+".yaml"] = &fstest.MapFile{Data: []byte(text)}
	}
	p, err := model.LoadFS(files, "schema/reference", "reference")
	if err != nil {
		t.Fatal(stderr(err))
	}
	has := map[string]bool{}
	fields := func(list []*model.Field, reserved []string) {
		for _, f := range list {
			has[fmt.Sprint("kind ", f.Type.Kind)] = true
			has["optional"] = has["optional"] || f.Optional
			has["max"] = has["max"] || f.Max > 0
			has["doc"] = has["doc"] || f.Doc != ""
		}
		has["reserved"] = has["reserved"] || len(reserved) > 0
	}
	for _, s := range p.Structs {
		fields(s.Fields, s.Reserved)
		has["struct doc"] = has["struct doc"] || s.Doc != ""
	}
	for _, table := range p.Tables {
		fields(table.Fields, table.Reserved)
		has["ttl"] = has["ttl"] || table.TTL > 0
		has["kept_by"] = has["kept_by"] || len(table.KeptBy) > 0
		has["holds"] = has["holds"] || len(table.Holds) > 0
		has["states"] = has["states"] || table.States != nil && table.States.List[1].TTL > 0
		for _, c := range table.Collections {
			has["hash"] = has["hash"] || c.Hash
			has["list"] = has["list"] || c.ID != nil && c.Count != nil && c.Capacity > 0
		}
		for _, x := range table.Indexes {
			has["state index"] = has["state index"] || x.Field == nil
			has["field index"] = has["field index"] || x.State == nil
			has["both index"] = has["both index"] || x.State != nil && x.Field != nil
		}
	}
	for _, s := range p.Series {
		fields(s.Fields, s.Reserved)
		has["series"] = s.Capacity > 0
	}
	want := []string{"optional", "max", "doc", "reserved", "struct doc", "ttl", "kept_by", "holds", "states", "hash", "list", "state index", "field index", "both index", "series"}
	for kind := model.String; kind <= model.Map; kind++ {
		want = append(want, fmt.Sprint("kind ", kind))
	}
	for _, w := range want {
		if !has[w] {
			t.Errorf("the reference has no %s", w)
		}
	}
}

// TestReferenceHasEveryKey reads package source for the keys that it knows and
// looks for each in the file of the reference that the reading function is for.
func TestReferenceHasEveryKey(t *testing.T) {
	types, order, account, trade := reference(t)
	rows := order + account
	in := map[string]string{
		"types": types, "structure": types, "fields": order,
		"table": rows, "collection": rows, "states": rows, "index": rows, "series": trade,
	}
	keys := 0
	eachFile(t, "../source", func(fset *token.FileSet, file *ast.File) {
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok {
				continue
			}
			ast.Inspect(f, func(n ast.Node) bool {
				list, ok := n.(*ast.CompositeLit)
				if !ok || !isKeys(list) {
					return true
				}
				for _, e := range list.Elts {
					name, err := strconv.Unquote(e.(*ast.CompositeLit).Elts[0].(*ast.BasicLit).Value)
					if err != nil {
						t.Fatal(err)
					}
					keys++
					text, ok := in[f.Name.Name]
					if !ok {
						t.Fatalf("%s: which file of the reference is %s for?", fset.Position(e.Pos()), f.Name.Name)
					}
					if !regexp.MustCompile(`(?m)^[^#]*\b` + name + `:`).MatchString(text) {
						t.Errorf("%s: the key %q is not in the reference", fset.Position(e.Pos()), name)
					}
				}
				return true
			})
		}
	})
	if keys < 25 {
		t.Errorf("found %d keys only: does this test still know how they are declared?", keys)
	}
	for _, key := range []string{"by"} {
		if !strings.Contains(order, key+":") {
			t.Errorf("the key %q is not in the reference", key)
		}
	}
}

// isKeys tells whether a literal is of the type []key.
func isKeys(list *ast.CompositeLit) bool {
	array, ok := list.Type.(*ast.ArrayType)
	if !ok {
		return false
	}
	elem, ok := array.Elt.(*ast.Ident)
	return ok && elem.Name == "key"
}
