package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestExportedNamesHaveDocs looks at every exported function, method, type,
// constant and variable of every package, the emitted ones included.
func TestExportedNamesHaveDocs(t *testing.T) {
	files := 0
	for path := range goFiles(t) {
		if strings.HasSuffix(path, "_test.go") || strings.HasSuffix(path, ".pb.go") { // protoc writes no comments
			continue
		}
		files++
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range undocumented(file) {
			t.Errorf("%s: exported %s has no doc comment", fset.Position(name.Pos()), name.Name)
		}
	}
	if files == 0 {
		t.Fatal("no Go file found")
	}
}

// goFiles lists the repository's Go files, by path from this folder.
func goFiles(t *testing.T) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && (d.Name() == "testdata" || d.Name() == "bin" || path != ".." && strings.HasPrefix(d.Name(), ".")):
				return filepath.SkipDir
			case strings.HasSuffix(path, ".go") && !yield(path):
				return filepath.SkipAll
			}
			return nil
		})
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
}

// saidByInterface are methods whose meaning every Go programmer knows.
var saidByInterface = map[string]bool{"Error": true, "Unwrap": true, "String": true}

// undocumented returns the exported names of a file that no comment explains.
// In a group of constants or variables the group's comment will do.
func undocumented(file *ast.File) []*ast.Ident {
	if file.Name.Name == "main" {
		return nil // nobody can import it
	}
	var names []*ast.Ident
	note := func(id *ast.Ident, docs ...*ast.CommentGroup) {
		if !id.IsExported() {
			return
		}
		for _, doc := range docs {
			if doc != nil {
				return
			}
		}
		names = append(names, id)
	}
	for _, decl := range file.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil || receiverIsExported(d.Recv) && !saidByInterface[d.Name.Name] {
				note(d.Name, d.Doc)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch s := spec.(type) {
				case *ast.TypeSpec:
					note(s.Name, s.Doc, d.Doc)
				case *ast.ValueSpec:
					for _, id := range s.Names {
						note(id, s.Doc, s.Comment, d.Doc)
					}
				}
			}
		}
	}
	return names
}

func receiverIsExported(recv *ast.FieldList) bool {
	typ := recv.List[0].Type
	for {
		switch x := typ.(type) {
		case *ast.StarExpr:
			typ = x.X
		case *ast.IndexExpr:
			typ = x.X
		case *ast.IndexListExpr:
			typ = x.X
		case *ast.Ident:
			return x.IsExported()
		default:
			return true
		}
	}
}
