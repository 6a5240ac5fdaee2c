package report

import (
	"strings"
	"testing"
	"time"

	"github.com/nacre-store/nacre/bench/internal/probe"
	"github.com/nacre-store/nacre/bench/internal/verdict"
)

func TestGoals(t *testing.T) {
	const us = time.Microsecond
	cell := func(client string, rate float64, p95, p999 time.Duration) *Cell {
		return &Cell{Client: client, Workload: "write", Keys: "10k", Loop: "open", Rate: rate, Achieved: 1, Response: Latency{N: 1, P95: p95, P999: p999}}
	}
	slow := cell("nacre", 20_000, 300*us, 400*us)
	slow.Spent.Add(probe.Usage{Elapsed: time.Second, Client: 600 * time.Millisecond, Server: 900 * time.Millisecond, GC: true}, 3, 0)
	slow.Spent.Add(probe.Usage{Elapsed: time.Second, Client: 600 * time.Millisecond, Server: 900 * time.Millisecond}, 0, 0)
	for name, c := range map[string]struct {
		sum  Summary
		word string
		want []string // Of the limit.
	}{
		"kept":        {Summary{Cells: []*Cell{cell("nacre", 20_000, 249*us, 999*us)}}, "kept", nil},
		"p95":         {Summary{Cells: []*Cell{cell("nacre", 20_000, 250*us, 999*us)}}, "missed", nil},
		"p99.9":       {Summary{Cells: []*Cell{cell("nacre", 20_000, 249*us, 1000*us)}}, "missed", nil},
		"other rate":  {Summary{Cells: []*Cell{cell("nacre", 10_000, us, us)}}, "", nil},
		"raw as well": {Summary{Cells: []*Cell{cell("nacre", 20_000, us, 2000*us), cell("raw rueidis", 20_000, us, 1500*us)}}, "missed", []string{"raw rueidis misses it too (p95 1.00 µs, p99.9 1.50 ms)"}},
		"limits": {Summary{Environment: probe.Environment{Cores: 2}, Cells: []*Cell{slow, cell("raw rueidis", 20_000, us, us)}}, "missed",
			[]string{"raw rueidis keeps it", "client busy on 0.60, Redis on 0.90 of 2 processors", "1 of 2 slices", "collector at work in 1 (of the others: 0)"}},
		"sweep": {Summary{Params: Params{SLO: time.Millisecond}, Loaded: []Loaded{{Keys: "1M"}}, Sweep: []Step{
			{Keys: "1M", Rate: 80_000, Achieved: 1, P95: us}, {Keys: "1M", Rate: 100_000, Achieved: 1, P95: 2000 * us, Raw: us, Client: 1.1, Server: 0.8},
		}}, "missed", nil},
		"sweep kept": {Summary{Params: Params{SLO: time.Millisecond}, Loaded: []Loaded{{Keys: "1M"}}, Sweep: []Step{{Keys: "1M", Rate: 100_000, Achieved: 1, P95: us}}}, "kept", nil},
		"A/A":        {Summary{Peers: []Peer{{Name: "raw (A/A)", Workload: "read", P95Ratio: verdict.Interval{Mid: 1.08}}}}, "missed", nil},
	} {
		got := Goals(&c.sum)
		switch {
		case c.word == "" && len(got) == 0:
			continue
		case len(got) != 1 || got[0].Word() != c.word:
			t.Errorf("%s: %+v, want it %s", name, got, c.word)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(got[0].Limit, want) {
				t.Errorf("%s: %q lacks %q", name, got[0].Limit, want)
			}
		}
	}
}

// A slice counts as slow by its responses alone; what else happened is counted on both sides.
func TestSpent(t *testing.T) {
	var s Spent
	if s.Stalls() != "" {
		t.Error("stalls without a slice")
	}
	s.Add(probe.Usage{Elapsed: 50 * time.Millisecond, Waited: 999 * time.Microsecond}, 1, 999*time.Microsecond)
	s.Add(probe.Usage{Elapsed: 50 * time.Millisecond, Waited: time.Millisecond}, 7, time.Millisecond)
	s.Add(probe.Usage{Elapsed: 50 * time.Millisecond, Waited: time.Millisecond, GC: true}, 0, 0)
	want := Spent{Elapsed: 150 * time.Millisecond, Waited: 2999 * time.Microsecond, Slow: Company{Slices: 2, Waited: 1, Stalled: 1, Alone: 1}, Calm: Company{Slices: 1, GC: 1, Waited: 1}}
	if s != want {
		t.Errorf("got %+v, want %+v", s, want)
	}
	if got := s.Stalls(); !strings.HasPrefix(got, "2 of 3 slices") || !strings.Contains(got, "without a processor for 1 ms in 1 (of the others: 1)") || strings.Contains(got, "collector") {
		t.Error(got)
	}
}
