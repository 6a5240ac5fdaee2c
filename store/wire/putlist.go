package wire

import (
	"slices"

	"github.com/shopspring/decimal"
)

// PutStrings writes a list of strings, enums or ids.
func PutStrings[T ~string](w *Writer, key string, v []T, p Presence, max int) {
	if w.begin(key, len(v), p) {
		w.listHeader(len(v))
		for _, s := range v {
			w.longStr(string(s), max)
		}
	}
}

// PutInts writes a list of int64 or of ids that are one.
func PutInts[T ~int64](w *Writer, key string, v []T, p Presence) {
	if w.begin(key, len(v), p) {
		w.listHeader(len(v))
		for _, n := range v {
			w.b = appendInt(w.b, int64(n))
		}
	}
}

// PutTimestamps writes a list of timestamps.
func PutTimestamps[T ~int64](w *Writer, key string, v []T, p Presence) {
	if w.begin(key, len(v), p) {
		w.listHeader(len(v))
		for _, t := range v {
			w.timestamp(int64(t))
		}
	}
}

// PutTexts writes a list of ids of several parts.
func PutTexts[T interface{ String() string }](w *Writer, key string, v []T, p Presence) {
	if w.begin(key, len(v), p) {
		w.listHeader(len(v))
		for _, t := range v {
			w.str(t.String())
		}
	}
}

// PutDecimals writes a list of decimals.
func (w *Writer) PutDecimals(key string, v []decimal.Decimal, p Presence) {
	if w.begin(key, len(v), p) {
		w.listHeader(len(v))
		for i := range v {
			w.decimal(v[i])
		}
	}
}

// PutBools writes a list of bools.
func (w *Writer) PutBools(key string, v []bool, p Presence) {
	if w.begin(key, len(v), p) {
		w.listHeader(len(v))
		for _, x := range v {
			w.bool(x)
		}
	}
}

// PutFloats writes a list of float64.
func (w *Writer) PutFloats(key string, v []float64, p Presence) {
	if w.begin(key, len(v), p) {
		w.listHeader(len(v))
		for _, f := range v {
			w.float(f)
		}
	}
}

// PutBytesList writes a list of bytes.
func (w *Writer) PutBytesList(key string, v [][]byte, p Presence, max int) {
	if w.begin(key, len(v), p) {
		w.listHeader(len(v))
		for _, x := range v {
			w.bytes(x, max)
		}
	}
}

// smallMap is how many keys are sorted without a buffer from the heap.
const smallMap = 16

// sorted appends the keys of m to keys, sorted among themselves: the keys
// before them are those of a map around this one, which is still being written.
func sorted[V any](keys []string, m map[string]V) []string {
	at := len(keys)
	for k := range m {
		keys = append(keys, k)
	}
	if len(m) > 1 {
		slices.Sort(keys[at:])
	}
	return keys
}

// Keys begins a map of structs and returns its keys, sorted; for each of them
// [Writer.Entry] and the struct's append follow.
func Keys[V any](w *Writer, key string, m map[string]V, p Presence) []string {
	if !w.begin(key, len(m), p) {
		return nil
	}
	w.mapHeader(len(m))
	at := len(w.keys)
	w.keys = sorted(w.keys, m)
	return w.keys[at:]
}

// PutStringMap writes a map of strings, enums or ids.
func PutStringMap[T ~string](w *Writer, key string, m map[string]T, p Presence, max int) {
	if w.begin(key, len(m), p) {
		w.mapHeader(len(m))
		for _, k := range sorted(make([]string, 0, smallMap), m) {
			w.str(k)
			w.longStr(string(m[k]), max)
		}
	}
}

// PutIntMap writes a map of int64 or of ids that are one.
func PutIntMap[T ~int64](w *Writer, key string, m map[string]T, p Presence) {
	if w.begin(key, len(m), p) {
		w.mapHeader(len(m))
		for _, k := range sorted(make([]string, 0, smallMap), m) {
			w.str(k)
			w.b = appendInt(w.b, int64(m[k]))
		}
	}
}

// PutTimestampMap writes a map of timestamps.
func PutTimestampMap[T ~int64](w *Writer, key string, m map[string]T, p Presence) {
	if w.begin(key, len(m), p) {
		w.mapHeader(len(m))
		for _, k := range sorted(make([]string, 0, smallMap), m) {
			w.str(k)
			w.timestamp(int64(m[k]))
		}
	}
}

// PutTextMap writes a map of ids of several parts.
func PutTextMap[T interface{ String() string }](w *Writer, key string, m map[string]T, p Presence) {
	if w.begin(key, len(m), p) {
		w.mapHeader(len(m))
		for _, k := range sorted(make([]string, 0, smallMap), m) {
			w.str(k)
			w.str(m[k].String())
		}
	}
}

// PutDecimalMap writes a map of decimals.
func (w *Writer) PutDecimalMap(key string, m map[string]decimal.Decimal, p Presence) {
	if len(m) != 0 || p == Required || w.array {
		w.putDecimalMap(key, m, p)
	}
}

func (w *Writer) putDecimalMap(key string, m map[string]decimal.Decimal, p Presence) {
	if w.begin(key, len(m), p) {
		w.mapHeader(len(m))
		if len(m) == 1 {
			for k, d := range m {
				w.str(k)
				w.decimal(d)
			}
			return
		}
		for _, k := range sorted(make([]string, 0, smallMap), m) {
			w.str(k)
			w.decimal(m[k])
		}
	}
}

// PutBoolMap writes a map of bools.
func (w *Writer) PutBoolMap(key string, m map[string]bool, p Presence) {
	if w.begin(key, len(m), p) {
		w.mapHeader(len(m))
		for _, k := range sorted(make([]string, 0, smallMap), m) {
			w.str(k)
			w.bool(m[k])
		}
	}
}

// PutFloatMap writes a map of float64.
func (w *Writer) PutFloatMap(key string, m map[string]float64, p Presence) {
	if w.begin(key, len(m), p) {
		w.mapHeader(len(m))
		for _, k := range sorted(make([]string, 0, smallMap), m) {
			w.str(k)
			w.float(m[k])
		}
	}
}

// PutBytesMap writes a map of bytes.
func (w *Writer) PutBytesMap(key string, m map[string][]byte, p Presence, max int) {
	if w.begin(key, len(m), p) {
		w.mapHeader(len(m))
		for _, k := range sorted(make([]string, 0, smallMap), m) {
			w.str(k)
			w.bytes(m[k], max)
		}
	}
}
