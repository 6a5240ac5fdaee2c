package wire

import (
	"fmt"
	"unicode/utf8"
)

// A Writer appends the canonical form of one value to a buffer. Emitted append
// functions call it; a Writer comes from [Codec.Writer]. The first fault is
// kept and reported by Close; what is written after it is thrown away.
type Writer struct {
	b      []byte // The buffer up to its capacity,
	n      int    // of which so much is written.
	fields int    // Fields of the open map, required ones included.
	array  bool   // What is open is an array: keys are not written.
	extras []span // Unknown fields of structs inside: see verify.
	grown  bool
	c      *core
	start  int      // What the buffer held before.
	keys   []string // Scratch of Keys.

	fault *writeFault
}

// A writeFault is the first fault that a Writer met.
type writeFault struct {
	at   int    // Where it is in the buffer; the path to it is found there, see [core.pathAt].
	name string // What is added to the path.
	err  error
}

// A Mark is what goes on around the map or array that was opened last. Emitted
// code keeps it between Map or Array and End.
type Mark struct {
	at     int
	fields int
	array  bool
	isNil  bool
}

// Map opens a map of required fields out of declared. Fields follow in schema
// order, then [Writer.End].
func (w *Writer) Map(required, declared int) Mark {
	m := Mark{at: w.n, fields: w.fields, array: w.array}
	w.fields, w.array = required, false
	w.open(declared, 0xde)
	return m
}

// Array opens an array of required fields out of declared, as Map does: keys
// are then not written, and an absent field is nil, or nothing where no other
// field follows.
func (w *Writer) Array(required, declared int) Mark {
	m := Mark{at: w.n, fields: w.fields, array: w.array}
	w.array = true
	w.open(declared, 0xdc)
	return m
}

// isOpen is the header, of one byte, of a map or array of which End is still to
// come. Of a longer header the count is more than [MaxFields] until then.
const isOpen = 0xc1

// open leaves room for a header, one byte or three.
func (w *Writer) open(declared int, long byte) {
	b := w.room(3)
	if declared <= 15 {
		b[0] = isOpen
		w.n++
		return
	}
	b[0], b[1], b[2] = long, 0xff, 0xff
	w.n += 3
}

// End writes the unknown fields and closes the map or array that m opened.
func (w *Writer) End(m Mark, extra string) {
	if n := w.fields; n <= 15 && w.b[m.at] == isOpen && !w.array && extra == "" && w.fault == nil {
		w.b[m.at] = 0x80 | byte(n)
	} else {
		w.end(m, extra)
	}
	w.fields, w.array = m.fields, m.array
}

// end is End where that takes more than writing a byte. What holds the first
// fault stays open.
func (w *Writer) end(m Mark, extra string) {
	if w.fault != nil && w.fault.at > m.at {
		return
	}
	n := w.fields
	if w.array {
		at, size := m.at+1, 0
		if w.b[m.at] != isOpen {
			at += 2
		}
		if n, size = elements(w.b[at:w.n], extra == ""); extra == "" {
			w.n = at + size
		}
	}
	if extra != "" {
		n += w.extra(m, extra)
	}
	if n > MaxFields {
		w.fail("", w.n, fmt.Errorf("%w: %d fields, at most %d", ErrTooLong, n, MaxFields))
	}
	if w.fault == nil {
		w.header(m.at, n)
	}
}

// header writes the count of the map or array at, for which open left one byte or three.
func (w *Writer) header(at, n int) {
	fix, long := byte(0x80), byte(0xde)
	if w.array {
		fix, long = 0x90, 0xdc
	}
	wide := w.b[at] != isOpen
	switch {
	case wide && n <= 15:
		copy(w.b[at+1:], w.b[at+3:w.n])
		w.moved(at, -2)
	case !wide && n > 15:
		w.room(2)
		copy(w.b[at+3:], w.b[at+1:w.n])
		w.moved(at, 2)
	}
	if n <= 15 {
		w.b[at] = fix | byte(n)
		return
	}
	w.b[at], w.b[at+1], w.b[at+2] = long, byte(n>>8), byte(n)
}

// moved notes that what stands behind at has moved.
func (w *Writer) moved(at, by int) {
	w.n += by
	for i := len(w.extras) - 1; i >= 0 && w.extras[i].from > at; i-- {
		w.extras[i].from += by
		w.extras[i].end += by
	}
}

// reserve makes room for n bytes.
func (w *Writer) reserve(n int) {
	if len(w.b)-w.n < n {
		w.grow(n)
	}
}

// room returns the free part of the buffer, which has n bytes at least.
func (w *Writer) room(n int) []byte {
	w.reserve(n)
	return w.b[w.n:]
}

// grow makes room for n bytes, and in an empty buffer for a value of the size of the last.
//
//go:noinline
func (w *Writer) grow(n int) {
	if w.n == w.start {
		n += int(w.c.size.Load())
	}
	b := append(w.b[:w.n], make([]byte, n+64)...)
	w.b, w.grown = b[:cap(b)], true
}

// out and set are for what appends; set takes what out returned, and more.
func (w *Writer) out() []byte  { return w.b[:w.n] }
func (w *Writer) set(b []byte) { w.b, w.n = b[:cap(b)], len(b) }

// key begins a required field.
func (w *Writer) key(key string) {
	if w.array {
		return
	}
	w.reserve(len(key))
	copyKey(w.b, w.n, key)
	w.n += len(key)
}

// opt begins an optional field that is present.
func (w *Writer) opt(key string) {
	w.fields++
	w.key(key)
}

// skip stands for an optional field that is absent.
func (w *Writer) skip() {
	if w.array {
		w.set(append(w.out(), 0xc0))
	}
}

// Key begins a required field whose value is a struct; the struct's append follows.
func (w *Writer) Key(key string) { w.key(key) }

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
	}
}

// begin begins a list, map or bytes of length n and tells whether it is to be written.
func (w *Writer) begin(key string, n int, p Presence) bool {
	switch {
	case p == Required:
		w.key(key)
	case n == 0:
		w.skip()
		return false
	default:
		w.opt(key)
	}
	return true
}

func (w *Writer) listHeader(n int) { w.count(n, 0x90, 0xdc) }

func (w *Writer) mapHeader(n int) { w.count(n, 0x80, 0xde) }

func (w *Writer) count(n int, fix, long byte) {
	if n > MaxList {
		w.fail("", w.n, fmt.Errorf("%w: %d elements, at most %d", ErrTooLong, n, MaxList))
		n = 0
	}
	b := w.room(3)
	if n <= 15 {
		b[0] = fix | byte(n)
		w.n++
		return
	}
	b[0], b[1], b[2] = long, byte(n>>8), byte(n)
	w.n += 3
}

// Entry begins the value of one key of a map of structs; the struct's append follows.
func (w *Writer) Entry(key string) { w.str(key, MaxString) }

// fail keeps the first fault.
func (w *Writer) fail(name string, at int, err error) {
	if w.fault == nil {
		w.fault = &writeFault{at, name, err}
	}
}

// Close returns the buffer with the value appended, or the buffer as it was
// and an *[Error].
func (w *Writer) Close() ([]byte, error) {
	if w.fault == nil && w.n-w.start <= MaxMessage && w.extras == nil && !w.grown {
		return w.b[:w.n], nil
	}
	return w.finish()
}

// finish is Close where something is unusual.
func (w *Writer) finish() ([]byte, error) {
	if n := w.n - w.start; w.fault == nil && n > MaxMessage {
		err := fmt.Errorf("%w: %d bytes, at most %d", ErrTooLong, n, MaxMessage)
		return w.b[:w.start], &Error{Name: w.c.name, Offset: MaxMessage, Err: err}
	}
	if w.fault == nil && w.extras != nil {
		w.verify()
	}
	if w.fault == nil {
		w.c.size.Store(int32(w.n - w.start))
		return w.b[:w.n], nil
	}
	f := w.fault
	field := w.c.pathAt(w.b[w.start:f.at])
	if f.name != "" && field != "" {
		field += "."
	}
	return w.b[:w.start], &Error{Name: w.c.name, Field: field + f.name, Offset: f.at - w.start, Err: f.err}
}

// putStr writes a field that is a string.
func (w *Writer) putStr(key, s string) {
	k := len(key)
	if len(s) > 255 || w.array {
		w.key(key)
		w.str(s, MaxString)
		return
	}
	w.reserve(k + 2 + len(s))
	b, n := w.b, w.n
	copyKey(b, n, key)
	n += k
	if len(s) < 32 {
		b[n] = 0xa0 | byte(len(s))
		n++
	} else {
		b[n], b[n+1] = 0xd9, byte(len(s))
		n += 2
	}
	if !copyWords(b, n, s) && !utf8.ValidString(s) {
		w.n += k
		w.fail("", w.n, ErrUTF8)
		return
	}
	w.n = n + len(s)
}

// str writes a string value.
func (w *Writer) str(s string, max int) {
	if len(s) > max {
		w.fail("", w.n, fmt.Errorf("%w: %d bytes, at most %d", ErrTooLong, len(s), max))
		return
	}
	if !utf8.ValidString(s) {
		w.fail("", w.n, ErrUTF8)
		return
	}
	w.set(appendStr(w.out(), s))
}

// copyKey copies a key to b from at on.
func copyKey(b []byte, at int, key string) {
	if n := len(key); n-8 <= 8 && n >= 8 {
		store(b, at, word(key, 0))
		store(b, at+n-8, word(key, n-8))
	} else {
		copy(b[at:], key)
	}
}
