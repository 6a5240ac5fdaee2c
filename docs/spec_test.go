package docs

import (
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A row of spec.md: a line of the specification, where it lives, and the tests
// that show it, each as [TestName](file_test.go).
type specRow struct {
	at    int // line in spec.md
	line  string
	tests [][]string // file and name of each
}

var testLink = regexp.MustCompile(`\[([A-Za-z0-9_]+)\]\(([^)#]+_test\.go)\)`)

// specRows reads every table of spec.md that has three columns.
func specRows(t *testing.T) []specRow {
	t.Helper()
	var rows []specRow
	for i, line := range strings.Split(read(t, "spec.md"), "\n") {
		cells := strings.Split(strings.Trim(line, "|"), " | ")
		if !strings.HasPrefix(line, "| ") || len(cells) != 3 || strings.HasPrefix(cells[0], " line of the") {
			continue
		}
		rows = append(rows, specRow{at: i + 1, line: strings.TrimSpace(cells[0]), tests: testLink.FindAllStringSubmatch(cells[2], -1)})
	}
	if len(rows) == 0 {
		t.Fatal("spec.md has no rows")
	}
	return rows
}

// TestSpecNamesTests checks that every row of spec.md names tests, and that
// these exist, are built everywhere and cannot skip.
func TestSpecNamesTests(t *testing.T) {
	for _, row := range specRows(t) {
		if len(row.tests) == 0 {
			t.Errorf("spec.md:%d: %q: no test", row.at, row.line)
		}
		for _, m := range row.tests {
			fn := findTest(t, m[2], m[1])
			if fn == nil {
				t.Errorf("spec.md:%d: %s has no %s", row.at, m[2], m[1])
			} else if skips(fn) {
				t.Errorf("spec.md:%d: %s can skip: it proves nothing then", row.at, m[1])
			}
		}
	}
}

// TestSpecIsComplete checks that every line of the two documents of the
// specification that demands something has its row.
func TestSpecIsComplete(t *testing.T) {
	page := map[string]bool{}
	for _, row := range specRows(t) {
		page[row.line] = true
	}
	paths, err := filepath.Glob("../testdata/spec/*.md")
	if err != nil || len(paths) != 2 {
		t.Fatalf("specification: %v, %v", paths, err)
	}
	for _, path := range paths {
		for _, demand := range demands(read(t, path)) {
			if !page[demand] {
				t.Errorf("spec.md has no row for this line of %s: %s", filepath.Base(path), demand)
			}
		}
	}
}

// demands are the lines of a document that ask for something: list items, rows
// of tables, lines of blocks. The comment behind a line of code is no part of it.
func demands(text string) []string {
	var lines []string
	block := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "```"):
			if block == "" {
				block = line
			} else {
				block = ""
			}
			continue
		case block == "```yaml": // docker-compose.yml is compared as a whole
			continue
		case block != "":
			line, _, _ = strings.Cut(line, "#")
			line = strings.TrimSuffix(strings.TrimSpace(line), ",")
			if line == "" || line == ")" || line == "Examples:" || strings.HasPrefix(line, "from ") || strings.HasSuffix(line, "(") {
				continue
			}
			line = "`" + line + "`"
		case strings.HasPrefix(line, "- "):
			line = strings.TrimPrefix(line, "- ")
		case regexp.MustCompile(`^\d+\. `).MatchString(line):
			_, line, _ = strings.Cut(line, " ")
		case strings.HasPrefix(line, "**Key**"):
			line = strings.TrimPrefix(line, "**Key**: ")
		case strings.HasPrefix(line, "|") && !strings.HasPrefix(line, "|--") && !isHeading(line):
			cells := strings.Split(strings.Trim(line, "| "), "|")
			for i := range cells {
				cells[i] = strings.TrimSpace(cells[i])
			}
			line = strings.Join(cells, ", ")
		default:
			continue
		}
		lines = append(lines, line)
	}
	return lines
}

func isHeading(row string) bool {
	for _, heading := range []string{"| Field |", "| Component |", "| Data Type |"} {
		if strings.HasPrefix(row, heading) {
			return true
		}
	}
	return false
}

// findTest returns a test of a file that is built on every machine.
func findTest(t *testing.T, path, name string) *ast.FuncDecl {
	t.Helper()
	anywhere := build.Default
	anywhere.GOOS, anywhere.GOARCH = "none", "none"
	if ok, err := anywhere.MatchFile(filepath.Split(path)); err != nil || !ok {
		return nil
	}
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	for _, decl := range file.Decls {
		if fn, ok := decl.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == name {
			return fn
		}
	}
	return nil
}

func skips(fn *ast.FuncDecl) bool {
	found := false
	ast.Inspect(fn, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok && strings.HasPrefix(sel.Sel.Name, "Skip") {
			found = true
		}
		return true
	})
	return found
}
