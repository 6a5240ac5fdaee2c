package wire

import (
	"strings"
	"sync/atomic"
	"unicode/utf8"

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

// enum returns s as a string, the same one for the same word most of the time,
// and whether it is UTF-8: what is known is.
func enum(s []byte) (string, bool) {
	slot := &enums[hash(s)%uint32(len(enums))]
	if p := slot.Load(); p != nil && *p == string(s) {
		return *p, true
	}
	if !utf8.Valid(s) {
		return "", false
	}
	word := string(s)
	if len(s) <= 31 {
		slot.Store(&word)
	}
	return word, true
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
	maxChunked  = 256
	maxInterned = 35 // A UUID is longer, and never the same.
	minSlots    = 512
	maxSlots    = 8 << 10
)

// A table is a hash table that forgets: a value has two slots, and takes the
// place of what was there longer.
type table[T any] struct {
	slots []slot[T]
	put   int // Values put into slots since the table grew.
}

// A slot holds what is compared first beside the value: another value is seen
// to be another without looking at the memory behind it.
type slot[T any] struct {
	key uint64
	v   T
}

// pair returns the two slots for a key.
func (t *table[T]) pair(key uint64) *[2]slot[T] {
	i := int(key*0x9e3779b97f4a7c15>>40) & (len(t.slots) - 2)
	return (*[2]slot[T])(t.slots[i:])
}

// add makes v the first of the pair for its key.
func (t *table[T]) add(key uint64, v T) {
	pair := t.pair(key)
	pair[1], pair[0] = pair[0], slot[T]{key, v}
	t.put++
}

// room makes the table four times as large when a quarter of it is taken.
func (t *table[T]) room() {
	if 4*t.put < len(t.slots) || len(t.slots) >= maxSlots {
		return
	}
	old := t.slots
	t.slots = make([]slot[T], max(minSlots, 4*len(old)))
	for _, s := range old {
		t.add(s.key, s.v)
	}
	t.put = len(old) / 4
}

// str returns s, of at most maxInterned bytes, as a string, the same one for
// the same bytes most of the time, and whether it is UTF-8: what is known is.
func (in *Interner) str(s []byte) (string, bool) {
	in.strings.room()
	key := uint64(hash(s))
	pair := in.strings.pair(key)
	for i := range pair {
		if known := &pair[i]; known.key == key && known.v == string(s) {
			return known.v, true
		}
	}
	if !utf8.Valid(s) {
		return "", false
	}
	fresh := in.chunk.str(s, chunkSize)
	in.strings.add(key, fresh)
	return fresh, true
}

// decimal returns coef, which is not 0, at scale, the same value for the same number most of the time.
func (in *Interner) decimal(coef int64, scale int) decimal.Decimal {
	in.decimals.room()
	key := uint64(coef)
	pair := in.decimals.pair(key)
	for i := range pair {
		if known := &pair[i]; known.key == key && int(known.v.Exponent()) == -scale {
			return known.v
		}
	}
	fresh := in.cells.decimal(coef, scale, chunkCells)
	in.decimals.add(key, fresh)
	return fresh
}
