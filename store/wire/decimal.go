package wire

import (
	"github.com/shopspring/decimal"
)

// digits18 is the largest number of digits that is read and written without math/big.
const digits18 = 18

var pow10 = [19]int64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18}

// appendDecimal appends the str of d: plain digits with d's scale. It is false
// for a text of more than [MaxDecimal] bytes; b is then as it was.
func appendDecimal(b []byte, d decimal.Decimal) ([]byte, bool) {
	at := len(b)
	var text [MaxDecimal]byte
	s, ok := decimalText(text[:0], d)
	if !ok {
		return b[:at], false
	}
	return appendStr(b, s), true
}

// decimalText appends the plain digits of d, at most [MaxDecimal].
func decimalText(b []byte, d decimal.Decimal) ([]byte, bool) {
	exp := int(d.Exponent())
	if exp < -MaxDecimal || exp > MaxDecimal {
		return b, false
	}
	var digits [2 * MaxDecimal]byte
	var coef []byte
	neg := d.Sign() < 0
	if d.NumDigits() <= digits18 {
		c := d.CoefficientInt64()
		if neg {
			c = -c
		}
		i := len(digits)
		for {
			i--
			digits[i] = byte('0' + c%10)
			if c /= 10; c == 0 {
				break
			}
		}
		coef = digits[i:]
	} else {
		if d.NumDigits() > MaxDecimal {
			return b, false
		}
		coef = d.Coefficient().Append(digits[:0], 10)
		if neg {
			coef = coef[1:]
		}
	}
	at := len(b)
	if neg {
		b = append(b, '-')
	}
	if exp >= 0 {
		b = append(b, coef...)
		if d.Sign() != 0 {
			for range exp {
				b = append(b, '0')
			}
		}
		return b, len(b)-at <= MaxDecimal
	}
	if whole := len(coef) + exp; whole > 0 {
		b = append(b, coef[:whole]...)
		b = append(b, '.')
		b = append(b, coef[whole:]...)
	} else {
		b = append(b, '0', '.')
		for range -whole {
			b = append(b, '0')
		}
		b = append(b, coef...)
	}
	return b, len(b)-at <= MaxDecimal
}

// parseDecimal reads the canonical text of a decimal of at most 18 digits as
// coefficient and scale. Big tells that it is canonical but longer.
func parseDecimal(s []byte) (coef int64, scale int, big, ok bool) {
	i, neg := 0, false
	if len(s) > 0 && s[0] == '-' {
		i, neg = 1, true
	}
	whole, digits, dot := i, 0, -1
	for ; i < len(s); i++ {
		c := s[i]
		if c == '.' && dot < 0 {
			dot = i
			continue
		}
		if c < '0' || c > '9' {
			return 0, 0, false, false
		}
		digits++
		if digits <= digits18 {
			coef = coef*10 + int64(c-'0')
		}
	}
	end := dot
	if dot < 0 {
		end = len(s)
	} else {
		scale = len(s) - dot - 1
		if scale == 0 {
			return 0, 0, false, false
		}
	}
	if end == whole || s[whole] == '0' && end > whole+1 || len(s) > MaxDecimal {
		return 0, 0, false, false
	}
	if digits > digits18 {
		// Leading zeros of a fraction count as digits here; the general path sees to them.
		return 0, scale, true, true
	}
	if neg {
		if coef == 0 {
			return 0, 0, false, false
		}
		coef = -coef
	}
	return coef, scale, false, true
}

// sameDecimal tells whether d is coef at scale, exactly.
func sameDecimal(d decimal.Decimal, coef int64, scale int) bool {
	return int(d.Exponent()) == -scale && d.CoefficientInt64() == coef && d.NumDigits() <= digits18
}
