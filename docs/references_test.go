package docs

import (
	"flag"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// This file keeps what the pages say about files true: a link leads to a file,
// and a link to a line leads to the line that holds the code quoted before it.

var update = flag.Bool("update", false, "write the line numbers of the references, and testdata/api, anew")

var (
	codePattern = regexp.MustCompile("`([^`\n]+)`")
	linkPattern = regexp.MustCompile(`\[[^\]]*\]\(([^)\s]+)\)`)
	linePattern = regexp.MustCompile(`\[([^\]]+):(\d+)\]\(([^)#\s]+)#L(\d+)\)`)
)

// pages are the Markdown pages of the repository, by path from this folder.
func pages(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, pattern := range []string{"../*.md", "*.md", "../examples/*/*.md", "../bench/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, found...)
	}
	if len(all) == 0 {
		t.Fatal("no pages")
	}
	return all
}

func TestLinks(t *testing.T) {
	for _, page := range pages(t) {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(text), "\n") {
			for _, m := range linkPattern.FindAllStringSubmatch(line, -1) {
				target, err := url.Parse(m[1])
				if err != nil {
					t.Errorf("%s:%d: %v", page, i+1, err)
				} else if target.Scheme == "" && target.Path != "" {
					if _, err := os.Stat(filepath.Join(filepath.Dir(page), target.Path)); err != nil {
						t.Errorf("%s:%d: link to %s: %v", page, i+1, m[1], err)
					}
				}
			}
		}
	}
}

func TestReferences(t *testing.T) {
	for _, page := range pages(t) {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		fixed, problems := check(filepath.Dir(page), string(text))
		for _, p := range problems {
			t.Errorf("%s:%s", page, p)
		}
		if *update && fixed != string(text) {
			if err := os.WriteFile(page, []byte(fixed), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// check looks at every reference of a page, and returns the page with the
// right numbers.
func check(dir, text string) (fixed string, problems []string) {
	var b strings.Builder
	end := 0
	for _, m := range linePattern.FindAllStringSubmatchIndex(text, -1) {
		part := func(i int) string { return text[m[2*i]:m[2*i+1]] }
		before, shown, target, was := text[end:m[0]], part(1), part(3), part(4)
		b.WriteString(before)
		end = m[1]
		problem := func(format string, args ...any) {
			line := 1 + strings.Count(text[:m[0]], "\n")
			problems = append(problems, fmt.Sprintf("%d: %s", line, fmt.Sprintf(format, args...)))
		}
		if !strings.HasSuffix(target, shown) {
			problem("the reference shows %s and leads to %s", shown, target)
		}
		code := quoted(before)
		now, err := where(filepath.Join(dir, target), code, was)
		if err != nil {
			problem("%v", err)
			now = was
		} else if !*update && (now != was || now != part(2)) {
			problem("`%s` stands in line %s of %s, not %s: run `go test ./docs -update`", code, now, target, was)
		}
		fmt.Fprintf(&b, "[%s:%s](%s#L%s)", shown, now, target, now)
	}
	return b.String() + text[end:], problems
}

// quoted is the last code of a text's last paragraph.
func quoted(text string) string {
	if i := strings.LastIndex(text, "\n\n"); i >= 0 {
		text = text[i:]
	}
	all := codePattern.FindAllStringSubmatch(text, -1)
	if all == nil {
		return ""
	}
	return all[len(all)-1][1]
}

// where returns the number of the line of a file that holds code, the one
// nearest to line number is. Spaces count as one.
func where(path, code, is string) (string, error) {
	if code == "" {
		return "", fmt.Errorf("reference to %s without code before it", path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	old, err := strconv.Atoi(is)
	if err != nil {
		return "", err
	}
	best := 0
	code = oneSpace(code)
	for i, line := range strings.Split(string(text), "\n") {
		if n := i + 1; strings.Contains(oneSpace(line), code) && (best == 0 || abs(n-old) < abs(best-old)) {
			best = n
		}
	}
	if best == 0 {
		return "", fmt.Errorf("%s has no line with `%s`", path, code)
	}
	return strconv.Itoa(best), nil
}

func oneSpace(s string) string { return strings.Join(strings.Fields(s), " ") }

func abs(n int) int { return max(n, -n) }
