package wire

import (
	"math"

	"github.com/shopspring/decimal"
)

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
		v = be.Uint64(b[1:])
		return v, 9, v >= 1<<32
	case b[0] == 0xce && len(b) >= 5:
		v = uint64(be.Uint32(b[1:]))
		return v, 5, v >= 1<<16
	case b[0] == 0xcd && len(b) >= 3:
		v = uint64(be.Uint16(b[1:]))
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
		v = int64(be.Uint64(b[1:]))
		return v, 9, v < -1<<31
	case b[0] == 0xd2 && len(b) >= 5:
		v = int64(int32(be.Uint32(b[1:])))
		return v, 5, v < -1<<15
	case b[0] == 0xd1 && len(b) >= 3:
		v = int64(int16(be.Uint16(b[1:])))
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
func (r *Reader) TakeOptInt(key string, v *int64, valid *bool) {
	*v = 0
	if *valid = r.opt(key); *valid {
		*v = r.int(kindInt)
	}
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
func TakeOptTimestamp[T ~int64](r *Reader, key string, v *T) {
	if r.near(key) {
		*v = T(r.takeOptTimestamp(key))
	} else {
		*v = 0
	}
}

func (r *Reader) takeTimestamp(key string) int64 {
	if r.isNext(key) {
		r.i += len(key)
	} else if !r.other(key) {
		return 0
	}
	return r.time()
}

func (r *Reader) takeOptTimestamp(key string) int64 {
	if r.isNext(key) {
		r.present(key)
	} else if !r.oddOpt(key) {
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
func (r *Reader) TakeOptBool(key string, v, valid *bool) {
	*v = false
	if *valid = r.opt(key); *valid {
		*v = r.takeBool()
	}
}

func (r *Reader) takeFloat() float64 {
	if r.i+9 <= len(r.b) && r.b[r.i] == 0xcb {
		v := math.Float64frombits(be.Uint64(r.b[r.i+1:]))
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
func (r *Reader) TakeOptFloat(key string, v *float64, valid *bool) {
	*v = 0
	if *valid = r.opt(key); *valid {
		*v = r.takeFloat()
	}
}

// TakeDecimal reads a required decimal.
func (r *Reader) TakeDecimal(key string, v *decimal.Decimal) {
	if r.isNext(key) {
		r.i += len(key)
	} else if !r.other(key) {
		return
	}
	r.decimal(v)
}

// TakeOptDecimal reads an optional decimal.
func (r *Reader) TakeOptDecimal(key string, v *decimal.Decimal, valid *bool) {
	if r.near(key) || *valid || *v != (decimal.Decimal{}) {
		r.optDecimal(key, v, valid)
	}
}

func (r *Reader) optDecimal(key string, v *decimal.Decimal, valid *bool) {
	if r.isNext(key) {
		r.present(key)
	} else if !r.oddOpt(key) {
		if !r.bad {
			*v, *valid = decimal.Decimal{}, false
		}
		return
	}
	*valid = true
	r.decimal(v)
}
