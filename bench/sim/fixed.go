package sim

import (
	"math/bits"

	"github.com/nacre-store/nacre/store"
	"github.com/shopspring/decimal"
)

// The simulation counts in whole units (of a price's, a quantity's or a
// currency's last decimal), so that a million rows take seconds and no sum is
// ever rounded. Decimals are made only when a row is written.

// moneyExp is the exponent of an amount of money: 8 decimals, as the venue's currencies have.
const moneyExp = -8

var pow10 = [19]int64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18}

// mulDiv is a*b/c, rounded half to even, through 128 bits; c > 0.
func mulDiv(a, b, c int64) int64 {
	hi, lo := bits.Mul64(abs(a), abs(b))
	q := divEven(hi, lo, uint64(c))
	if (a < 0) != (b < 0) {
		return -q
	}
	return q
}

// mulAddDiv is (a*b + c*d)/e, rounded half to even, through 128 bits; none is negative, e > 0.
func mulAddDiv(a, b, c, d, e int64) int64 {
	h1, l1 := bits.Mul64(uint64(a), uint64(b))
	h2, l2 := bits.Mul64(uint64(c), uint64(d))
	lo, carry := bits.Add64(l1, l2, 0)
	hi, _ := bits.Add64(h1, h2, carry)
	return divEven(hi, lo, uint64(e))
}

func divEven(hi, lo, c uint64) int64 {
	q, r := bits.Div64(hi, lo, c)
	if r > c-r || r == c-r && q&1 == 1 {
		q++
	}
	return int64(q)
}

func abs(v int64) uint64 {
	if v < 0 {
		return uint64(-v)
	}
	return uint64(v)
}

func dec(v int64, exp int32) decimal.Decimal             { return decimal.New(v, exp) }
func some(v int64, exp int32) store.Opt[decimal.Decimal] { return store.Some(decimal.New(v, exp)) }
func money(v int64) decimal.Decimal                      { return decimal.New(v, moneyExp) }
func someMoney(v int64) store.Opt[decimal.Decimal]       { return store.Some(decimal.New(v, moneyExp)) }
