package docs

import (
	"os"
	"testing"
)

// TestComposeIsTheSpecs compares docker-compose.yml with the block of the
// spec, byte by byte: spec-compose.yaml is that block and changes with it only.
func TestComposeIsTheSpecs(t *testing.T) {
	want, err := os.ReadFile("../testdata/spec-compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../docker-compose.yml")
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("docker-compose.yml is not the block of the spec:\n%s\nwant:\n%s", got, want)
	}
}
