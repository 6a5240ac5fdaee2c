package load

import (
	"fmt"
	"math/rand/v2"
)

// Arrival says how the gaps between requests are drawn.
type Arrival string

// Fixed gaps are all alike; Poisson gaps are drawn as if many independent users sent.
const (
	Fixed   Arrival = "fixed"
	Poisson Arrival = "poisson"
)

// ParseArrival reads an arrival's name.
func ParseArrival(s string) (Arrival, error) {
	if a := Arrival(s); a == Fixed || a == Poisson {
		return a, nil
	}
	return "", fmt.Errorf("unknown arrival %q (fixed or poisson)", s)
}

// A schedule gives the moments at which requests are due.
type schedule struct {
	at  float64
	gap float64
	rng *rand.Rand // Nil for fixed gaps.
}

func newSchedule(a Arrival, start int64, rate float64, rng *rand.Rand) schedule {
	s := schedule{at: float64(start), gap: 1e9 / rate}
	if a == Poisson {
		s.rng = rng
	}
	return s
}

func (s *schedule) next() int64 {
	at := int64(s.at)
	if s.rng == nil {
		s.at += s.gap
	} else {
		s.at += s.rng.ExpFloat64() * s.gap
	}
	return at
}
