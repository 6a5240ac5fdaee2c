package wire

import (
	"github.com/shopspring/decimal"
)

// TakeList reads the length of a list of structs and gives v that length; each
// element's take follows. Least is the shortest form of an element, in bytes:
// no header can ask for more elements than the input has bytes for.
func TakeList[T any](r *Reader, key string, v *[]T, p Presence, least int) {
	if !r.begin(key, p) {
		if !r.bad {
			*v = nil
		}
		return
	}
	if r.learn != nil {
		r.learn.list()
		*v = make([]T, 1)
		return
	}
	n := r.listLen(least)
	switch {
	case r.bad:
	case n == 0:
		*v = nil
		if p == Optional {
			r.fail()
		}
	case n <= cap(*v):
		*v = (*v)[:n]
	default:
		list := make([]T, n)
		copy(list, *v)
		*v = list
	}
}

// TakeStrings reads a list of strings, enums or ids.
func TakeStrings[T ~string](r *Reader, key string, v *[]T, p Presence, max int) {
	TakeList(r, key, v, p, 1)
	for i := range *v {
		s := string((*v)[i])
		r.setStr(&s, max)
		(*v)[i] = T(s)
	}
}

// TakeInts reads a list of int64 or of ids that are one.
func TakeInts[T ~int64](r *Reader, key string, v *[]T, p Presence) {
	TakeList(r, key, v, p, 1)
	for i := range *v {
		(*v)[i] = T(r.int(kindInt))
	}
}

// TakeTimestamps reads a list of timestamps.
func TakeTimestamps[T ~int64](r *Reader, key string, v *[]T, p Presence) {
	TakeList(r, key, v, p, 1)
	for i := range *v {
		(*v)[i] = T(r.time())
	}
}

// TakeTexts reads a list of ids of several parts.
func TakeTexts[T id, P text[T]](r *Reader, key string, v *[]T, p Presence) {
	TakeList(r, key, v, p, 1)
	for i := range *v {
		takeText[T, P](r, &(*v)[i])
	}
}

// TakeDecimals reads a list of decimals.
func (r *Reader) TakeDecimals(key string, v *[]decimal.Decimal, p Presence) {
	TakeList(r, key, v, p, 1)
	for i := range *v {
		r.decimal(&(*v)[i])
	}
}

// TakeBools reads a list of bools.
func (r *Reader) TakeBools(key string, v *[]bool, p Presence) {
	TakeList(r, key, v, p, 1)
	for i := range *v {
		(*v)[i] = r.takeBool()
	}
}

// TakeFloats reads a list of float64.
func (r *Reader) TakeFloats(key string, v *[]float64, p Presence) {
	TakeList(r, key, v, p, 1)
	for i := range *v {
		(*v)[i] = r.takeFloat()
	}
}

// TakeBytesList reads a list of bytes.
func (r *Reader) TakeBytesList(key string, v *[][]byte, p Presence, max int) {
	TakeList(r, key, v, p, 1)
	for i := range *v {
		r.takeBytes(&(*v)[i], max)
	}
}
