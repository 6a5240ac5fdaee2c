package main

import (
	"bytes"
	"flag"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "write goldens anew")

const okCases = "../../testdata/gen/ok"

// TestGolden runs gen on the schema files of every case. The files under out/
// are what it must write, to the byte.
func TestGolden(t *testing.T) {
	for _, path := range caseFiles(t) {
		t.Run(caseName(path), func(t *testing.T) {
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			out := runCase(t, caseName(path), archive)
			if *update {
				archive.Files = slices.DeleteFunc(archive.Files, isOut)
				for _, name := range slices.Sorted(maps.Keys(out)) {
					archive.Files = append(archive.Files, txtar.File{Name: "out/" + name, Data: out[name]})
				}
				if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			for _, f := range archive.Files {
				if name, ok := strings.CutPrefix(f.Name, "out/"); ok {
					if !bytes.Equal(out[name], f.Data) {
						t.Errorf("%s (go test ./cmd/gen -update writes it anew)\n%s", name, diff(change{name, f.Data, out[name]}))
					}
					delete(out, name)
				}
			}
			for name := range out {
				t.Errorf("%s is not in the case", name)
			}
		})
	}
}

// TestGoldenCompiles vets what the cases hold, as packages of a module that
// uses this one.
func TestGoldenCompiles(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the go command")
	}
	dir := newModule(t)
	for _, path := range caseFiles(t) {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range archive.Files {
			if name, ok := strings.CutPrefix(f.Name, "out/"); ok {
				writeFile(t, filepath.Join(dir, "gen", caseName(path), name), f.Data)
			}
		}
	}
	goCommand(t, dir, "vet", "./...")
}

// newModule makes a module that uses this one from where it is, with the
// versions of the other modules that this one has, and returns its folder.
func newModule(t testing.TB) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	sum, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	_, requires, _ := strings.Cut(string(mod), "\n")
	writeFile(t, filepath.Join(dir, "go.mod"), []byte("module example.com/user\n"+requires+`
require github.com/nacre-store/nacre v0.0.0

tool github.com/nacre-store/nacre/cmd/gen

replace github.com/nacre-store/nacre => `+root+"\n"))
	writeFile(t, filepath.Join(dir, "go.sum"), sum)
	return dir
}

// goCommand runs the go command in a folder and returns what it printed.
func goCommand(t testing.TB, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// runCase lays the schema of a case out, runs gen twice and returns what it wrote.
func runCase(t *testing.T, name string, archive *txtar.Archive) map[string][]byte {
	t.Helper()
	root := t.TempDir()
	schema, out := filepath.Join(root, "schema", name), filepath.Join(root, "gen", name)
	writeFile(t, filepath.Join(root, "go.mod"), []byte("module golden\n"))
	for _, f := range archive.Files {
		if !isOut(f) {
			writeFile(t, filepath.Join(schema, f.Name), f.Data)
		}
	}
	gen(t, 0, "-schema", schema, "-out", out)
	files := readDir(t, out)
	gen(t, 0, "-schema", schema, "-out", out, "-check")
	return files
}

// gen runs the command in this process, fails unless it ends with the status,
// and returns what it printed.
func gen(t testing.TB, status int, args ...string) (stdout, stderr string) {
	t.Helper()
	var o, e bytes.Buffer
	if got := run(args, &o, &e); got != status {
		t.Fatalf("gen %s: status %d, want %d\n%s%s", strings.Join(args, " "), got, status, o.String(), e.String())
	}
	return o.String(), e.String()
}

func caseFiles(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob(okCases + "/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no cases in %s: %v", okCases, err)
	}
	return paths
}

func caseName(path string) string { return strings.TrimSuffix(filepath.Base(path), ".txtar") }

func isOut(f txtar.File) bool { return strings.HasPrefix(f.Name, "out/") }

func writeFile(t testing.TB, path string, b []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
}

// readDir returns the files of a folder by name.
func readDir(t testing.TB, dir string) map[string][]byte {
	t.Helper()
	files := make(map[string][]byte)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		f, err := os.Open(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		files[e.Name()] = b
	}
	return files
}

// gofmt returns the names of the files below dir that gofmt would change.
func gofmt(t testing.TB, dir string) string {
	t.Helper()
	out, err := exec.Command("gofmt", "-l", dir).CombinedOutput()
	if err != nil {
		t.Fatalf("gofmt: %v\n%s", err, out)
	}
	return string(out)
}
