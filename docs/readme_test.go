package docs

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestReadmeFirstScreen compares the schema and the code that the README shows
// first with the example that they are taken from, and their lengths with what
// it says about them.
func TestReadmeFirstScreen(t *testing.T) {
	readme := read(t, "../README.md")
	for _, tc := range []struct {
		language, file, indent string
		lines                  int
	}{
		{"yaml", "../examples/quickstart/schema/position.yaml", "", 10},
		{"go", "../examples/quickstart/main.go", "\t", 8},
	} {
		m := regexp.MustCompile("(?s)```" + tc.language + "\n(.*?)```").FindStringSubmatch(readme)
		if m == nil {
			t.Errorf("README shows no %s", tc.language)
			continue
		}
		if n := strings.Count(m[1], "\n"); n != tc.lines {
			t.Errorf("README shows %d lines of %s, want %d", n, tc.language, tc.lines)
		}
		var code strings.Builder
		for line := range strings.Lines(m[1]) {
			code.WriteString(tc.indent + line)
		}
		if !strings.Contains(read(t, tc.file), code.String()) {
			t.Errorf("%s does not hold what README shows of it:\n%s", tc.file, code.String())
		}
	}
}

// TestReadmeOrder keeps the order in which a reader needs things.
func TestReadmeOrder(t *testing.T) {
	rest := read(t, "../README.md")
	for _, part := range []string{
		"\nNacre generates ", "ten lines of schema", "<!-- bench -->", "<!-- /bench -->",
		"make test ", "make bench ", "## One field, from the schema to Redis and back", "## Keys",
	} {
		_, after, found := strings.Cut(rest, part)
		if !found {
			t.Fatalf("README: no %q at its place", part)
		}
		rest = after
	}
}

// TestReadmeConsumer does in an empty module what the README tells a consumer
// to do in theirs.
func TestReadmeConsumer(t *testing.T) {
	m := regexp.MustCompile("(?s)```\n(go mod edit .*?)```").FindStringSubmatch(read(t, "../README.md"))
	if m == nil {
		t.Fatal("README does not say how to use the module")
	}
	here, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	script := "go mod init example.com/trader\n" + strings.ReplaceAll(m[1], "=../nacre", "='"+here+"'")
	cmd := exec.Command("bash", "-euxo", "pipefail", "-c", script)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if !regexp.MustCompile(`(?m)^ok\s+example.com/trader/gen/desk`).Match(out) {
		t.Errorf("no test of the new package ran:\n%s", out)
	}
}
