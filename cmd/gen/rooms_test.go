package main

import (
	"strings"
	"testing"
)

const modulePath = "github.com/nacre-store/nacre/"

// TestRooms pins who may import whom: the store knows nothing of the generator
// or of emitted packages, and the generator nothing of the store, so that an
// emitted package that does not compile cannot keep the generator from being
// built.
func TestRooms(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the go command")
	}
	for _, c := range []struct {
		packages  string
		forbidden []string
	}{
		{"./store/...", []string{"gen/", "cmd/", "examples/"}},
		{"./store/wire", []string{"gen/", "cmd/", "examples/", "store", "store/internal/"}},
		{"./cmd/...", []string{"gen/", "store", "store/"}},
		{"./gen/...", []string{"cmd/", "store/storetest", "store/internal/redistest"}},
	} {
		out := goCommand(t, "../..", "list", "-deps", c.packages)
		ours := 0
		for path := range strings.FieldsSeq(out) {
			name, ok := strings.CutPrefix(path, modulePath)
			if !ok {
				continue
			}
			ours++
			for _, f := range c.forbidden {
				if name == f || strings.HasSuffix(f, "/") && strings.HasPrefix(name, f) {
					t.Errorf("%s depends on %s", c.packages, name)
				}
			}
		}
		if ours == 0 {
			t.Errorf("%s: nothing listed:\n%s", c.packages, out)
		}
	}
}
