package wire

import (
	"bytes"
	"unicode/utf8"

	"github.com/shopspring/decimal"
)

// TakeMap reads the length of a map of structs, empties v, and returns how
// often [Reader.Entry] and the struct's take follow. Least is the shortest
// form of an entry, in bytes.
func TakeMap[T any](r *Reader, key string, v *map[string]T, p Presence, least int) int {
	n := r.mapLen(key, p, least)
	switch {
	case n > 0:
		*v = make(map[string]T, n)
	case !r.bad:
		*v = nil
	}
	return n
}

// Entry reads one key of a map of structs.
func (r *Reader) Entry() string {
	k := r.mapKey()
	return r.text(k)
}

// mapLen reads the key and the length of a map.
func (r *Reader) mapLen(key string, p Presence, least int) int {
	if !r.begin(key, p) {
		return 0
	}
	r.prev = 0
	if r.learn != nil {
		r.learn.mapOf()
		return 1
	}
	n := r.count(0x80, 0xde, least)
	if n == 0 && p == Optional {
		r.fail()
	}
	return n
}

// mapKey reads the next key of a map; keys must be sorted.
func (r *Reader) mapKey() []byte {
	if r.learn != nil {
		return nil
	}
	k, ok := r.strAt(MaxString)
	if !ok || !utf8.Valid(k) {
		r.fail()
		return nil
	}
	if p := r.prev; p != 0 {
		at := p >> prevBits
		if bytes.Compare(r.b[at:at+p&(1<<prevBits-1)], k) >= 0 {
			r.fail()
			return nil
		}
	}
	r.prev = (r.i-len(k))<<prevBits | len(k)
	return k
}

// prevBits are the bits of Reader.prev that hold a length up to [MaxString].
const prevBits = 13

// entries goes through a map as it is read. Entries that do not change are not
// touched.
type entries[T any] struct {
	m    map[string]T
	n    int // Entries to read,
	read int // of which so many are,
	at   int // from this offset on.
	key  []byte
}

// entriesOf reads the key and the length of a map.
func entriesOf[T any](r *Reader, key string, v *map[string]T, p Presence) entries[T] {
	n := r.mapLen(key, p, 2)
	switch {
	case n == 0 && !r.bad:
		*v = nil
	case n > 0 && *v == nil:
		*v = make(map[string]T, n)
	}
	return entries[T]{m: *v, n: n, at: r.i}
}

// next reads the key of the next entry. A map that holds more than what was
// read is emptied, to be read once more.
func (e *entries[T]) next(r *Reader) bool {
	if e.read == e.n {
		if len(e.m) == e.n || r.bad || r.learn != nil {
			return false
		}
		clear(e.m)
		r.i, r.prev, e.read = e.at, 0, 0
	}
	e.read++
	e.key = r.mapKey()
	return !r.bad || r.learn != nil
}

// put sets the entry whose key was read last.
func (e *entries[T]) put(r *Reader, v T) { e.m[r.text(e.key)] = v }

// TakeStringMap reads a map of strings, enums or ids.
func TakeStringMap[T ~string](r *Reader, key string, v *map[string]T, p Presence, max int) {
	for e := entriesOf(r, key, v, p); e.next(r); {
		old, had := e.m[string(e.key)]
		s := string(old)
		if r.setStr(&s, max); !had || s != string(old) {
			e.put(r, T(s))
		}
	}
}

// TakeIntMap reads a map of int64 or of ids that are one.
func TakeIntMap[T ~int64](r *Reader, key string, v *map[string]T, p Presence) {
	for e := entriesOf(r, key, v, p); e.next(r); {
		old, had := e.m[string(e.key)]
		if x := T(r.int(kindInt)); !had || x != old {
			e.put(r, x)
		}
	}
}

// TakeTimestampMap reads a map of timestamps.
func TakeTimestampMap[T ~int64](r *Reader, key string, v *map[string]T, p Presence) {
	for e := entriesOf(r, key, v, p); e.next(r); {
		old, had := e.m[string(e.key)]
		if x := T(r.time()); !had || x != old {
			e.put(r, x)
		}
	}
}

// TakeTextMap reads a map of ids of several parts.
func TakeTextMap[T id, P text[T]](r *Reader, key string, v *map[string]T, p Presence) {
	for e := entriesOf(r, key, v, p); e.next(r); {
		old, had := e.m[string(e.key)]
		x := old
		if takeText[T, P](r, &x); !had || x != old {
			e.put(r, x)
		}
	}
}

// TakeDecimalMap reads a map of decimals.
func (r *Reader) TakeDecimalMap(key string, v *map[string]decimal.Decimal, p Presence) {
	if p == Required || r.near(key) || *v != nil {
		r.decimalMap(key, v, p)
	}
}

func (r *Reader) decimalMap(key string, v *map[string]decimal.Decimal, p Presence) {
	for e := entriesOf(r, key, v, p); e.next(r); {
		old, had := e.m[string(e.key)]
		x := old
		if r.decimal(&x); !had || x != old {
			e.put(r, x)
		}
	}
}

// TakeBoolMap reads a map of bools.
func (r *Reader) TakeBoolMap(key string, v *map[string]bool, p Presence) {
	for e := entriesOf(r, key, v, p); e.next(r); {
		old, had := e.m[string(e.key)]
		if x := r.takeBool(); !had || x != old {
			e.put(r, x)
		}
	}
}

// TakeFloatMap reads a map of float64.
func (r *Reader) TakeFloatMap(key string, v *map[string]float64, p Presence) {
	for e := entriesOf(r, key, v, p); e.next(r); {
		old, had := e.m[string(e.key)]
		if x := r.takeFloat(); !had || x != old {
			e.put(r, x)
		}
	}
}

// TakeBytesMap reads a map of bytes.
func (r *Reader) TakeBytesMap(key string, v *map[string][]byte, p Presence, max int) {
	for e := entriesOf(r, key, v, p); e.next(r); {
		old, had := e.m[string(e.key)]
		var x []byte
		if r.takeBytes(&x, max); !had || !bytes.Equal(x, old) {
			e.put(r, x)
		}
	}
}
