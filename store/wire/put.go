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
func PutString[T ~string](w *Writer, key string, v T) { w.putStr(key, string(v)) }

// PutStringMax is [PutString] for a field with a max of its own.
func PutStringMax[T ~string](w *Writer, key string, v T, max int) {
	w.key(key)
	w.str(string(v), max)
}

// PutOptString writes an optional string, enum or id; "" is absent.
func PutOptString[T ~string](w *Writer, key string, v T) {
	if v != "" || w.array {
		w.putOptStr(key, string(v))
	}
}

func (w *Writer) putOptStr(key, v string) {
	if v == "" {
		w.skip()
		return
	}
	w.fields++
	w.putStr(key, v)
}

// PutOptStringMax is [PutOptString] for a field with a max of its own.
func PutOptStringMax[T ~string](w *Writer, key string, v T, max int) {
	if v == "" {
		w.skip()
		return
	}
	w.opt(key)
	w.str(string(v), max)
}

// PutBytes writes a bytes field.
func (w *Writer) PutBytes(key string, v []byte, p Presence, max int) {
	if w.begin(key, len(v), p) {
		w.bytes(v, max)
	}
}

func (w *Writer) bytes(v []byte, max int) {
	if len(v) > max {
		w.fail("", w.n, fmt.Errorf("%w: %d bytes, at most %d", ErrTooLong, len(v), max))
		return
	}
	w.set(appendBin(w.out(), v))
}

// PutInt writes a required int64 or an id that is one.
func PutInt[T ~int64](w *Writer, key string, v T) {
	w.key(key)
	w.set(appendInt(w.out(), int64(v)))
}

// PutOptInt writes an optional int64.
func (w *Writer) PutOptInt(key string, v struct {
	Value int64
	Valid bool
}) {
	if v.Valid || w.array {
		w.putOptInt(key, v.Value, v.Valid)
	}
}

func (w *Writer) putOptInt(key string, v int64, valid bool) {
	if !valid {
		w.skip()
		return
	}
	w.opt(key)
	w.set(appendInt(w.out(), v))
}

// PutOptIntID writes an optional id that is an int64; 0 is absent.
func PutOptIntID[T ~int64](w *Writer, key string, v T) {
	if v == 0 {
		w.skip()
		return
	}
	w.opt(key)
	w.set(appendInt(w.out(), int64(v)))
}

// PutTimestamp writes a required timestamp.
func PutTimestamp[T ~int64](w *Writer, key string, v T) { w.putTimestamp(key, int64(v)) }

// PutOptTimestamp writes an optional timestamp; 0 is absent.
func PutOptTimestamp[T ~int64](w *Writer, key string, v T) {
	if v != 0 || w.array {
		w.putOptTimestamp(key, int64(v))
	}
}

func (w *Writer) putOptTimestamp(key string, v int64) {
	if v == 0 {
		w.skip()
		return
	}
	w.fields++
	w.putTimestamp(key, v)
}

func (w *Writer) putTimestamp(key string, v int64) {
	if w.array || v < 1<<32 {
		w.key(key)
		w.timestamp(v)
		return
	}
	k := len(key)
	w.reserve(k + 9)
	b, n := w.b, w.n
	copyKey(b, n, key)
	n += k
	b[n] = 0xcf
	be.PutUint64(b[n+1:n+9:n+9], uint64(v))
	w.n = n + 9
}

func (w *Writer) timestamp(v int64) {
	if v < 0 {
		w.fail("", w.n, ErrNegative)
	}
	w.set(appendUint(w.out(), uint64(v)))
}

// PutBool writes a required bool.
func (w *Writer) PutBool(key string, v bool) {
	w.key(key)
	w.bool(v)
}

// PutOptBool writes an optional bool.
func (w *Writer) PutOptBool(key string, v struct {
	Value bool
	Valid bool
}) {
	if v.Valid || w.array {
		w.putOptBool(key, v.Value, v.Valid)
	}
}

func (w *Writer) putOptBool(key string, v bool, valid bool) {
	if !valid {
		w.skip()
		return
	}
	w.opt(key)
	w.bool(v)
}

func (w *Writer) bool(v bool) { w.set(appendBool(w.out(), v)) }

// PutFloat writes a required float64.
func (w *Writer) PutFloat(key string, v float64) {
	w.key(key)
	w.float(v)
}

// PutOptFloat writes an optional float64.
func (w *Writer) PutOptFloat(key string, v struct {
	Value float64
	Valid bool
}) {
	if v.Valid || w.array {
		w.putOptFloat(key, v.Value, v.Valid)
	}
}

func (w *Writer) putOptFloat(key string, v float64, valid bool) {
	if !valid {
		w.skip()
		return
	}
	w.opt(key)
	w.float(v)
}

func (w *Writer) float(v float64) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		w.fail("", w.n, ErrNaN)
	}
	w.set(appendFloat(w.out(), v))
}

// PutDecimal writes a required decimal.
func (w *Writer) PutDecimal(key string, v decimal.Decimal) { w.putDecimal(key, &v) }

// PutOptDecimal writes an optional decimal.
func (w *Writer) PutOptDecimal(key string, v struct {
	Value decimal.Decimal
	Valid bool
}) {
	if v.Valid || w.array {
		w.putOptDecimal(key, v.Value, v.Valid)
	}
}

func (w *Writer) putOptDecimal(key string, v decimal.Decimal, valid bool) {
	if !valid {
		w.skip()
		return
	}
	w.fields++
	w.putDecimal(key, &v)
}

func (w *Writer) putDecimal(key string, v *decimal.Decimal) {
	k := len(key)
	if w.array {
		k = 0
	}
	w.reserve(k + MaxDecimal + 2)
	copyKey(w.b, w.n, key[:k])
	n := putDecimal(w.b[w.n+k:], v)
	w.n += k + n
	if n == 0 {
		w.longDecimal()
	}
}

func (w *Writer) decimal(v *decimal.Decimal) {
	n := putDecimal(w.room(MaxDecimal+2), v)
	w.n += n
	if n == 0 {
		w.longDecimal()
	}
}

func (w *Writer) longDecimal() {
	w.fail("", w.n, fmt.Errorf("%w: a decimal of more than %d bytes", ErrTooLong, MaxDecimal))
}

// PutText writes a required id that is one text of several parts.
func PutText[T interface{ String() string }](w *Writer, key string, v T) {
	w.key(key)
	w.str(v.String(), MaxString)
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
}
