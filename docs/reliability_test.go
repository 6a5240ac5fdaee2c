package docs

import (
	"strings"
	"testing"
)

// TestReliabilityNamesTests checks that every fault of reliability.md has tests,
// and that these exist and cannot skip.
func TestReliabilityNamesTests(t *testing.T) {
	_, faults, ok := strings.Cut(read(t, "reliability.md"), "| fault | ")
	if !ok {
		t.Fatal("reliability.md has no table of faults")
	}
	for _, line := range strings.Split(faults, "\n")[2:] {
		tests := testLink.FindAllStringSubmatch(line, -1)
		if strings.HasPrefix(line, "| ") && len(tests) == 0 {
			t.Errorf("no test: %s", line)
		}
		for _, m := range tests {
			fn := findTest(t, m[2], m[1])
			if fn == nil {
				t.Errorf("%s has no %s", m[2], m[1])
			} else if skips(fn) {
				t.Errorf("%s can skip: it proves nothing then", m[1])
			}
		}
	}
}
