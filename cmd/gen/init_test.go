package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestInit starts a schema in a new module the way its user does, and runs the
// test that comes with it.
func TestInit(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the go command")
	}
	dir := newModule(t)
	out := goCommand(t, dir, "tool", "github.com/nacre-store/nacre/cmd/gen", "init", "-package", "risk")
	for _, want := range []string{"wrote schema/nacre.schema.json", "wrote schema/risk/position.yaml", "wrote gen/risk/risk_test.go"} {
		if !strings.Contains(out, filepath.FromSlash(want)+"\n") {
			t.Errorf("printed\n%swant %s", out, want)
		}
	}
	goCommand(t, dir, "vet", "./...")
	goCommand(t, dir, "test", "./...")
	if out := goCommand(t, dir, "generate", "./..."); out != "" {
		t.Errorf("go generate printed %q", out)
	}
	gen(t, 0, "-schema", filepath.Join(dir, "schema/risk"), "-out", filepath.Join(dir, "gen/risk"), "-check")
	if unformatted := gofmt(t, dir); unformatted != "" {
		t.Errorf("gofmt would change %s", unformatted)
	}
}

// TestInitRefuses checks that init overwrites nothing.
func TestInitRefuses(t *testing.T) {
	dir := t.TempDir()
	_, stderr := gen(t, 1, "init", dir)
	if want := "gen: folder " + dir + ": is in no Go module (run go mod init first)\n"; stderr != want {
		t.Errorf("got %q, want %q", stderr, want)
	}
	writeFile(t, filepath.Join(dir, "go.mod"), []byte("module example.com/x\n"))
	_, stderr = gen(t, 1, "init", "-package", "Risk", dir)
	if want := "gen: package name \"Risk\": is no name for a package\n"; stderr != want {
		t.Errorf("got %q, want %q", stderr, want)
	}
	path := filepath.Join(dir, "gen", "desk", "desk_test.go")
	writeFile(t, path, []byte("package desk\n"))
	_, stderr = gen(t, 1, "init", dir)
	if want := "gen: " + path + ": exists already\n"; stderr != want {
		t.Errorf("got %q, want %q", stderr, want)
	}
	if _, err := os.Stat(filepath.Join(dir, "schema")); err == nil {
		t.Error("something was written")
	}
}
