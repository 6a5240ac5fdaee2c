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
	type reordered struct {
		exp   int32
		value *big.Int
	}
	type renamed struct {
		value *big.Int
		scale int32
	}
	type retyped struct {
		value *big.Float
		exp   int32
	}
	for _, other := range []reflect.Type{reflect.TypeFor[reordered](), reflect.TypeFor[renamed](), reflect.TypeFor[retyped](), reflect.TypeFor[struct{}]()} {
		if sameLayout(reflect.TypeFor[decimal.Decimal](), other) {
			t.Errorf("%v passes for a decimal", other)
		}
	}
}
