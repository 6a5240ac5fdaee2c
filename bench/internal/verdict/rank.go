// Package verdict says what measurements prove: PASS and FAIL only where the
// rounds agree, INCONCLUSIVE with the reason everywhere else.
package verdict

import (
	"math"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// confidence of one-sided bounds and of intervals.
const confidence = 0.95

// P95 is the measured 95th percentile and its upper bound: the smallest order statistic that is at or above the
// true percentile with 95 % confidence, whatever the distribution is. Samples that are correlated make the
// bound too small, so rounds, not samples, are what is counted.
func P95(h *hdrhistogram.Histogram) (p95, upper time.Duration) {
	n := h.TotalCount()
	if n == 0 {
		return 0, time.Duration(math.MaxInt64)
	}
	return Quantile(h, 0.95), atRank(h, upperRank(n, 0.95))
}

// Quantile is the smallest recorded value that at least the part q of all values does not exceed.
func Quantile(h *hdrhistogram.Histogram, q float64) time.Duration {
	n := h.TotalCount()
	if n == 0 {
		return 0
	}
	return atRank(h, min(n, int64(math.Ceil(q*float64(n)))))
}

// atRank is the value of a rank, counted from 1; a rank beyond the last is unbounded.
func atRank(h *hdrhistogram.Histogram, rank int64) time.Duration {
	n := h.TotalCount()
	if rank > n {
		return time.Duration(math.MaxInt64)
	}
	return time.Duration(h.ValueAtQuantile(100 * (float64(rank) - 0.25) / float64(n)))
}

// upperRank is the smallest rank j with P(Binomial(n, q) < j) >= 95 %; n+1 when there is none.
func upperRank(n int64, q float64) int64 {
	mean := q * float64(n)
	sd := math.Sqrt(mean * (1 - q))
	pmf := func(k int64) float64 {
		a, _ := math.Lgamma(float64(n) + 1)
		b, _ := math.Lgamma(float64(k) + 1)
		c, _ := math.Lgamma(float64(n-k) + 1)
		return math.Exp(a - b - c + float64(k)*math.Log(q) + float64(n-k)*math.Log1p(-q))
	}
	cdf := 0.0
	for k := max(0, int64(mean-12*sd)); k <= n; k++ {
		cdf += pmf(k)
		if cdf >= confidence {
			return k + 1
		}
	}
	return n + 1
}
