package target

import (
	"math/rand/v2"

	"github.com/nacre-store/nacre/bench/internal/dataset"
	"github.com/nacre-store/nacre/bench/internal/load"
)

// A Mix draws requests: which row, and whether to read or write it.
type Mix struct {
	Set    *dataset.Set
	Keys   Keys
	Writes int // Percent.
	Seed   uint64
}

func (m Mix) rng() *rand.Rand { return rand.New(rand.NewPCG(m.Seed, 0x6d6978)) }

func (m Mix) draw(rng *rand.Rand) (int, load.Kind) {
	kind := load.Read
	if m.Writes > 0 && rng.IntN(100) < m.Writes {
		kind = load.Write
	}
	return m.Keys.next(rng), kind
}
