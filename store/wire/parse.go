package wire

import "math/bits"

const (
	zeros  = 0x3030303030303030 // The digit 0 eight times.
	points = 0x2e2e2e2e2e2e2e2e
	ones   = 0x0101010101010101
)

// parseDecimal reads the canonical text of a decimal of at most 16 bytes, its
// sign not counted: b[from:to], with anything before. It is false for texts
// that are longer or not canonical.
func parseDecimal(b []byte, from, to int) (coef int64, scale int, ok bool) {
	neg := from < to && b[from] == '-'
	if neg {
		from++
	}
	n := to - from
	if n > 16 || n < 1 || to < 8 {
		return 0, 0, false
	}
	if b[from] <= '0' && n > 1 && (b[from] != '0' || b[from+1] != '.') {
		return 0, 0, false
	}
	// The text stands at the end of 16 bytes, high and low, behind zeros.
	low := load(b, to-8)
	if n <= 8 {
		keep := ^uint64(0) << (64 - 8*n)
		low = low&keep | zeros&^keep
		if p := point(low); p != 0 {
			at := bits.TrailingZeros64(p) - 7 // Bits before the point.
			scale = 7 - at/8
			// The bytes before the point move up by one, over it.
			before := uint64(1)<<at - 1
			low = low&^(before<<8|0xff) | (low&before)<<8 | '0'
			if scale == 0 {
				return 0, 0, false
			}
		}
		coef = int64(eight(low))
		return signed(coef, neg), scale, eightDigits(low) && (coef != 0 || !neg)
	}
	shift := 128 - 8*n
	high := load(b, from)<<shift | zeros&(1<<shift-1)
	if p := point(low); p != 0 {
		at := bits.TrailingZeros64(p) - 7
		scale = 7 - at/8
		before := uint64(1)<<at - 1
		low = low&^(before<<8|0xff) | (low&before)<<8 | high>>56
		high = high<<8 | '0'
		if scale == 0 {
			return 0, 0, false
		}
	} else if p := point(high); p != 0 {
		at := bits.TrailingZeros64(p) - 7
		scale = 15 - at/8
		before := uint64(1)<<at - 1
		high = high&^(before<<8|0xff) | (high&before)<<8 | '0'
	}
	coef = int64(eight(high)*1e8 + eight(low))
	return signed(coef, neg), scale, eightDigits(low) && eightDigits(high) && (coef != 0 || !neg)
}

// isShortDecimal tells whether b[from:to] is the canonical text of a decimal, of
// 1 or more and at most 8 bytes. Of others it does not say so.
func isShortDecimal(b []byte, from, to int) bool {
	n := to - from
	if n < 1 || n > 8 || to < 8 || b[from]-'1' > 8 || b[to-1] == '.' {
		return false
	}
	keep := ^uint64(0) << (64 - 8*n)
	w := load(b, to-8) & keep
	return eightDigits((w | zeros&^keep) ^ point(w)>>7*('.'^'0'))
}

func signed(v int64, neg bool) int64 {
	if neg {
		return -v
	}
	return v
}

// point returns the high bit of the first byte of w that is a point.
func point(w uint64) uint64 {
	w ^= points
	w = (w - ones) & ^w & highBits
	return w & -w
}

// eightDigits tells whether all bytes of w are digits.
func eightDigits(w uint64) bool {
	return ((w+0x4646464646464646)|(w-zeros))&highBits == 0
}

// eight returns the number that the digits of w spell.
func eight(w uint64) uint64 {
	w -= zeros
	w = w*10 + w>>8
	return ((w&0x000000ff000000ff)*(100+1e6<<32) + (w>>16&0x000000ff000000ff)*(1+1e4<<32)) >> 32
}

// parseSlow is [parseDecimal] for texts of any length.
func parseSlow(s []byte) (coef int64, scale int, long, ok bool) {
	neg := len(s) > 0 && s[0] == '-'
	if neg {
		s = s[1:]
	}
	dot, digits := -1, 0
	for i, c := range s {
		switch {
		case c == '.' && dot < 0:
			dot = i
			continue
		case c < '0' || c > '9':
			return 0, 0, false, false
		}
		if digits++; digits <= maxDigits {
			coef = coef*10 + int64(c-'0')
		}
	}
	whole := len(s)
	if dot >= 0 {
		whole, scale = dot, len(s)-dot-1
	}
	if whole == 0 || s[0] == '0' && whole > 1 || dot >= 0 && scale == 0 {
		return 0, 0, false, false
	}
	if digits > maxDigits {
		return 0, scale, true, true
	}
	if neg {
		coef = -coef
	}
	return coef, scale, false, !neg || coef != 0
}
