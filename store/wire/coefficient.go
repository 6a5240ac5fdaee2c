//go:build !purego

package wire

import (
	"math/big"
	"math/bits"
	"reflect"
	"unsafe"

	"github.com/shopspring/decimal"
)

// decimalLayout is decimal.Decimal as its source declares it. It is only read.
type decimalLayout struct {
	value *big.Int
	exp   int32
}

// layoutIsKnown says that decimal.Decimal is what decimalLayout says. Where it
// is not, coefficients are read through its methods, which copy the long ones.
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

// coefficient returns the absolute value of d's coefficient if it is less than
// 1<<63, and whether d is negative.
func coefficient(d *decimal.Decimal) (abs uint64, neg, ok bool) {
	if !layoutIsKnown {
		return coefficientByMethod(*d)
	}
	v := (*decimalLayout)(unsafe.Pointer(d)).value
	if v == nil {
		return 0, false, true
	}
	words := v.Bits()
	if len(words) > 1 || bits.UintSize == 32 {
		return coefficientByMethod(*d)
	}
	if len(words) == 1 {
		abs = uint64(words[0])
	}
	return abs, v.Sign() < 0, abs < 1<<63
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

// sameDecimal tells whether d is coef at scale, exactly.
func sameDecimal(d *decimal.Decimal, coef int64, scale int) bool {
	if !layoutIsKnown || bits.UintSize == 32 {
		return sameByMethod(d, coef, scale)
	}
	v := (*decimalLayout)(unsafe.Pointer(d)).value
	if v == nil {
		return coef == 0 && int(d.Exponent()) == -scale
	}
	words := v.Bits()
	if len(words) != 1 {
		return sameByMethod(d, coef, scale)
	}
	abs := int64(words[0])
	return signed(abs, v.Sign() < 0) == coef && abs >= 0 && int(d.Exponent()) == -scale
}
