package wire

import (
	"fmt"
	"math"

	"github.com/shopspring/decimal"
)

// The Put functions write one field: key is the header of a str of less than
// 32 bytes, or of less than 256, fused with the name; in an array it is only a name.
// PutOpt functions write nothing when the value is absent.

// PutString writes a required string, enum or id.
func PutString[T ~string](w *Writer, key string, v T) {
	w.key(key)
	w.str(string(v), MaxString)
	w.done()
}

// PutStringMax is [PutString] for a field with a max of its own.
func PutStringMax[T ~string](w *Writer, key string, v T, max int) {
	w.key(key)
	w.str(string(v), max)
	w.done()
}

// PutOptString writes an optional string, enum or id; "" is absent.
func PutOptString[T ~string](w *Writer, key string, v T) {
	if v == "" {
		w.skip()
		return
	}
	w.opt(key)
	w.str(string(v), MaxString)
	w.done()
}

// PutOptStringMax is [PutOptString] for a field with a max of its own.
func PutOptStringMax[T ~string](w *Writer, key string, v T, max int) {
	if v == "" {
		w.skip()
		return
	}
	w.opt(key)
	w.str(string(v), max)
	w.done()
}

// PutBytes writes a bytes field.
func (w *Writer) PutBytes(key string, v []byte, p Presence, max int) {
	if w.begin(key, len(v), p) {
		w.bytes(v, max)
		w.done()
	}
}

func (w *Writer) bytes(v []byte, max int) {
	if len(v) > max {
		w.fail("", len(w.b), fmt.Errorf("%w: %d bytes, at most %d", ErrTooLong, len(v), max))
		return
	}
	w.b = appendBin(w.b, v)
}

// PutInt writes a required int64 or an id that is one.
func PutInt[T ~int64](w *Writer, key string, v T) {
	w.key(key)
	w.b = appendInt(w.b, int64(v))
	w.done()
}

// PutOptInt writes an optional int64.
func (w *Writer) PutOptInt(key string, v struct {
	Value int64
	Valid bool
}) {
	if !v.Valid {
		w.skip()
		return
	}
	w.opt(key)
	w.b = appendInt(w.b, v.Value)
	w.done()
}

// PutOptIntID writes an optional id that is an int64; 0 is absent.
func PutOptIntID[T ~int64](w *Writer, key string, v T) {
	if v == 0 {
		w.skip()
		return
	}
	w.opt(key)
	w.b = appendInt(w.b, int64(v))
	w.done()
}

// PutTimestamp writes a required timestamp.
func PutTimestamp[T ~int64](w *Writer, key string, v T) {
	w.key(key)
	w.timestamp(int64(v))
	w.done()
}

// PutOptTimestamp writes an optional timestamp; 0 is absent.
func PutOptTimestamp[T ~int64](w *Writer, key string, v T) {
	if v == 0 {
		w.skip()
		return
	}
	w.opt(key)
	w.timestamp(int64(v))
	w.done()
}

func (w *Writer) timestamp(v int64) {
	if v < 0 {
		w.fail("", len(w.b), ErrNegative)
	}
	w.b = appendUint(w.b, uint64(v))
}

// PutBool writes a required bool.
func (w *Writer) PutBool(key string, v bool) {
	w.key(key)
	w.bool(v)
	w.done()
}

// PutOptBool writes an optional bool.
func (w *Writer) PutOptBool(key string, v struct {
	Value bool
	Valid bool
}) {
	if !v.Valid {
		w.skip()
		return
	}
	w.opt(key)
	w.bool(v.Value)
	w.done()
}

func (w *Writer) bool(v bool) {
	if v {
		w.b = append(w.b, 0xc3)
	} else {
		w.b = append(w.b, 0xc2)
	}
}

// PutFloat writes a required float64.
func (w *Writer) PutFloat(key string, v float64) {
	w.key(key)
	w.float(v)
	w.done()
}

// PutOptFloat writes an optional float64.
func (w *Writer) PutOptFloat(key string, v struct {
	Value float64
	Valid bool
}) {
	if !v.Valid {
		w.skip()
		return
	}
	w.opt(key)
	w.float(v.Value)
	w.done()
}

func (w *Writer) float(v float64) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		w.fail("", len(w.b), ErrNaN)
	}
	w.b = appendFloat(w.b, v)
}

func appendFloat(b []byte, v float64) []byte {
	u := math.Float64bits(v)
	return append(b, 0xcb, byte(u>>56), byte(u>>48), byte(u>>40), byte(u>>32), byte(u>>24), byte(u>>16), byte(u>>8), byte(u))
}

// PutDecimal writes a required decimal.
func (w *Writer) PutDecimal(key string, v decimal.Decimal) {
	w.key(key)
	w.decimal(v)
	w.done()
}

// PutOptDecimal writes an optional decimal.
func (w *Writer) PutOptDecimal(key string, v struct {
	Value decimal.Decimal
	Valid bool
}) {
	if !v.Valid {
		w.skip()
		return
	}
	w.opt(key)
	w.decimal(v.Value)
	w.done()
}

func (w *Writer) decimal(v decimal.Decimal) {
	b, ok := appendDecimal(w.b, v)
	if !ok {
		w.fail("", len(w.b), fmt.Errorf("%w: a decimal of more than %d bytes", ErrTooLong, MaxDecimal))
	}
	w.b = b
}

// PutText writes a required id that is one text of several parts.
func PutText[T interface{ String() string }](w *Writer, key string, v T) {
	w.key(key)
	w.str(v.String(), MaxString)
	w.done()
}

// PutOptText writes an optional id of several parts; the zero id is absent.
func PutOptText[T interface {
	comparable
	String() string
}](w *Writer, key string, v T) {
	var zero T
	if v == zero {
		w.skip()
		return
	}
	w.opt(key)
	w.str(v.String(), MaxString)
	w.done()
}
