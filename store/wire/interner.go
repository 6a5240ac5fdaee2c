package wire

import (
	"strings"

	"github.com/shopspring/decimal"
)

// An Interner shares strings and decimals between the rows of a bulk load. It
// keeps what it saw last, in tables of fixed size. Strings that it has not seen
// come from common chunks: one row that is kept keeps a chunk of 8 KiB alive.
// It is not safe for concurrent use.
type Interner struct {
	strings  [2048]string
	decimals [1024]decimal.Decimal
	chunk    strings.Builder
}

// NewInterner returns an empty interner.
func NewInterner() *Interner { return new(Interner) }

const (
	chunkSize   = 8 << 10
	maxInterned = 64 // Longer strings are seldom the same.
)

// str returns s as a string, the same one for the same bytes most of the time.
func (in *Interner) str(s []byte) string {
	if len(s) > maxInterned {
		return string(s)
	}
	slot := &in.strings[hash(s)%uint32(len(in.strings))]
	if *slot != string(s) {
		if in.chunk.Cap()-in.chunk.Len() < len(s) {
			in.chunk = strings.Builder{}
			in.chunk.Grow(chunkSize)
		}
		at := in.chunk.Len()
		in.chunk.Write(s)
		*slot = in.chunk.String()[at:]
	}
	return *slot
}

// decimal returns coef at scale, the same value for the same number most of the time.
func (in *Interner) decimal(coef int64, scale int) decimal.Decimal {
	h := (uint64(coef) + uint64(scale)) * 0x9e3779b97f4a7c15
	slot := &in.decimals[h>>54]
	if !sameDecimal(*slot, coef, scale) {
		*slot = newDecimal(coef, scale)
	}
	return *slot
}

// newDecimal returns coef at scale; 0 without decimals is the zero value.
func newDecimal(coef int64, scale int) decimal.Decimal {
	if coef == 0 && scale == 0 {
		return decimal.Decimal{}
	}
	return decimal.New(coef, int32(-scale))
}
