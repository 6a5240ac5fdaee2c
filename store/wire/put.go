package wire

import (
	"fmt"
	"math"

	"github.com/shopspring/decimal"
)

// The Put functions write one field: key is the header of a str of less than
// 32 bytes, or of less than 256, fused with the name, and empty in an array.
// PutOpt functions write nothing when the value is absent. They are small enough
// for the compiler to put them in their caller's place, where the length of the
// key is known and copying it is a store or two.

// PutString writes a required string, enum or id.
func PutString[T ~string](w *Writer, key string, v T) {
	w.b = append(w.b, key...)
	w.str(string(v))
}

// PutStringMax is [PutString] for a field with a max of its own.
func PutStringMax[T ~string](w *Writer, key string, v T, max int) {
	w.key(key)
	w.longStr(string(v), max)
}

// PutOptString writes an optional string, enum or id; "" is absent.
func PutOptString[T ~string](w *Writer, key string, v T) {
	if v != "" || w.array {
		w.b = append(w.b, key...)
		w.optStr(string(v))
	}
}

func (w *Writer) optStr(v string) {
	if w.present(v != "") {
		w.str(v)
	}
}

// PutOptStringMax is [PutOptString] for a field with a max of its own.
func PutOptStringMax[T ~string](w *Writer, key string, v T, max int) {
	if w.Opt(key, v != "") {
		w.longStr(string(v), max)
	}
}

// PutBytes writes a bytes field.
func (w *Writer) PutBytes(key string, v []byte, p Presence, max int) {
	if w.begin(key, len(v), p) {
		w.bytes(v, max)
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
	w.b = append(w.b, key...)
	w.int(int64(v))
}

// PutOptInt writes an optional int64.
func (w *Writer) PutOptInt(key string, v struct {
	Value int64
	Valid bool
}) {
	if v.Valid || w.array {
		w.b = append(w.b, key...)
		w.optInt(v.Value, v.Valid)
	}
}

// PutOptIntID writes an optional id that is an int64; 0 is absent.
func PutOptIntID[T ~int64](w *Writer, key string, v T) {
	if v != 0 || w.array {
		w.b = append(w.b, key...)
		w.optInt(int64(v), v != 0)
	}
}

func (w *Writer) optInt(v int64, valid bool) {
	if w.present(valid) {
		w.int(v)
	}
}

func (w *Writer) int(v int64) { w.b = appendInt(w.b, v) }

// PutTimestamp writes a required timestamp.
func PutTimestamp[T ~int64](w *Writer, key string, v T) {
	w.b = append(w.b, key...)
	w.timestamp(int64(v))
}

// PutOptTimestamp writes an optional timestamp; 0 is absent.
func PutOptTimestamp[T ~int64](w *Writer, key string, v T) {
	if v != 0 || w.array {
		w.b = append(w.b, key...)
		w.optTimestamp(int64(v))
	}
}

func (w *Writer) optTimestamp(v int64) {
	if w.present(v != 0) {
		w.timestamp(v)
	}
}

func (w *Writer) timestamp(v int64) {
	switch {
	case v >= 1<<32:
		w.b = be.AppendUint64(append(w.b, 0xcf), uint64(v))
	case v < 0:
		w.fail("", len(w.b), ErrNegative)
	default:
		w.b = appendUint(w.b, uint64(v))
	}
}

// PutBool writes a required bool.
func (w *Writer) PutBool(key string, v bool) {
	w.b = append(w.b, key...)
	w.bool(v)
}

// PutOptBool writes an optional bool.
func (w *Writer) PutOptBool(key string, v struct {
	Value bool
	Valid bool
}) {
	if v.Valid || w.array {
		w.b = append(w.b, key...)
		w.optBool(v.Value, v.Valid)
	}
}

func (w *Writer) optBool(v bool, valid bool) {
	if w.present(valid) {
		w.bool(v)
	}
}

func (w *Writer) bool(v bool) { w.b = appendBool(w.b, v) }

// PutFloat writes a required float64.
func (w *Writer) PutFloat(key string, v float64) {
	w.b = append(w.b, key...)
	w.float(v)
}

// PutOptFloat writes an optional float64.
func (w *Writer) PutOptFloat(key string, v struct {
	Value float64
	Valid bool
}) {
	if v.Valid || w.array {
		w.b = append(w.b, key...)
		w.optFloat(v.Value, v.Valid)
	}
}

func (w *Writer) optFloat(v float64, valid bool) {
	if w.present(valid) {
		w.float(v)
	}
}

func (w *Writer) float(v float64) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		w.fail("", len(w.b), ErrNaN)
	}
	w.b = appendFloat(w.b, v)
}

// PutDecimal writes a required decimal.
func (w *Writer) PutDecimal(key string, v decimal.Decimal) {
	w.b = append(w.b, key...)
	w.decimal(v)
}

// PutOptDecimal writes an optional decimal.
func (w *Writer) PutOptDecimal(key string, v struct {
	Value decimal.Decimal
	Valid bool
}) {
	if v.Valid || w.array {
		w.b = append(w.b, key...)
		w.optDecimal(v.Value, v.Valid)
	}
}

func (w *Writer) optDecimal(v decimal.Decimal, valid bool) {
	if w.present(valid) {
		w.decimal(v)
	}
}

func (w *Writer) decimal(v decimal.Decimal) {
	if n := len(w.b); cap(w.b)-n >= 32 {
		if size := putDecimal((*[32]byte)(w.b[n:n+32]), &v); size > 0 {
			w.b = w.b[:n+size]
			return
		}
	}
	w.longDecimal(&v)
}

// longDecimal writes any decimal.
func (w *Writer) longDecimal(v *decimal.Decimal) {
	var text [MaxDecimal]byte
	s, ok := decimalText(text[:0], v)
	if !ok {
		w.fail("", len(w.b), fmt.Errorf("%w: a decimal of more than %d bytes", ErrTooLong, MaxDecimal))
		return
	}
	w.b = appendStr(w.b, s)
}

// PutText writes a required id that is one text of several parts.
func PutText[T interface{ String() string }](w *Writer, key string, v T) {
	w.key(key)
	w.str(v.String())
}

// PutOptText writes an optional id of several parts; the zero id is absent.
func PutOptText[T interface {
	comparable
	String() string
}](w *Writer, key string, v T) {
	if w.Opt(key, v != *new(T)) {
		w.str(v.String())
	}
}
