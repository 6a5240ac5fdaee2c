package wire

import (
	"github.com/shopspring/decimal"
)

// strAt returns the bytes of the str that begins at r.i and the offset behind
// it; nil if it is not canonical.
func (r *Reader) strAt(max int) (s []byte, ok bool) {
	b, i := r.b, r.i
	if i >= len(b) {
		return nil, false
	}
	n := 0
	switch c := b[i]; {
	case c&0xe0 == 0xa0:
		n = int(c & 0x1f)
		i++
	case c == 0xd9 && i+1 < len(b):
		n = int(b[i+1])
		i += 2
		if n < 32 {
			return nil, false
		}
	case c == 0xda && i+2 < len(b):
		n = int(b[i+1])<<8 | int(b[i+2])
		i += 3
		if n < 1<<8 {
			return nil, false
		}
	case c == 0xdb && i+4 < len(b):
		u := uint32(b[i+1])<<24 | uint32(b[i+2])<<16 | uint32(b[i+3])<<8 | uint32(b[i+4])
		if u < 1<<16 || u > MaxMessage {
			return nil, false
		}
		n = int(u)
		i += 5
	default:
		return nil, false
	}
	if n > max || n > len(b)-i {
		return nil, false
	}
	r.i = i + n
	return b[i : i+n], true
}

// same reads a string if it is old, which is ASCII and not very long, and not
// the last of the input: most fields of a row that is read again are.
func (r *Reader) same(old string) bool {
	n, rest := len(old), r.b[r.i:]
	if n > 31 || len(rest) < 32 {
		return r.sameLong(rest, old)
	}
	b := (*[32]byte)(rest)
	diff, high := uint64(b[0]^0xa0^byte(n)), uint64(0)
	switch {
	case n > 16:
		w1, w2, w3, w4 := word(old, 0), word(old, 8), word(old, n-16), word(old, n-8)
		diff |= (w1 ^ load(b[:], 1)) | (w2 ^ load(b[:], 9)) | (w3 ^ load(b[:], n-15)) | (w4 ^ load(b[:], n-7))
		high = w1 | w2 | w3 | w4
	case n >= 8:
		w1, w2 := word(old, 0), word(old, n-8)
		diff |= (w1 ^ load(b[:], 1)) | (w2 ^ load(b[:], n-7))
		high = w1 | w2
	case n >= 4:
		w1, w2 := half(old, 0), half(old, n-4)
		diff |= uint64((w1 ^ load4(b[:], 1)) | (w2 ^ load4(b[:], n-3)))
		high = uint64(w1 | w2)
	case n > 0:
		c1, c2, c3 := old[0], old[n/2], old[n-1]
		diff |= uint64((c1 ^ b[1]) | (c2 ^ b[1+n/2]) | (c3 ^ b[n]))
		high = uint64(c1 | c2 | c3)
	}
	if diff|high&highBits != 0 {
		return false
	}
	r.i += 1 + n
	return true
}

// sameLong is same for strings of 32 to 255 bytes.
func (r *Reader) sameLong(rest []byte, old string) bool {
	n := len(old)
	if n < 32 || n > 255 || len(rest) < 2+n || rest[0] != 0xd9 || rest[1] != byte(n) {
		return false
	}
	if s := rest[2 : 2+n]; string(s) != old || !isASCII(s) {
		return false
	}
	r.i += 2 + n
	return true
}

// setStr reads a string into v.
func (r *Reader) setStr(v *string, max int) {
	s, ok := r.strAt(max)
	if !ok {
		r.miss(kindString, max)
		return
	}
	if r.in != nil && len(s) <= maxInterned {
		if *v, ok = r.in.str(s); !ok {
			r.fail()
		}
		return
	}
	if !isText(s) {
		r.fail()
		return
	}
	if string(s) != *v {
		*v = r.text(s)
	}
}

// setEnum reads an enum into v.
func (r *Reader) setEnum(v *string) {
	s, ok := r.strAt(MaxString)
	if !ok {
		r.miss(kindString, MaxString)
		return
	}
	word, ok := enum(s)
	if !ok {
		r.fail()
		return
	}
	*v = word
}

// text returns s, which is UTF-8, as a string. If the first string of a row, which
// is mostly its id, is another, then most are: they are cut from one chunk.
func (r *Reader) text(s []byte) string {
	switch {
	case len(s) == 0:
		return ""
	case r.in != nil && len(s) <= maxInterned:
		known, _ := r.in.str(s)
		return known
	case r.in != nil && len(s) <= maxChunked:
		return r.in.chunk.str(s, chunkSize)
	case r.in != nil:
	case r.i-len(s) < firstString || r.chunk.b.Cap() > 0:
		rest := len(r.b) - r.i + len(s) // Of which such strings are half in a short row, a quarter in a long one.
		return r.chunk.str(s, min(rest/2, 64+rest/4))
	}
	return string(s)
}

// firstString is more than the offset of the first string of a row, and
// less than that of most others.
const firstString = 32

// decimal reads a decimal into v.
func (r *Reader) decimal(v *decimal.Decimal) {
	b, i := r.b, r.i
	if i >= len(b) {
		r.longDecimal(v)
		return
	}
	n := int(b[i]) ^ 0xa0
	i++
	if n > 31 || n > len(b)-i {
		r.longDecimal(v)
		return
	}
	r.i = i + n
	coef, scale, ok := parseDecimal(b, i, i+n)
	if !ok {
		r.takeBig(v, b[i:i+n])
	} else if !sameDecimal(v, coef, scale) {
		r.setDecimal(v, coef, scale)
	}
}

// longDecimal is decimal for texts of 32 bytes or more.
func (r *Reader) longDecimal(v *decimal.Decimal) {
	s, ok := r.strAt(MaxDecimal)
	if !ok {
		r.miss(kindDecimal, 0)
		return
	}
	r.takeBig(v, s)
}

// If one decimal of a row is another, those behind it may be: they are cut from
// cells for as many as there probably are.
const (
	bytesPerDecimal = 32
	maxCells        = 6
)

// setDecimal changes v.
func (r *Reader) setDecimal(v *decimal.Decimal, coef int64, scale int) {
	switch {
	case coef == 0:
		*v = zeroDecimals[scale]
	case r.in != nil:
		*v = r.in.decimal(coef, scale)
	case sameDecimal(&r.last, coef, scale):
		*v = r.last
	default:
		*v = r.cells.decimal(coef, scale, min(1+(len(r.b)-r.i)/bytesPerDecimal, maxCells))
		r.last = *v
	}
}

// takeBig reads a decimal of 17 digits or more, or one that is not canonical.
func (r *Reader) takeBig(v *decimal.Decimal, s []byte) {
	coef, scale, long, ok := parseSlow(s)
	switch {
	case !ok:
		r.fail()
		return
	case !long:
		if !sameDecimal(v, coef, scale) {
			r.setDecimal(v, coef, scale)
		}
		return
	}
	var text [MaxDecimal]byte
	if old, ok := decimalText(text[:0], v); ok && string(old) == string(s) {
		return
	}
	d, err := decimal.NewFromString(string(s))
	if err != nil {
		r.fail()
		return
	}
	if t, ok := decimalText(text[:0], &d); !ok || string(t) != string(s) {
		r.fail()
		return
	}
	*v = d
}

// listLen reads the header of a list whose elements take at least least bytes each.
func (r *Reader) listLen(least int) int {
	return r.count(0x90, 0xdc, least)
}

func (r *Reader) count(fix, long byte, least int) int {
	b, i, n := r.b, r.i, 0
	switch {
	case i < len(b) && b[i]&0xf0 == fix:
		n = int(b[i] & 0x0f)
		i++
	case i+2 < len(b) && b[i] == long && (b[i+1] != 0 || b[i+2] > 15):
		n = int(b[i+1])<<8 | int(b[i+2])
		i += 3
	default:
		r.fail()
		return 0
	}
	if n > MaxList || n*least > len(b)-i {
		r.fail()
		return 0
	}
	r.i = i
	return n
}
