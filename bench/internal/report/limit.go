package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/nacre-store/nacre/bench/internal/verdict"
)

// Knee says up to which rate a sweep kept the claim, and what broke it beyond.
func Knee(steps []Step, slo time.Duration) string {
	broke, best, is := kneeOf(steps, slo)
	kept, claim := Thousands(int(best))+"/s", "p95 < "+verdict.Micros(slo)
	switch {
	case !is:
		return claim + " at every rate of the sweep, up to " + kept
	case best == 0:
		kept = claim + " at no rate of the sweep"
	default:
		kept = claim + " up to " + kept
	}
	return kept + "; at " + Thousands(int(broke.Rate)) + "/s " + limit(broke, slo)
}

// kneeOf is the first step that broke the claim, if any did, and the last rate before it.
func kneeOf(steps []Step, slo time.Duration) (broke Step, best float64, is bool) {
	for _, st := range steps {
		if st.P95 >= slo || st.Achieved < verdict.NeedAchieved || st.Errors > 0 {
			return st, best, true
		}
		best = st.Rate
	}
	return Step{}, best, false
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
	s := fmt.Sprintf("the raw client keeps it (p95 %s): what the store does beside is the limit", verdict.Micros(st.Raw))
	if st.Server > 0 {
		s += fmt.Sprintf(", with the client busy on %.2f processors and Redis on %.2f", st.Client, st.Server)
	}
	return s
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
