package wire

import (
	"fmt"
	"unicode/utf8"
)

// A Writer appends the canonical form of one value to a buffer. Emitted append
// functions call it; a Writer comes from [Codec.Writer]. The first fault is
// kept and reported by Close; what is written after it is thrown away.
type Writer struct {
	b     []byte
	start int // Length of b that is not ours.
	n     int // Fields written to the open map, or to the open array up to its last that is not nil.
	array bool
	c     *core

	err    error // First fault,
	bad    int   // its offset in b,
	name   string
	keys   []string // Scratch of Keys.
	nested bool     // A struct inside has unknown fields: see verify.
	elems  int      // Open array: elements written, nil ones included.
	last   int      // Open array: offset behind the last element that is not nil.
}

// A Mark is the open map or array around another, kept by the caller between
// Map or Array and End.
type Mark struct {
	at    int
	n     int
	elems int
	last  int
	array bool
}

// Map opens a map of required fields out of declared. Fields follow in schema
// order, then [Writer.End].
func (w *Writer) Map(required, declared int) Mark {
	m := Mark{at: len(w.b), n: w.n, elems: w.elems, last: w.last, array: w.array}
	w.n, w.array = required, false
	if declared <= 15 {
		w.b = append(w.b, 0x8f)
	} else {
		w.b = append(w.b, 0xde, 0xff, 0xff)
	}
	return m
}

// Array opens an array of required fields out of declared, as Map does: keys
// are then not written, and an absent field is nil, or nothing where no other
// field follows.
func (w *Writer) Array(required, declared int) Mark {
	m := Mark{at: len(w.b), n: w.n, elems: w.elems, last: w.last, array: w.array}
	w.n, w.array = 0, true
	w.elems = 0
	if declared <= 15 {
		w.b = append(w.b, 0x9f)
	} else {
		w.b = append(w.b, 0xdc, 0xff, 0xff)
	}
	w.last = len(w.b)
	return m
}

// End writes the unknown fields and closes the map or array that m opened.
func (w *Writer) End(m Mark, extra string) {
	n := w.n
	if w.array {
		n = w.endArray(extra)
	}
	if extra != "" {
		n += w.extra(m, extra)
	}
	w.header(m.at, n)
	w.n, w.array, w.elems, w.last = m.n, m.array, m.elems, m.last
	w.done()
}

// endArray forgets nil elements at the end, unless unknown ones follow.
func (w *Writer) endArray(extra string) int {
	if extra != "" {
		return w.elems
	}
	w.b = w.b[:w.last]
	return w.n
}

// header writes the count of the map or array at, for which Map or Array left
// one byte or three.
func (w *Writer) header(at, n int) {
	h := w.b[at]
	switch {
	case h == 0x8f && n <= 15 || h == 0x9f && n <= 15:
		w.b[at] = h&0xf0 | byte(n)
	case h == 0x8f || h == 0x9f:
		w.b = append(w.b, 0, 0)
		copy(w.b[at+3:], w.b[at+1:])
		w.b[at] = 0xde - (h&0x10)>>3
		w.b[at+1], w.b[at+2] = byte(n>>8), byte(n)
		w.moved(at, 2)
	case n <= 15:
		copy(w.b[at+1:], w.b[at+3:])
		w.b = w.b[:len(w.b)-2]
		w.b[at] = (0x80 | (0xde-h)<<3) | byte(n)
		w.moved(at, -2)
	default:
		w.b[at+1], w.b[at+2] = byte(n>>8), byte(n)
	}
}

// moved keeps the offset of the fault right when the bytes behind at move.
func (w *Writer) moved(at, by int) {
	if w.err != nil && w.bad > at {
		w.bad += by
	}
}

// key begins a required field.
func (w *Writer) key(key string) {
	if w.array {
		w.elems++
		w.n = w.elems
		return
	}
	w.b = append(w.b, key...)
}

// opt begins an optional field that is present.
func (w *Writer) opt(key string) {
	if w.array {
		w.elems++
		w.n = w.elems
		return
	}
	w.n++
	w.b = append(w.b, key...)
}

// done ends a field: in an array, what was written so far stays.
func (w *Writer) done() {
	if w.array {
		w.last = len(w.b)
	}
}

// skip stands for an optional field that is absent.
func (w *Writer) skip() {
	if w.array {
		w.elems++
		w.b = append(w.b, 0xc0)
	}
}

// Key begins a required field whose value is a struct; the struct's append follows.
func (w *Writer) Key(key string) {
	w.key(key)
}

// Opt begins an optional field whose value is a struct and tells whether the
// struct's append follows.
func (w *Writer) Opt(key string, valid bool) bool {
	if valid {
		w.opt(key)
	} else {
		w.skip()
	}
	return valid
}

// List begins a list of n structs, whose append functions follow.
func (w *Writer) List(key string, n int, p Presence) {
	if w.begin(key, n, p) {
		w.listHeader(n)
		w.done()
	}
}

// begin begins a list, map, bytes or other value that is empty at length 0,
// and tells whether it is to be written.
func (w *Writer) begin(key string, n int, p Presence) bool {
	if p == Required {
		w.key(key)
		return true
	}
	if n == 0 {
		w.skip()
		return false
	}
	w.opt(key)
	return true
}

func (w *Writer) listHeader(n int) {
	if n > MaxList {
		w.fail("", len(w.b), ErrTooLong)
		n = 0
	}
	if n <= 15 {
		w.b = append(w.b, 0x90|byte(n))
		return
	}
	w.b = append(w.b, 0xdc, byte(n>>8), byte(n))
}

func (w *Writer) mapHeader(n int) {
	if n > MaxList {
		w.fail("", len(w.b), ErrTooLong)
		n = 0
	}
	if n <= 15 {
		w.b = append(w.b, 0x80|byte(n))
		return
	}
	w.b = append(w.b, 0xde, byte(n>>8), byte(n))
}

// Entry begins the value of one key of a map of structs; the struct's append follows.
func (w *Writer) Entry(key string) { w.str(key, MaxString) }

// fail keeps the first fault. Its field is found in what was written so far,
// see Close; name is added to it.
func (w *Writer) fail(name string, at int, err error) {
	if w.err == nil {
		w.err, w.bad, w.name = err, at, name
	}
}

// Close returns the buffer with the value appended, or the buffer as it was
// and an *[Error].
func (w *Writer) Close() ([]byte, error) {
	if w.err == nil && len(w.b)-w.start <= MaxMessage && !w.nested {
		return w.b, nil
	}
	return w.finish()
}

// finish is Close where something is unusual.
func (w *Writer) finish() ([]byte, error) {
	if n := len(w.b) - w.start; w.err == nil && n > MaxMessage {
		err := fmt.Errorf("%w: %d bytes, at most %d", ErrTooLong, n, MaxMessage)
		return w.b[:w.start], &Error{Name: w.c.name, Offset: MaxMessage, Err: err}
	}
	if w.err == nil && w.nested {
		w.verify()
	}
	if w.err == nil {
		return w.b, nil
	}
	field := w.c.pathAt(w.b[w.start:w.bad])
	if w.name != "" && field != "" {
		field += "."
	}
	return w.b[:w.start], &Error{Name: w.c.name, Field: field + w.name, Offset: w.bad - w.start, Err: w.err}
}

// str appends a string value.
func (w *Writer) str(s string, max int) {
	if len(s) > max {
		w.fail("", len(w.b), fmt.Errorf("%w: %d bytes, at most %d", ErrTooLong, len(s), max))
		return
	}
	if !utf8.ValidString(s) {
		w.fail("", len(w.b), ErrUTF8)
		return
	}
	w.b = appendStr(w.b, s)
}

func appendStr[S string | []byte](b []byte, s S) []byte {
	switch n := len(s); {
	case n < 32:
		b = append(b, 0xa0|byte(n))
	case n < 1<<8:
		b = append(b, 0xd9, byte(n))
	case n < 1<<16:
		b = append(b, 0xda, byte(n>>8), byte(n))
	default:
		b = append(b, 0xdb, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
	return append(b, s...)
}

func appendBin[S string | []byte](b []byte, s S) []byte {
	switch n := len(s); {
	case n < 1<<8:
		b = append(b, 0xc4, byte(n))
	case n < 1<<16:
		b = append(b, 0xc5, byte(n>>8), byte(n))
	default:
		b = append(b, 0xc6, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
	return append(b, s...)
}

func appendInt(b []byte, v int64) []byte {
	if v >= 0 {
		return appendUint(b, uint64(v))
	}
	switch {
	case v >= -32:
		return append(b, byte(v))
	case v >= -1<<7:
		return append(b, 0xd0, byte(v))
	case v >= -1<<15:
		return append(b, 0xd1, byte(v>>8), byte(v))
	case v >= -1<<31:
		return append(b, 0xd2, byte(v>>24), byte(v>>16), byte(v>>8), byte(v))
	}
	return append(b, 0xd3, byte(v>>56), byte(v>>48), byte(v>>40), byte(v>>32), byte(v>>24), byte(v>>16), byte(v>>8), byte(v))
}

func appendUint(b []byte, v uint64) []byte {
	switch {
	case v < 1<<7:
		return append(b, byte(v))
	case v < 1<<8:
		return append(b, 0xcc, byte(v))
	case v < 1<<16:
		return append(b, 0xcd, byte(v>>8), byte(v))
	case v < 1<<32:
		return append(b, 0xce, byte(v>>24), byte(v>>16), byte(v>>8), byte(v))
	}
	return append(b, 0xcf, byte(v>>56), byte(v>>48), byte(v>>40), byte(v>>32), byte(v>>24), byte(v>>16), byte(v>>8), byte(v))
}
