package wire_test

import (
	"os"
	"os/exec"
	"testing"
)

// TestPythonPacksTheSame lets Python's msgpack read every vector and write it
// again: the bytes are the same. `make test-long` finds or installs it.
func TestPythonPacksTheSame(t *testing.T) {
	python := os.Getenv("NACRE_PYTHON")
	switch {
	case !long():
		t.Skip("NACRE_LONG is not set")
	case python == "":
		t.Skip("NACRE_PYTHON is not set: make python found no Python with msgpack")
	}
	if out, err := exec.Command(python, "../../testdata/wire/check.py").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}
