package verdict

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// The exact ranks, at or one above mean + 1.645 sd of the binomial, which is their normal approximation.
func TestUpperRank(t *testing.T) {
	for n, want := range map[int64]float64{200: 98, 1_000: 96.2, 10_000: 95.4, 100_000: 95.1} {
		got := 100 * float64(upperRank(n, 0.95)) / float64(n)
		if math.Abs(got-want) > 0.06 {
			t.Errorf("n = %d: p%.2f, want p%.1f", n, got, want)
		}
	}
	if got := upperRank(50, 0.95); got != 51 {
		t.Errorf("n = 50: rank %d; no order statistic bounds the p95 of 50 samples", got)
	}
}

// The bound must be at or above the true percentile in 95 % of experiments, and useful: not far above it.
func TestUpperBoundCovers(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	const truth = 2.995732 * 1e6 // p95 of an exponential with a mean of 1 ms, in ns.
	covered, sum := 0, 0.0
	const runs = 400
	for range runs {
		h := hdrhistogram.New(1, int64(time.Minute), 3)
		for range 2000 {
			_ = h.RecordValue(int64(rng.ExpFloat64() * 1e6))
		}
		_, upper := P95(h)
		if float64(upper) >= truth {
			covered++
		}
		sum += float64(upper)
	}
	if covered < runs*92/100 || covered == runs {
		t.Errorf("covers the truth in %d of %d", covered, runs)
	}
	if mean := sum / runs; mean > 1.15*truth {
		t.Errorf("bound is %.2f of the truth on average", mean/truth)
	}
}

func TestQuantileIsARank(t *testing.T) {
	h := hdrhistogram.New(1, int64(time.Minute), 3)
	for v := int64(1); v <= 100; v++ {
		_ = h.RecordValue(v)
	}
	for q, want := range map[float64]time.Duration{0.5: 50, 0.95: 95, 0.99: 99, 1: 100, 0.001: 1} {
		if got := Quantile(h, q); got != want {
			t.Errorf("q = %v: %d, want %d", q, got, want)
		}
	}
}

const ms = time.Millisecond

func rounds(n int, change func(i int, r *Round)) []Round {
	out := make([]Round, n)
	for i := range out {
		out[i] = Round{P95: ms / 10, Upper: ms / 9, N: 20_000, Achieved: 1, LagP95: 10 * time.Microsecond, Control: ms / 20, Hiccup: 90 * time.Microsecond}
		if change != nil {
			change(i, &out[i])
		}
	}
	return out
}

func slow(r *Round) { r.P95, r.Upper = 2*ms, 2*ms }

func TestLatency(t *testing.T) {
	for name, c := range map[string]struct {
		n      int
		change func(int, *Round)
		want   Outcome
		reason string
		extend bool
	}{
		"all fast":              {5, nil, Pass, "", false},
		"none":                  {0, nil, Inconclusive, "no complete round", false},
		"too few":               {4, nil, Inconclusive, "a verdict needs 5", false},
		"one slow of five":      {5, func(i int, r *Round) { r.Upper = ms + time.Duration(i-4)*ms/2 }, Inconclusive, "don't agree", true},
		"bound counts, not p95": {5, func(_ int, r *Round) { r.Upper = ms }, Inconclusive, "don't agree", true},
		"one slow of ten": {10, func(i int, r *Round) {
			if i == 3 {
				slow(r)
			}
		}, Pass, "", false},
		"two slow of ten": {10, func(i int, r *Round) {
			if i < 2 {
				slow(r)
			}
		}, Inconclusive, "don't agree", false},
		"all slow": {5, func(_ int, r *Round) { slow(r) }, Fail, "raw client kept it in 5", false},
		"all slow, control once": {5, func(i int, r *Round) {
			slow(r)
			if i == 0 {
				r.Control = ms
			}
			r.Hiccup = 0
		}, Inconclusive, "raw client needed", false},
		"all slow, control too":    {5, func(_ int, r *Round) { slow(r); r.Control = 2 * ms }, Inconclusive, "raw client was slow", false},
		"all slow, machine stolen": {5, func(_ int, r *Round) { slow(r); r.Steal = 0.1 }, Inconclusive, "took up to 10.0 %", false},
		"all slow, machine stalls": {5, func(_ int, r *Round) { slow(r); r.Hiccup = ms }, Inconclusive, "stalls", false},
		"fast on a noisy machine":  {5, func(_ int, r *Round) { r.Steal = 0.1; r.Hiccup = ms }, Pass, "", false},
		"rate not reached": {5, func(i int, r *Round) {
			if i == 2 {
				r.Achieved = 0.98
			}
		}, Inconclusive, "98.0 %", false},
		"generator late": {5, func(i int, r *Round) {
			if i < 3 {
				r.LagP95 = ms / 5
			}
		}, Inconclusive, "generator", false},
		"generator late twice": {5, func(i int, r *Round) {
			if i < 2 {
				r.LagP95 = ms / 5
			}
		}, Pass, "", false},
		"one error": {5, func(i int, r *Round) {
			if i == 4 {
				r.Errors = 1
			}
		}, Fail, "1 errors", false},
		"one mismatch": {5, func(i int, r *Round) {
			if i == 0 {
				r.Mismatch = 1
			}
		}, Fail, "1 mismatched", false},
		"nine of ten slow": {10, func(i int, r *Round) {
			if i > 0 {
				slow(r)
			}
		}, Fail, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			r := rounds(c.n, c.change)
			if name == "one slow of five" {
				for i := range r {
					r[i].Upper = ms / 9
				}
				r[2].Upper = ms
			}
			j := Latency("claim", r, ms)
			if j.Outcome != c.want || !strings.Contains(j.Reason, c.reason) {
				t.Errorf("%s (%s), want %s (%s)", j.Outcome, j.Reason, c.want, c.reason)
			}
			if got := NeedsExtension(r, ms); got != c.extend {
				t.Errorf("extension: %v, want %v", got, c.extend)
			}
		})
	}
}

func TestRatio(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	a, b := make([]float64, 40), make([]float64, 40)
	for i := range a {
		weather := math.Exp(rng.NormFloat64()) // Moves both sides of a pair alike, by factors.
		a[i], b[i] = 1.1*weather*math.Exp(0.02*rng.NormFloat64()), weather
	}
	r := Ratio(a, b)
	if r.Lo > 1.1 || r.Hi < 1.1 || r.Hi-r.Lo > 0.05 || r.N != 40 {
		t.Errorf("ratio %v of a true 1.10", r)
	}
	if same := Ratio(a, a); same.Mid != 1 || same.Lo != 1 || same.Hi != 1 {
		t.Errorf("a against itself: %v", same)
	}
	if none := Ratio(nil, nil); !math.IsNaN(none.Mid) {
		t.Errorf("no pairs: %v", none)
	}
}

func TestDegradation(t *testing.T) {
	i := func(lo, hi float64) Interval { return Interval{Mid: (lo + hi) / 2, Lo: lo, Hi: hi, N: 20} }
	for name, c := range map[string]struct {
		ours, raw Interval
		rounds    []Round
		want      Outcome
	}{
		"below the gate":       {i(0.9, 1.25), i(0.9, 1.1), nil, Pass},
		"above the gate":       {i(1.3, 1.6), i(0.9, 1.1), rounds(5, nil), Fail},
		"on a noisy machine":   {i(1.3, 1.6), i(0.9, 1.1), rounds(5, func(_ int, r *Round) { r.Control = ms }), Inconclusive},
		"raw client also":      {i(1.3, 1.6), i(1.3, 1.5), nil, Inconclusive},
		"interval holds gate":  {i(1.1, 1.4), i(0.9, 1.1), nil, Inconclusive},
		"too few pairs":        {Interval{Mid: 1, Lo: 1, Hi: 1, N: 4}, i(0.9, 1.1), nil, Inconclusive},
		"nothing was measured": {Ratio(nil, nil), Ratio(nil, nil), nil, Inconclusive},
	} {
		if j := Degradation("claim", c.ours, c.raw, c.rounds); j.Outcome != c.want {
			t.Errorf("%s: %s (%s), want %s", name, j.Outcome, j.Reason, c.want)
		}
	}
}

func TestWorstAndExit(t *testing.T) {
	for _, c := range []struct {
		in   []Outcome
		want int
	}{
		{nil, 0}, {[]Outcome{Pass, Pass}, 0}, {[]Outcome{Pass, Inconclusive}, 75},
		{[]Outcome{Inconclusive, Fail, Pass}, 99}, {[]Outcome{Fail, Inconclusive}, 99},
	} {
		if got := Worst(c.in...).Exit(); got != c.want {
			t.Errorf("%v: exit %d, want %d", c.in, got, c.want)
		}
	}
}

func TestMicros(t *testing.T) {
	for d, want := range map[time.Duration]string{
		700: "0.70 µs", 62 * time.Microsecond: "62.0 µs", 130 * time.Microsecond: "130 µs",
		1200 * time.Microsecond: "1.20 ms", 164 * time.Millisecond: "164 ms", math.MaxInt64: "unbounded",
	} {
		if got := Micros(d); got != want {
			t.Errorf("%d: %q, want %q", d, got, want)
		}
	}
}
