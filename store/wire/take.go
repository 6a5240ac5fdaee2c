package wire

import (
	"encoding/binary"
	"math"
	"unicode/utf8"

	"github.com/shopspring/decimal"
)

// The Take functions read one field; key is that of the Put function. A value
// that does not change is not touched, so that a row read again into the same
// variable allocates nothing.

// TakeString reads a required string, enum or id.
func TakeString[T ~string](r *Reader, key string, v *T) {
	if s, changed := r.takeStr(key, string(*v), MaxString); changed {
		*v = T(s)
	}
}

// TakeStringMax is [TakeString] for a field with a max of its own.
func TakeStringMax[T ~string](r *Reader, key string, v *T, max int) {
	if s, changed := r.takeStr(key, string(*v), max); changed {
		*v = T(s)
	}
}

// TakeOptString reads an optional string, enum or id; "" is absent.
func TakeOptString[T ~string](r *Reader, key string, v *T) {
	if s, changed := r.takeOptStr(key, string(*v), MaxString); changed {
		*v = T(s)
	}
}

// TakeOptStringMax is [TakeOptString] for a field with a max of its own.
func TakeOptStringMax[T ~string](r *Reader, key string, v *T, max int) {
	if s, changed := r.takeOptStr(key, string(*v), max); changed {
		*v = T(s)
	}
}

func (r *Reader) takeStr(key, old string, max int) (string, bool) {
	if r.isNext(key) {
		r.i += len(key)
	} else if !r.other(key) {
		return "", false
	}
	return r.str(old, max)
}

func (r *Reader) takeOptStr(key, old string, max int) (string, bool) {
	if !r.opt(key) {
		return "", old != "" && !r.bad
	}
	s, changed := r.str(old, max)
	if s == "" && (changed || old == "") {
		r.fail()
	}
	return s, changed
}

// TakeEnum reads a required enum.
func TakeEnum[T ~string](r *Reader, key string, v *T) {
	if s, changed := r.takeEnum(key, string(*v)); changed {
		*v = T(s)
	}
}

// TakeOptEnum reads an optional enum; "" is absent.
func TakeOptEnum[T ~string](r *Reader, key string, v *T) {
	if s, changed := r.takeOptEnum(key, string(*v)); changed {
		*v = T(s)
	}
}

func (r *Reader) takeEnum(key, old string) (string, bool) {
	if r.isNext(key) {
		r.i += len(key)
	} else if !r.other(key) {
		return "", false
	}
	return r.enum(old)
}

func (r *Reader) takeOptEnum(key, old string) (string, bool) {
	if !r.opt(key) {
		return "", old != "" && !r.bad
	}
	s, changed := r.enum(old)
	if s == "" && (changed || old == "") {
		r.fail()
	}
	return s, changed
}

// enum is str for words of enums.
func (r *Reader) enum(old string) (string, bool) {
	s, ok := r.strAt(MaxString)
	switch {
	case !ok:
		r.miss(kindString, MaxString)
	case sameWords(s, old) || string(s) == old && utf8.Valid(s):
	case !utf8.Valid(s):
		r.fail()
	default:
		return enum(s), true
	}
	return "", false
}

// TakeBytes reads a bytes field.
func (r *Reader) TakeBytes(key string, v *[]byte, p Presence, max int) {
	if !r.begin(key, p) {
		if !r.bad {
			*v = nil
		}
		return
	}
	r.takeBytes(v, max)
	if p == Optional && len(*v) == 0 {
		r.fail()
	}
}

func (r *Reader) takeBytes(v *[]byte, max int) {
	b, i, n := r.b, r.i, -1
	switch {
	case i+1 < len(b) && b[i] == 0xc4:
		n = int(b[i+1])
		i += 2
	case i+2 < len(b) && b[i] == 0xc5 && b[i+1] != 0:
		n = int(b[i+1])<<8 | int(b[i+2])
		i += 3
	case i+4 < len(b) && b[i] == 0xc6:
		if u := binary.BigEndian.Uint32(b[i+1:]); u >= 1<<16 && u <= MaxMessage {
			n = int(u)
		}
		i += 5
	}
	if n < 0 || n > max || n > len(b)-i {
		r.miss(kindBytes, max)
		return
	}
	r.i = i + n
	if n == 0 {
		*v = nil
		return
	}
	*v = append((*v)[:0], b[i:i+n]...)
}

// int reads an int64 in its shortest form.
func (r *Reader) int(k kind) int64 {
	b, i := r.b, r.i
	if i >= len(b) {
		r.miss(k, 0)
		return 0
	}
	c := b[i]
	if c < 0x80 || c >= 0xe0 {
		r.i = i + 1
		return int64(int8(c))
	}
	if c >= 0xcc && c <= 0xcf {
		if v, n, ok := shortUint(b[i:]); ok && v <= math.MaxInt64 {
			r.i = i + n
			return int64(v)
		}
	} else if c >= 0xd0 && c <= 0xd3 {
		if v, n, ok := shortNegative(b[i:]); ok {
			r.i = i + n
			return v
		}
	}
	r.miss(k, 0)
	return 0
}

// shortUint reads cc, cd, ce or cf if no shorter form exists.
func shortUint(b []byte) (v uint64, n int, ok bool) {
	switch {
	case b[0] == 0xcf && len(b) >= 9:
		v = binary.BigEndian.Uint64(b[1:])
		return v, 9, v >= 1<<32
	case b[0] == 0xce && len(b) >= 5:
		v = uint64(binary.BigEndian.Uint32(b[1:]))
		return v, 5, v >= 1<<16
	case b[0] == 0xcd && len(b) >= 3:
		v = uint64(binary.BigEndian.Uint16(b[1:]))
		return v, 3, v >= 1<<8
	case b[0] == 0xcc && len(b) >= 2:
		v = uint64(b[1])
		return v, 2, v >= 1<<7
	}
	return 0, 0, false
}

// shortNegative reads d0, d1, d2 or d3 if no shorter form exists.
func shortNegative(b []byte) (v int64, n int, ok bool) {
	switch {
	case b[0] == 0xd3 && len(b) >= 9:
		v = int64(binary.BigEndian.Uint64(b[1:]))
		return v, 9, v < -1<<31
	case b[0] == 0xd2 && len(b) >= 5:
		v = int64(int32(binary.BigEndian.Uint32(b[1:])))
		return v, 5, v < -1<<15
	case b[0] == 0xd1 && len(b) >= 3:
		v = int64(int16(binary.BigEndian.Uint16(b[1:])))
		return v, 3, v < -1<<7
	case b[0] == 0xd0 && len(b) >= 2:
		v = int64(int8(b[1]))
		return v, 2, v < -32
	}
	return 0, 0, false
}

// TakeInt reads a required int64 or an id that is one.
func TakeInt[T ~int64](r *Reader, key string, v *T) {
	if r.at(key) {
		*v = T(r.int(kindInt))
	}
}

// TakeOptInt reads an optional int64.
func TakeOptInt[O ~struct {
	Value int64
	Valid bool
}](r *Reader, key string, v *O) {
	var o struct {
		Value int64
		Valid bool
	}
	if o.Valid = r.opt(key); o.Valid {
		o.Value = r.int(kindInt)
	}
	*v = O(o)
}

// TakeOptIntID reads an optional id that is an int64; 0 is absent.
func TakeOptIntID[T ~int64](r *Reader, key string, v *T) {
	*v = 0
	if r.opt(key) {
		if *v = T(r.int(kindIntID)); *v == 0 {
			r.fail()
		}
	}
}

// TakeTimestamp reads a required timestamp.
func TakeTimestamp[T ~int64](r *Reader, key string, v *T) { *v = T(r.takeTimestamp(key)) }

// TakeOptTimestamp reads an optional timestamp; 0 is absent.
func TakeOptTimestamp[T ~int64](r *Reader, key string, v *T) { *v = T(r.takeOptTimestamp(key)) }

func (r *Reader) takeTimestamp(key string) int64 {
	if r.isNext(key) {
		r.i += len(key)
	} else if !r.other(key) {
		return 0
	}
	return r.time()
}

func (r *Reader) takeOptTimestamp(key string) int64 {
	if !r.opt(key) {
		return 0
	}
	v := r.time()
	if v == 0 {
		r.fail()
	}
	return v
}

// time reads a timestamp value.
func (r *Reader) time() int64 {
	if b := r.b[r.i:]; len(b) >= 9 && b[0] == 0xcf {
		if v := int64(be.Uint64(b[1:])); v >= 1<<32 {
			r.i += 9
			return v
		}
	}
	v := r.int(kindTimestamp)
	if v < 0 {
		r.fail()
	}
	return v
}

func (r *Reader) takeBool() bool {
	if r.i < len(r.b) && r.b[r.i]&0xfe == 0xc2 {
		r.i++
		return r.b[r.i-1] == 0xc3
	}
	r.miss(kindBool, 0)
	return false
}

// TakeBool reads a required bool.
func (r *Reader) TakeBool(key string, v *bool) {
	if r.at(key) {
		*v = r.takeBool()
	}
}

// TakeOptBool reads an optional bool.
func TakeOptBool[O ~struct {
	Value bool
	Valid bool
}](r *Reader, key string, v *O) {
	var o struct {
		Value bool
		Valid bool
	}
	if o.Valid = r.opt(key); o.Valid {
		o.Value = r.takeBool()
	}
	*v = O(o)
}

func (r *Reader) takeFloat() float64 {
	if r.i+9 <= len(r.b) && r.b[r.i] == 0xcb {
		v := math.Float64frombits(binary.BigEndian.Uint64(r.b[r.i+1:]))
		r.i += 9
		if math.IsNaN(v) || math.IsInf(v, 0) {
			r.fail()
		}
		return v
	}
	r.miss(kindFloat, 0)
	return 0
}

// TakeFloat reads a required float64.
func (r *Reader) TakeFloat(key string, v *float64) {
	if r.at(key) {
		*v = r.takeFloat()
	}
}

// TakeOptFloat reads an optional float64.
func TakeOptFloat[O ~struct {
	Value float64
	Valid bool
}](r *Reader, key string, v *O) {
	var o struct {
		Value float64
		Valid bool
	}
	if o.Valid = r.opt(key); o.Valid {
		o.Value = r.takeFloat()
	}
	*v = O(o)
}

// TakeDecimal reads a required decimal.
func (r *Reader) TakeDecimal(key string, v *decimal.Decimal) {
	if r.isNext(key) {
		r.i += len(key)
	} else if !r.other(key) {
		return
	}
	r.takeDecimal(v)
}

// TakeOptDecimal reads an optional decimal.
func TakeOptDecimal[O ~struct {
	Value decimal.Decimal
	Valid bool
}](r *Reader, key string, v *O) {
	o := struct {
		Value decimal.Decimal
		Valid bool
	}(*v)
	if r.opt(key) {
		o.Valid = true
		r.takeDecimal(&o.Value)
		*v = O(o)
	} else if !r.bad && (o.Valid || o.Value != (decimal.Decimal{})) {
		var zero O
		*v = zero
	}
}

// A text is a pointer to an id of several parts.
type text[T any] interface {
	*T
	UnmarshalText([]byte) error
}

// An id is what a text points to.
type id interface {
	comparable
	String() string
}

// canonicalText returns the text of the id that s is a text of, and whether it is the zero id.
func canonicalText[T id, P text[T]](s []byte) (canonical string, zero bool, err error) {
	var v, none T
	if err := P(&v).UnmarshalText(s); err != nil {
		return "", false, err
	}
	return v.String(), v == none, nil
}

func takeText[T id, P text[T]](r *Reader, v *T) {
	s, ok := r.strAt(MaxString)
	if !ok {
		r.miss(kindText, MaxString)
		if r.learn != nil {
			r.learn.text(canonicalText[T, P])
		}
		return
	}
	var id T
	if utf8.Valid(s) && P(&id).UnmarshalText(s) == nil && id.String() == string(s) {
		*v = id
		return
	}
	r.fail()
}

// TakeText reads a required id of several parts.
func TakeText[T id, P text[T]](r *Reader, key string, v *T) {
	if r.at(key) {
		takeText[T, P](r, v)
	}
}

// TakeOptText reads an optional id of several parts; the zero id is absent.
func TakeOptText[T id, P text[T]](r *Reader, key string, v *T) {
	var zero T
	if !r.opt(key) {
		if !r.bad {
			*v = zero
		}
		return
	}
	takeText[T, P](r, v)
	if *v == zero {
		r.fail()
	}
}
