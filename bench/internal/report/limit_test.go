package report

import (
	"strings"
	"testing"
	"time"

	"github.com/nacre-store/nacre/bench/internal/verdict"
)

func TestKnee(t *testing.T) {
	const us = time.Microsecond
	good := Step{Rate: 10_000, Achieved: 1, P95: 100 * us, Raw: 60 * us, LagP95: 5 * us}
	at := func(change func(*Step)) Step {
		s := good
		s.Rate = 20_000
		change(&s)
		return s
	}
	for want, steps := range map[string][]Step{
		"at every rate of the sweep, up to 10,000/s":                            {good},
		"up to 10,000/s; at 20,000/s the raw client breaks it too (p95 2.00 ms": {good, at(func(s *Step) { s.P95, s.Raw = 3000*us, 2000*us })},
		"up to 10,000/s; at 20,000/s the raw client keeps it (p95 60.0 µs)":     {good, at(func(s *Step) { s.P95 = 3000 * us })},
		"the generator is late by 900 µs itself":                                {good, at(func(s *Step) { s.P95, s.LagP95 = 1500*us, 900*us })},
		"at no rate of the sweep; at 20,000/s 3 requests failed":                {at(func(s *Step) { s.Errors = 3 }), good},
		"only 50.0 % of the rate is reached":                                    {good, at(func(s *Step) { s.Achieved = 0.5 })},
	} {
		if got := Knee(steps, time.Millisecond); !strings.Contains(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestAA(t *testing.T) {
	peers := func(mid float64) []Peer {
		return []Peer{{Name: "raw"}, {Name: "raw again (A/A)", P95Ratio: verdict.Interval{Mid: mid, Lo: mid - 0.1, Hi: mid + 0.1}}}
	}
	for mid, want := range map[float64]string{0.93: "1.03], within", 1.07: "within", 0.92: "too unsteady", 1.08: "too unsteady"} {
		if got := AA(peers(mid)); !strings.Contains(got, want) {
			t.Errorf("%v: %q, want %q", mid, got, want)
		}
	}
	if got := AA(peers(1)[:1]); got != "" {
		t.Errorf("without an A/A row: %q", got)
	}
}
