package target

import (
	"math/rand/v2"

	"github.com/nacre-store/nacre/bench/internal/dataset"
)

// Only draws the rows of one table, all alike.
func Only(s *dataset.Set, t dataset.Table) Keys {
	var k subset
	for i := range s.Len() {
		if s.Table(i) == t {
			k = append(k, int32(i))
		}
	}
	return k
}

type subset []int32

func (s subset) next(rng *rand.Rand) int { return int(s[rng.IntN(len(s))]) }

// Each calls f for every row of the subset that Only made.
func Each(k Keys, f func(row int)) {
	for _, i := range k.(subset) {
		f(int(i))
	}
}
