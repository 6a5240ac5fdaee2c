package verdict

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// Interval is a median with a 95 % confidence interval.
type Interval struct {
	Mid float64 `json:"mid"`
	Lo  float64 `json:"lo"`
	Hi  float64 `json:"hi"`
	N   int     `json:"n"` // Pairs.
}

func (i Interval) String() string { return fmt.Sprintf("%.2f [%.2f, %.2f]", i.Mid, i.Lo, i.Hi) }

// Ratio is the median of a/b over pairs measured side by side. Its interval comes from resampling the pairs:
// what moves both sides alike cancels in each.
func Ratio(a, b []float64) Interval {
	var logs []float64
	for i := range min(len(a), len(b)) {
		if a[i] > 0 && b[i] > 0 {
			logs = append(logs, math.Log(a[i]/b[i]))
		}
	}
	if len(logs) == 0 {
		return Interval{Mid: math.NaN(), Lo: math.NaN(), Hi: math.NaN()}
	}
	rng := rand.New(rand.NewPCG(1, 1))
	const draws = 4000
	medians := make([]float64, draws)
	pick := make([]float64, len(logs))
	for i := range medians {
		for j := range pick {
			pick[j] = logs[rng.IntN(len(logs))]
		}
		medians[i] = median(pick)
	}
	slices.Sort(medians)
	return Interval{
		Mid: math.Exp(median(slices.Clone(logs))), N: len(logs),
		Lo: math.Exp(medians[draws*25/1000]), Hi: math.Exp(medians[draws*975/1000-1]),
	}
}

// median reorders v.
func median(v []float64) float64 {
	slices.Sort(v)
	n := len(v)
	if n%2 == 1 {
		return v[n/2]
	}
	return (v[n/2-1] + v[n/2]) / 2
}

// The limits of "without degradation": the interval must lie below the gate; the goal is only shown.
const (
	GateRatio = 1.25
	GoalRatio = 1.15
)

// Degradation judges "many keys are as fast as few": r is the ratio of p95s, raw is the same of the raw client.
// The rounds of both keyspaces say whether the machine was quiet enough to call a high ratio a breach.
func Degradation(claim string, r, raw Interval, rounds []Round) Judgement {
	j := Judgement{Claim: claim, Outcome: Inconclusive, Figure: fmt.Sprintf("%s, raw client %s", r, raw)}
	switch {
	case math.IsNaN(r.Mid) || r.N < Rounds:
		j.Reason = "too few pairs"
	case r.Hi <= GateRatio:
		j.Outcome, j.Reason = Pass, fmt.Sprintf("at most %.2f, gate %.2f, goal %.2f", r.Hi, GateRatio, GoalRatio)
	case r.Lo > GateRatio && raw.Lo > GateRatio:
		j.Reason = "the raw client degrades as well: Redis or the machine, not the store"
	case r.Lo > GateRatio && noise(rounds) != "":
		j.Reason = fmt.Sprintf("at least %.2f, but ", r.Lo) + noise(rounds)
	case r.Lo > GateRatio:
		j.Outcome, j.Reason = Fail, fmt.Sprintf("at least %.2f, gate %.2f", r.Lo, GateRatio)
	default:
		j.Reason = fmt.Sprintf("the interval [%.2f, %.2f] holds the gate %.2f", r.Lo, r.Hi, GateRatio)
	}
	return j
}
