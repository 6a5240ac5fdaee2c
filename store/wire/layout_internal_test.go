//go:build !purego

package wire

import (
	"math/big"
	"reflect"
	"testing"

	"github.com/shopspring/decimal"
)

// TestLayoutIsKnown fails when package decimal changes what a Decimal is made
// of: coefficients are then read through its methods, at the cost of copies.
func TestLayoutIsKnown(t *testing.T) {
	if !layoutIsKnown {
		t.Error("decimal.Decimal is not what decimalLayout says")
	}
	for _, other := range []reflect.Type{
		reflect.TypeOf(struct {
			exp   int32
			value *big.Int
		}{}),
		reflect.TypeOf(struct {
			value *big.Int
			scale int32
		}{}),
		reflect.TypeOf(struct {
			value *big.Float
			exp   int32
		}{}),
		reflect.TypeOf(struct{}{}),
	} {
		if sameLayout(reflect.TypeFor[decimal.Decimal](), other) {
			t.Errorf("%v passes for a decimal", other)
		}
	}
}
