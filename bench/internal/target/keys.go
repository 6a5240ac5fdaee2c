// Package target is what the bench measures: the typed store, and next to it
// the raw client with the same bytes and other clients with other codecs.
package target

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// Keys draws the next row.
type Keys interface{ next(rng *rand.Rand) int }

// ParseKeys reads a distribution's name: uniform, or zipf (exponent 0.99).
func ParseKeys(name string, n int) (Keys, error) {
	switch name {
	case "uniform":
		return uniform(n), nil
	case "zipf":
		return newZipf(n), nil
	}
	return nil, fmt.Errorf("unknown key distribution %q (uniform or zipf)", name)
}

type uniform int

func (u uniform) next(rng *rand.Rand) int { return rng.IntN(int(u)) }

// A zipf distribution with exponent 0.99, whose ranks are scattered over the rows so that popular rows are not
// neighbours. After Gray et al., "Quickly Generating Billion-Record Synthetic Databases".
type zipf struct {
	n, zeta, alpha, eta float64
	perm                []int32
}

const theta = 0.99

func newZipf(n int) *zipf {
	z := &zipf{n: float64(n), alpha: 1 / (1 - theta), perm: make([]int32, n)}
	for i := range n {
		z.zeta += math.Pow(float64(i+1), -theta)
		z.perm[i] = int32(i)
	}
	z.eta = (1 - math.Pow(2/z.n, 1-theta)) / (1 - (1+math.Pow(0.5, theta))/z.zeta)
	rand.New(rand.NewPCG(1, 99)).Shuffle(n, func(i, j int) { z.perm[i], z.perm[j] = z.perm[j], z.perm[i] })
	return z
}

func (z *zipf) next(rng *rand.Rand) int {
	u := rng.Float64()
	rank := 0
	switch uz := u * z.zeta; {
	case uz < 1:
	case uz < 1+math.Pow(0.5, theta):
		rank = 1
	default:
		rank = min(int(z.n*math.Pow(z.eta*u-z.eta+1, z.alpha)), len(z.perm)-1)
	}
	return int(z.perm[rank])
}
