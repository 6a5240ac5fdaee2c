package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nacre-store/nacre/bench/internal/verdict"
)

// The goals beyond the claim. They are shown with what limits them where they are missed, and decide nothing.
const (
	goalRate  = 20_000
	goalP95   = 250 * time.Microsecond
	goalP999  = time.Millisecond
	goalSweep = 100_000
)

// A Goal is a figure that is aimed at.
type Goal struct {
	Name    string `json:"name"`
	Want    string `json:"want"`
	Got     string `json:"got"`
	Reached bool   `json:"reached"`
	Limit   string `json:"limit,omitempty"` // What stood in the way.
}

// Goals are those that the run measured.
func Goals(s *Summary) []Goal {
	var out []Goal
	for _, c := range s.Cells {
		if c.Client != store || c.Loop != "open" || c.Rate != goalRate || c.Durable != nil || c.Response.N == 0 {
			continue
		}
		l := c.Response
		g := Goal{
			Name: strings.TrimPrefix(c.Workload, "20k/s ") + ", " + c.Keys + " keys, " + Thousands(goalRate) + "/s", Want: "p95 < 250 µs, p99.9 < 1 ms",
			Got:     "p95 " + verdict.Micros(l.P95) + ", p99.9 " + verdict.Micros(l.P999),
			Reached: keeps(c),
		}
		if !g.Reached {
			g.Limit = limitOf(c, s)
		}
		out = append(out, g)
	}
	for _, l := range s.Loaded {
		steps := stepsOf(s, l.Keys)
		if len(steps) == 0 {
			continue
		}
		g := Goal{Name: "80 % reads, " + l.Keys + " keys, the sweep", Want: "p95 < " + verdict.Micros(s.Params.SLO) + " up to " + Thousands(goalSweep) + "/s", Got: Knee(steps, s.Params.SLO)}
		_, best, _ := kneeOf(steps, s.Params.SLO)
		g.Reached = best >= goalSweep
		out = append(out, g)
	}
	for _, p := range s.Peers {
		if strings.HasSuffix(p.Name, "(A/A)") {
			r := p.P95Ratio
			out = append(out, Goal{
				Name: "A/A of " + p.Workload + "s, p95", Want: fmt.Sprintf("%.2f to %.2f", aaLo, aaHi), Got: r.String(), Reached: r.Mid >= aaLo && r.Mid <= aaHi,
			})
		}
	}
	return out
}

// Word for a goal.
func (g Goal) Word() string {
	if g.Reached {
		return "kept"
	}
	return "missed"
}

// store is the client that the goals are of.
const store = "nacre"

func keeps(c *Cell) bool {
	return c.Response.P95 < goalP95 && c.Response.P999 < goalP999 && c.Errors+c.Mismatch == 0 && c.Achieved >= verdict.NeedAchieved
}

// limitOf says what a cell that misses its goal shows: the raw client under the same load, how busy the
// processors were, and what the slow slices had in common.
func limitOf(c *Cell, s *Summary) string {
	var parts []string
	i := slices.IndexFunc(s.Cells, func(o *Cell) bool { return o.Client != c.Client && o.Workload == c.Workload && o.Keys == c.Keys })
	if i >= 0 {
		word := "keeps it"
		if !keeps(s.Cells[i]) {
			word = "misses it too"
		}
		r := s.Cells[i].Response
		parts = append(parts, fmt.Sprintf("%s %s (p95 %s, p99.9 %s)", s.Cells[i].Client, word, verdict.Micros(r.P95), verdict.Micros(r.P999)))
	}
	if c.Spent.Elapsed > 0 {
		parts = append(parts, c.Spent.Use(s.Environment.Cores))
	}
	if stalls := c.Spent.Stalls(); stalls != "" {
		parts = append(parts, stalls)
	}
	return strings.Join(parts, "; ")
}
