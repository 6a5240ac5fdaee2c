package wire

import (
	"strings"
	"sync/atomic"

	"github.com/shopspring/decimal"
)

// A chunk is memory from which several strings are cut. A string that is kept
// keeps its chunk.
type chunk struct{ b strings.Builder }

// str returns s as a string. A new chunk is of size bytes.
func (c *chunk) str(s []byte, size int) string {
	if c.b.Cap()-c.b.Len() < len(s) {
		c.b = strings.Builder{}
		c.b.Grow(max(size, len(s)))
	}
	at := c.b.Len()
	c.b.Write(s)
	return c.b.String()[at:]
}

// enums holds words of enums, of which there are few, so that a row does not
// bring its own. A word stays until another takes its place.
var enums [1024]atomic.Pointer[string]

// enum returns s as a string, the same one for the same word most of the time.
func enum(s []byte) string {
	if len(s) > 31 {
		return string(s)
	}
	slot := &enums[hash(s)%uint32(len(enums))]
	if p := slot.Load(); p != nil && *p == string(s) {
		return *p
	}
	word := string(s)
	slot.Store(&word)
	return word
}

// zeroDecimals are the zeros by scale. Zero without decimals is the zero value.
var zeroDecimals = func() (z [maxDigits + 1]decimal.Decimal) {
	for scale := range z {
		if scale > 0 {
			z[scale] = decimal.New(0, int32(-scale))
		}
	}
	return z
}()

// An Interner shares strings and decimals between the rows of a bulk load. It
// remembers what it saw last, in tables that grow with what there is to
// remember, up to a fixed size. Strings and decimals that it has not seen come
// from common chunks: one row that is kept keeps chunks of 8 KiB alive. It is not
// safe for concurrent use.
type Interner struct {
	strings  table[string]
	decimals table[decimal.Decimal]
	chunk    chunk
	cells    cells
}

// NewInterner returns an empty interner.
func NewInterner() *Interner { return new(Interner) }

const (
	chunkSize   = 8 << 10
	chunkCells  = 200
	maxInterned = 64 // Longer strings are seldom the same.
	minSlots    = 512
	maxSlots    = 16 << 10
)

// A table is a hash table that forgets: a value has two slots, and takes the
// place of what was there longer.
type table[T any] struct {
	slots []T
	put   int // Values put into slots since the table grew.
}

// pair returns the two slots for a hash.
func (t *table[T]) pair(hash uint32) *[2]T {
	i := int(hash) & (len(t.slots) - 2)
	return (*[2]T)(t.slots[i:])
}

// add makes v the first of the pair for its hash.
func (t *table[T]) add(v T, hash uint32) {
	pair := t.pair(hash)
	pair[1], pair[0] = pair[0], v
	t.put++
}

// full tells whether the table is to grow: a quarter is taken, or it is new.
func (t *table[T]) full() bool { return 4*t.put >= len(t.slots) && len(t.slots) < maxSlots }

// grow makes the table four times as large.
func (t *table[T]) grow(hash func(T) uint32) {
	old := t.slots
	t.slots, t.put = make([]T, max(minSlots, 4*len(old))), 0
	for _, v := range old {
		t.add(v, hash(v))
	}
	t.put = len(old) / 4
}

// str returns s as a string, the same one for the same bytes most of the time.
func (in *Interner) str(s []byte) string {
	if len(s) > maxInterned {
		return string(s)
	}
	if in.strings.full() {
		in.strings.grow(hash[string])
	}
	h := hash(s)
	for _, known := range in.strings.pair(h) {
		if known == string(s) {
			return known
		}
	}
	fresh := in.chunk.str(s, chunkSize)
	in.strings.add(fresh, h)
	return fresh
}

// decimal returns coef, which is not 0, at scale, the same value for the same number most of the time.
func (in *Interner) decimal(coef int64, scale int) decimal.Decimal {
	if in.decimals.full() {
		in.decimals.grow(func(d decimal.Decimal) uint32 { return hashDecimal(d.CoefficientInt64(), -int(d.Exponent())) })
	}
	h := hashDecimal(coef, scale)
	pair := in.decimals.pair(h)
	for i := range pair {
		if sameDecimal(&pair[i], coef, scale) {
			return pair[i]
		}
	}
	fresh := in.cells.decimal(coef, scale, chunkCells)
	in.decimals.add(fresh, h)
	return fresh
}

func hashDecimal(coef int64, scale int) uint32 {
	return uint32((uint64(coef) + uint64(scale)<<58) * 0x9e3779b97f4a7c15 >> 40)
}
