package wire

import (
	"math/big"
	"math/bits"
	"slices"

	"github.com/shopspring/decimal"
)

// maxDigits is the largest number of digits that is read as an integer.
const maxDigits = 18

// powers of ten, as far as a uint64 goes.
var powers = [20]uint64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19}

// countDigits returns the number of decimal digits of u, which is less than
// 1e16. It compares rather than counts bits: the processor guesses the length
// of a field and goes on.
func countDigits(u uint64) int {
	n := 1
	if u >= 1e8 {
		u, n = u/1e8, 9
	}
	if u >= 1e4 {
		u, n = u/1e4, n+4
	}
	switch {
	case u >= 1e3:
		return n + 3
	case u >= 1e2:
		return n + 2
	case u >= 1e1:
		return n + 1
	}
	return n
}

// spell returns the eight digits of u, which is less than 1e8, the first of
// them in the lowest byte.
func spell(u uint64) uint64 {
	v := u/1e4 | u%1e4<<32
	t := v * 10486 >> 20 & 0x7f0000007f // Hundreds.
	v = t | (v-t*100)<<16
	t = v * 103 >> 10 & 0x000f000f000f000f // Tens.
	v = t | (v-t*10)<<8
	return v | zeros
}

// putDecimal writes the str of d to the beginning of b and returns its size; 0
// if d has more than 16 digits. The text is plain digits with d's scale.
func putDecimal(b *[32]byte, d *decimal.Decimal) int {
	scale := -int(d.Exponent())
	u, neg, ok := coefficient(d)
	if !ok || uint(scale) > 15 || u >= 1e16 {
		return 0
	}
	if u == 0 {
		return putZero(b, scale)
	}
	n := max(countDigits(u), scale+1)
	at := 1
	if neg {
		b[1] = '-'
		at = 2
	}
	// The n digits are the first bytes of low and high. They are written twice:
	// from the first on, and behind the point from the fraction on.
	low, high := uint64(0), uint64(0)
	if n <= 8 {
		low = spell(u) >> (-8 * n & 63)
	} else {
		low, high = spell(u/1e8), spell(u%1e8)
		if n < 16 {
			drop := -8 * n & 63
			low, high = low>>drop|high<<(-drop&63), high>>drop
		}
		store(b[:], at+8, high)
	}
	store(b[:], at, low)
	if scale > 0 {
		point := at + n - scale
		b[point] = '.'
		whole := 8 * (n - scale)
		if n <= 8 {
			low >>= whole & 63
		} else if whole < 64 {
			low = low>>(whole&63) | high<<(-whole&63)
			store(b[:], point+9, high>>(whole&63))
		} else {
			low = high >> (whole & 63)
		}
		store(b[:], point+1, low)
		n++
	}
	n += at
	b[0] = 0xa0 | byte(n-1)
	return n
}

// putZero is putDecimal for 0: much of what a row has is nothing yet.
func putZero(b *[32]byte, scale int) int {
	store(b[:], 1, zeros)
	if scale == 0 {
		b[0] = 0xa1
		return 2
	}
	b[0], b[2] = 0xa0|byte(scale+2), '.'
	store(b[:], 3, zeros)
	store(b[:], 11, zeros)
	return scale + 3
}

// decimalText appends the plain digits of d, at most [MaxDecimal].
func decimalText(b []byte, d *decimal.Decimal) ([]byte, bool) {
	scale := -int(d.Exponent())
	if scale < -MaxDecimal || scale > MaxDecimal || d.NumDigits() > MaxDecimal {
		return b, false
	}
	var buf [MaxDecimal + 20]byte
	text := digits(buf[:0], d)
	at := len(b)
	if d.Sign() < 0 {
		b = append(b, '-')
	}
	whole := len(text) - scale
	switch {
	case scale <= 0:
		b = append(b, text...)
		for ; d.Sign() != 0 && scale < 0; scale++ {
			b = append(b, '0')
		}
	case whole > 0:
		b = append(b, text[:whole]...)
		b = append(b, '.')
		b = append(b, text[whole:]...)
	default:
		b = append(b, '0', '.')
		for ; whole < 0; whole++ {
			b = append(b, '0')
		}
		b = append(b, text...)
	}
	return b, len(b)-at <= MaxDecimal
}

// sameDecimal tells whether d is coef at scale. It is false where coefficients
// can't be seen.
func sameDecimal(d *decimal.Decimal, coef int64, scale int) bool {
	u, neg, ok := coefficient(d)
	return ok && u == uint64(max(coef, -coef)) && neg == (coef < 0) && int(d.Exponent()) == -scale
}

// digitsByMethod is [digits] without knowing what a decimal is made of.
func digitsByMethod(b []byte, d decimal.Decimal) []byte {
	v := d.Coefficient()
	return v.Abs(v).Append(b, 10)
}

// maxWords is enough for [MaxDecimal] digits on any machine.
const maxWords = 8

// chunkDigits is the largest number of digits that a word holds.
const chunkDigits = 9 + 10*(bits.UintSize/64)

// appendWords appends the decimal digits of the number of the given words, at
// most [maxWords] of them, least significant first.
func appendWords(b []byte, number []big.Word) []byte {
	var w [maxWords]uint
	n := 0
	for ; n < len(number); n++ {
		w[n] = uint(number[n])
	}
	at := len(b)
	for {
		var rest uint
		for i := n - 1; i >= 0; i-- {
			w[i], rest = bits.Div(rest, w[i], uint(powers[chunkDigits]))
		}
		for n > 0 && w[n-1] == 0 {
			n--
		}
		for k := 0; k < chunkDigits && (n > 0 || rest > 0 || len(b) == at); k++ {
			b = append(b, byte('0'+rest%10))
			rest /= 10
		}
		if n == 0 {
			break
		}
	}
	slices.Reverse(b[at:])
	return b
}
