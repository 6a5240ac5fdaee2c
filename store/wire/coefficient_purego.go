//go:build purego

package wire

import "github.com/shopspring/decimal"

func coefficient(d *decimal.Decimal) (abs uint64, neg, ok bool) {
	if d.NumDigits() > maxDigits {
		return 0, false, false
	}
	v := d.CoefficientInt64()
	return uint64(max(v, -v)), v < 0, true
}

func digits(b []byte, d *decimal.Decimal) []byte { return digitsByMethod(b, *d) }

// cells are memory for decimals, which each bring their own here.
type cells struct{}

func (cells) decimal(coef int64, scale, _ int) decimal.Decimal {
	return decimal.New(coef, int32(-scale))
}
