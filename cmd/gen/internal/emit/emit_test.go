package emit

import (
	"bytes"
	"errors"
	"go/format"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/nacre-store/nacre/cmd/gen/internal/model"
)

// trading loads the schema of the repository anew and emits it.
func trading(t *testing.T) map[string][]byte {
	t.Helper()
	pkg, err := model.Load("../../../../schema/trading", "schema/trading", "trading")
	if err != nil {
		t.Fatal(err)
	}
	files, err := Package(pkg, []byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestSameBytes(t *testing.T) {
	first := trading(t)
	for range 20 {
		if again := trading(t); !maps.EqualFunc(first, again, bytes.Equal) {
			t.Fatal("two runs differ")
		}
	}
}

// TestFormatted checks that gofmt leaves emitted files as they are, and that
// every file has the header that linters know, without a version or a date.
func TestFormatted(t *testing.T) {
	for name, b := range trading(t) {
		again, err := format.Source(b)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(b, again) {
			t.Errorf("gofmt changes %s", name)
		}
		line, _, _ := strings.Cut(string(b), "\n")
		want := Header + "schema/trading/" + strings.TrimSuffix(name, ".go") + ".yaml. DO NOT EDIT."
		switch name {
		case enumsFile, structsFile:
			want = Header + "schema/trading/types.yaml. DO NOT EDIT."
		case tablesFile:
			want = Header + "schema/trading. DO NOT EDIT."
		}
		if line != want {
			t.Errorf("%s begins %q, want %q", name, line, want)
		}
	}
}

func TestInternalError(t *testing.T) {
	p := newPrinter(nil)
	p.P("func broken( {}")
	_, err := p.source("broken.go", "schema/x", &model.Package{Name: "x"})
	e, ok := errors.AsType[*InternalError](err)
	if !ok {
		t.Fatalf("got %v", err)
	}
	if want := "internal error: broken.go: 5:"; !strings.HasPrefix(e.Error(), want) || !strings.Contains(e.Error(), "\n   5  func broken( {}") {
		t.Errorf("got %q", e.Error())
	}
}

// TestConstraints checks that every system and processor that the go command
// knows is in the list.
func TestConstraints(t *testing.T) {
	out, err := exec.Command("go", "tool", "dist", "list").Output()
	if err != nil {
		t.Fatal(err)
	}
	for pair := range strings.FieldsSeq(string(out)) {
		for word := range strings.SplitSeq(pair, "/") {
			if !slices.Contains(constraints, word) {
				t.Errorf("%s is missing", word)
			}
		}
	}
}

func TestFileNames(t *testing.T) {
	n := newNames(&model.Package{})
	for _, c := range [][2]string{
		{"order", "order.go"},
		{"stress_test", "stress_test_table.go"},
		{"linux", "linux.go"},
		{"on_linux", "on_linux_table.go"},
		{"on_linux_amd64", "on_linux_amd64_table.go"},
		{"enums", "enums_table.go"},
		{"enums_table", "enums_table2.go"},
		{"generate", "generate_table.go"},
	} {
		if got := n.file(c[0], "_table"); got != c[1] {
			t.Errorf("%s: %s, want %s", c[0], got, c[1])
		}
	}
}

// TestVariables checks that package variables never meet, whatever the schema's names.
func TestVariables(t *testing.T) {
	a := &model.Table{GoName: "A", Collections: []*model.Collection{{GoName: "BC"}, {GoName: "Table"}}}
	ab := &model.Table{GoName: "AB", Collections: []*model.Collection{{GoName: "C"}}}
	n := newNames(&model.Package{Tables: []*model.Table{a, ab}, Structs: []*model.Struct{{Name: "A"}}})
	if len(n.vars) != len(n.of) || len(n.of) != 8 {
		t.Errorf("%d variables for %d parts, want 8: %v", len(n.vars), len(n.of), n.vars)
	}
}

func TestUnexported(t *testing.T) {
	for in, want := range map[string]string{
		"PositionID": "positionID", "ID": "id", "IDMap": "idMap", "URL": "url", "A": "a", "HTTPVerb": "httpVerb", "Side": "side",
	} {
		if got := unexported(in); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}
