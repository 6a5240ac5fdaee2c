package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/nacre-store/nacre/bench/internal/verdict"
)

// Knee says up to which rate a sweep kept the claim, and what broke it beyond.
func Knee(steps []Step, slo time.Duration) string {
	kept := ""
	for _, st := range steps {
		rate := Thousands(int(st.Rate)) + "/s"
		if st.P95 < slo && st.Achieved >= verdict.NeedAchieved && st.Errors == 0 {
			kept = rate
			continue
		}
		from := "p95 < " + verdict.Micros(slo) + " up to " + kept
		if kept == "" {
			from = "p95 < " + verdict.Micros(slo) + " at no rate of the sweep"
		}
		return from + "; at " + rate + " " + limit(st, slo)
	}
	return "p95 < " + verdict.Micros(slo) + " at every rate of the sweep, up to " + kept
}

// limit says what a step shows of its own limit. The raw client under the same load tells a machine that is at
// its end from a store that is.
func limit(st Step, slo time.Duration) string {
	switch {
	case st.Errors > 0:
		return fmt.Sprintf("%d requests failed", st.Errors)
	case st.Raw >= slo:
		return fmt.Sprintf("the raw client breaks it too (p95 %s): the machine or Redis is the limit", verdict.Micros(st.Raw))
	case st.LagP95 > verdict.MaxLag && st.P95 < slo+st.LagP95:
		return fmt.Sprintf("the generator is late by %s itself: no processor is left for it", verdict.Micros(st.LagP95))
	case st.P95 < slo:
		return fmt.Sprintf("only %.1f %% of the rate is reached", 100*st.Achieved)
	}
	return fmt.Sprintf("the raw client keeps it (p95 %s): what the store does beside is the limit", verdict.Micros(st.Raw))
}

// The A/A row compares the raw client with itself; where it is further from 1 than this, the machine is too
// unsteady for the ratios beside it.
const aaLo, aaHi = 0.93, 1.07

// AA says what the A/A row of a workload's peers tells about all of their rows.
func AA(peers []Peer) string {
	for _, p := range peers {
		if !strings.HasSuffix(p.Name, "(A/A)") {
			continue
		}
		r := p.P95Ratio
		say := fmt.Sprintf("A/A: the raw client's p95 against itself is %.2f [%.2f, %.2f], ", r.Mid, r.Lo, r.Hi)
		if r.Mid < aaLo || r.Mid > aaHi {
			return say + fmt.Sprintf("outside %.2f to %.2f: this machine was too unsteady for ratios", aaLo, aaHi)
		}
		return say + fmt.Sprintf("within %.2f to %.2f", aaLo, aaHi)
	}
	return ""
}
