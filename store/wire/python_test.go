package wire_test

import (
	"os/exec"
	"testing"
)

// TestPythonPacksTheSame lets Python's msgpack read every vector and write it
// again: the bytes are the same. It runs in `make test-long` and needs the
// module: apt-get install python3-msgpack, or pip install msgpack.
func TestPythonPacksTheSame(t *testing.T) {
	if !long() {
		t.Skip("NACRE_LONG is not set")
	}
	if out, err := exec.Command("python3", "../../testdata/wire/check.py").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}
