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

// mapOf returns the map to fill with n entries.
func mapOf[T any](r *Reader, v *map[string]T, n int) map[string]T {
	switch {
	case n == 0 && !r.bad:
		*v = nil
	case n > 0 && *v == nil:
		*v = make(map[string]T, n)
	}
	return *v
}

// stale tells whether m holds more than the n entries just read. It is then
// emptied, to be read once more from offset at.
func stale[T any](r *Reader, m map[string]T, n, at int) bool {
	if r.bad || len(m) == n || r.learn != nil {
		return false
	}
	clear(m)
	r.i, r.prev = at, 0
	return true
}

// TakeStringMap reads a map of strings, enums or ids.
func TakeStringMap[T ~string](r *Reader, key string, v *map[string]T, p Presence, max int) {
	n := r.mapLen(key, p, 2)
	m, at := mapOf(r, v, n), r.i
	for again := true; again; again = stale(r, m, n, at) {
		for range n {
			k := r.mapKey()
			e, had := m[string(k)]
			old := e
			if s, changed := r.takeStr("", string(e), max); changed {
				e = T(s)
			}
			if !had || old != e {
				m[r.text(k)] = e
			}
		}
	}
}

// TakeIntMap reads a map of int64 or of ids that are one.
func TakeIntMap[T ~int64](r *Reader, key string, v *map[string]T, p Presence) {
	n := r.mapLen(key, p, 2)
	m, at := mapOf(r, v, n), r.i
	for again := true; again; again = stale(r, m, n, at) {
		for range n {
			k := r.mapKey()
			e, had := m[string(k)]
			old := e
			e = T(r.int(kindInt))
			if !had || old != e {
				m[r.text(k)] = e
			}
		}
	}
}

// TakeTimestampMap reads a map of timestamps.
func TakeTimestampMap[T ~int64](r *Reader, key string, v *map[string]T, p Presence) {
	n := r.mapLen(key, p, 2)
	m, at := mapOf(r, v, n), r.i
	for again := true; again; again = stale(r, m, n, at) {
		for range n {
			k := r.mapKey()
			e, had := m[string(k)]
			old := e
			e = T(r.time())
			if !had || old != e {
				m[r.text(k)] = e
			}
		}
	}
}

// TakeTextMap reads a map of ids of several parts.
func TakeTextMap[T id, P text[T]](r *Reader, key string, v *map[string]T, p Presence) {
	n := r.mapLen(key, p, 2)
	m, at := mapOf(r, v, n), r.i
	for again := true; again; again = stale(r, m, n, at) {
		for range n {
			k := r.mapKey()
			e, had := m[string(k)]
			old := e
			takeText[T, P](r, &e)
			if !had || old != e {
				m[r.text(k)] = e
			}
		}
	}
}

// TakeDecimalMap reads a map of decimals.
func (r *Reader) TakeDecimalMap(key string, v *map[string]decimal.Decimal, p Presence) {
	n := r.mapLen(key, p, 2)
	m, at := mapOf(r, v, n), r.i
	for again := true; again; again = stale(r, m, n, at) {
		for range n {
			k := r.mapKey()
			e, had := m[string(k)]
			old := e
			r.takeDecimal("", &e)
			if !had || old != e {
				m[r.text(k)] = e
			}
		}
	}
}

// TakeBoolMap reads a map of bools.
func (r *Reader) TakeBoolMap(key string, v *map[string]bool, p Presence) {
	n := r.mapLen(key, p, 2)
	m, at := mapOf(r, v, n), r.i
	for again := true; again; again = stale(r, m, n, at) {
		for range n {
			k := r.mapKey()
			e, had := m[string(k)]
			old := e
			e = r.takeBool()
			if !had || old != e {
				m[r.text(k)] = e
			}
		}
	}
}

// TakeFloatMap reads a map of float64.
func (r *Reader) TakeFloatMap(key string, v *map[string]float64, p Presence) {
	n := r.mapLen(key, p, 2)
	m, at := mapOf(r, v, n), r.i
	for again := true; again; again = stale(r, m, n, at) {
		for range n {
			k := r.mapKey()
			e, had := m[string(k)]
			old := e
			e = r.takeFloat()
			if !had || old != e {
				m[r.text(k)] = e
			}
		}
	}
}

// TakeBytesMap reads a map of bytes.
func (r *Reader) TakeBytesMap(key string, v *map[string][]byte, p Presence, max int) {
	n := r.mapLen(key, p, 2)
	m, at := mapOf(r, v, n), r.i
	for again := true; again; again = stale(r, m, n, at) {
		for range n {
			k := r.mapKey()
			e, had := m[string(k)]
			old := e
			e = nil
			r.takeBytes(&e, max)
			if !had || !bytes.Equal(old, e) {
				m[r.text(k)] = e
			}
		}
	}
}
