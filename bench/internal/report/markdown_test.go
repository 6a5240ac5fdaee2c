package report

import (
	"regexp"
	"strings"
	"testing"
)

// Every row of every table has the cells of its head, and what is missed is marked.
func TestMarkdown(t *testing.T) {
	s := made()
	for _, c := range s.Cells {
		c.Response, c.Rate = LatencyOf(c.Hist), 10_000
	}
	s.Cells[0].Response.P95 = 2 * s.Params.SLO
	var b strings.Builder
	if err := Markdown(&b, s); err != nil {
		t.Fatal(err)
	}
	cells := 0
	for line := range strings.Lines(b.String()) {
		n := strings.Count(line, "|")
		switch {
		case n == 0:
			cells = 0
		case cells == 0:
			cells = n
		case n != cells:
			t.Errorf("%d cell borders, not %d: %s", n, cells, line)
		}
	}
	for _, want := range []string{
		"**Latency**", "**2.00 ms**", "└ durable in Redis", "**Many keys**", "**The knee**", "| 1M | p95 < 1.00 ms up to 120,000/s", "read: raw rueidis again (A/A)",
		"GET, pipeline depth 16", "| protobuf | 700 |", "| missed | p95 300 µs | raw rueidis keeps it |", "**PASS**", "not pinned",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in:\n%s", want, b.String())
		}
	}
	if bad := regexp.MustCompile(`%!|NaN|\n\n\n`).FindString(b.String()); bad != "" {
		t.Errorf("%q in:\n%s", bad, b.String())
	}
}
