package docs

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestAPI keeps the public surface of the store from drifting unseen: what
// `go doc -all` prints is in testdata/api, so that a change of it is part of
// the change that makes it.
func TestAPI(t *testing.T) {
	cmd := exec.Command("go", "doc", "-all", "./store")
	cmd.Dir = ".."
	var errs bytes.Buffer
	cmd.Stderr = &errs
	got, err := cmd.Output()
	if err != nil {
		t.Fatalf("go doc: %v\n%s", err, errs.Bytes())
	}
	path := filepath.Join("..", "testdata", "api", "store.txt")
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("the API of store is another one; go test ./docs -run TestAPI -update writes it anew\n%s", diff)
	}
}
