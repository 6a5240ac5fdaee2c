//go:build !purego

package wire

import (
	"math/big"
	"math/bits"
	"reflect"
	"unsafe"

	"github.com/shopspring/decimal"
)

// decimalLayout is decimal.Decimal as its source declares it.
type decimalLayout struct {
	value *big.Int
	exp   int32
}

// layoutIsKnown says that decimal.Decimal is what decimalLayout says. Where it
// is not, digits are read through its methods, and each decimal is made anew.
var layoutIsKnown = sameLayout(reflect.TypeFor[decimal.Decimal](), reflect.TypeFor[decimalLayout]())

func sameLayout(a, b reflect.Type) bool {
	if a.Size() != b.Size() || a.NumField() != b.NumField() {
		return false
	}
	for i := range a.NumField() {
		x, y := a.Field(i), b.Field(i)
		if x.Name != y.Name || x.Type != y.Type || x.Offset != y.Offset {
			return false
		}
	}
	return true
}

// coefficient returns the absolute value of d's coefficient, and whether d is
// negative, where that is one word and can be seen.
func coefficient(d *decimal.Decimal) (abs uint64, neg, ok bool) {
	if !layoutIsKnown {
		return
	}
	v := (*decimalLayout)(unsafe.Pointer(d)).value
	if v == nil {
		return 0, false, true
	}
	if words := v.Bits(); len(words) == 1 {
		return uint64(words[0]), v.Sign() < 0, true
	} else {
		return 0, false, len(words) == 0
	}
}

// digits appends the digits of the absolute value of d's coefficient to b,
// which has room for them.
func digits(b []byte, d *decimal.Decimal) []byte {
	if !layoutIsKnown {
		return digitsByMethod(b, *d)
	}
	v := (*decimalLayout)(unsafe.Pointer(d)).value
	if v == nil {
		return append(b, '0')
	}
	return appendWords(b, v.Bits())
}

// A cell is a coefficient of one word, the word beside it.
type cell struct {
	coef big.Int
	word [1]big.Word
}

// cells are memory from which several decimals are cut. A decimal that is kept
// keeps the cells beside it. Nothing writes to a cell in use: decimals are
// values, and no method of theirs changes a coefficient or hands it out.
type cells []cell

// decimal returns coef, which is not 0, at scale. New cells are of size.
func (c *cells) decimal(coef int64, scale, size int) decimal.Decimal {
	if !layoutIsKnown || bits.UintSize == 32 {
		return decimal.New(coef, int32(-scale))
	}
	if len(*c) == 0 {
		*c = make(cells, size)
	}
	free := &(*c)[0]
	*c = (*c)[1:]
	neg := coef < 0
	if neg {
		coef = -coef
	}
	free.word[0] = big.Word(coef)
	free.coef.SetBits(free.word[:])
	if neg {
		free.coef.Neg(&free.coef)
	}
	d := decimalLayout{&free.coef, int32(-scale)}
	return *(*decimal.Decimal)(unsafe.Pointer(&d))
}
