package wire

import (
	"unicode/utf8"

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

// takeStr reads a required string, with no key its value alone, and tells
// whether it is another than old.
func (r *Reader) takeStr(key, old string, max int) (string, bool) {
	if r.isNext(key) {
		r.i += len(key)
	} else if key != "" && !r.other(key) {
		return "", false
	}
	b, i := r.b, r.i
	if i+1 >= len(b) {
		return r.longStr(old, max)
	}
	n := int(b[i]) ^ 0xa0
	i++
	if n > 31 {
		if b[i-1] != 0xd9 || b[i] < 32 {
			return r.longStr(old, max)
		}
		n = int(b[i])
		i++
	}
	if n > len(b)-i || n > max {
		return r.longStr(old, max)
	}
	r.i = i + n
	if sameWords(b, i, n, old) {
		return "", false
	}
	return r.newStr(b[i:i+n], old)
}

// longStr is takeStr for strings of 256 bytes or more.
func (r *Reader) longStr(old string, max int) (string, bool) {
	s, ok := r.strAt(max)
	if !ok {
		r.miss(kindString, max)
		return "", false
	}
	return r.newStr(s, old)
}

// newStr returns s if it is another than old, which is not as long or not ASCII.
func (r *Reader) newStr(s []byte, old string) (string, bool) {
	if r.in != nil && len(s) <= maxInterned {
		known, ok := r.in.str(s)
		if !ok {
			r.fail()
		}
		return known, ok
	}
	if !isASCII(s) && !utf8.Valid(s) {
		r.fail()
		return "", false
	}
	if string(s) == old {
		return "", false
	}
	return r.text(s), true
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
		return r.chunk.str(s, (len(r.b)-r.i+len(s))/2)
	}
	return string(s)
}

// firstString is more than the offset of the first string of a row, and
// less than that of most others.
const firstString = 32

// takeDecimal reads a required decimal; with no key its value alone.
func (r *Reader) takeDecimal(key string, v *decimal.Decimal) {
	if r.isNext(key) {
		r.i += len(key)
	} else if key != "" && !r.other(key) {
		return
	}
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
	switch {
	case !ok:
		r.takeBig(v, b[i:i+n])
	case !sameDecimal(v, coef, scale):
		r.setDecimal(v, coef, scale)
	}
}

// longDecimal is takeDecimal for texts of 32 bytes or more.
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
	maxCells        = 8
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
