package wire

import (
	"fmt"
	"slices"
)

// A Writer appends the canonical form of one value to a buffer. Emitted append
// functions call it; a Writer comes from [Codec.Writer]. The first fault is
// kept and reported by Close; what is written after it is thrown away.
type Writer struct {
	b      []byte
	fields int    // Fields of the open map, required ones included.
	array  bool   // What is open is an array, whose keys are empty.
	extras []span // Unknown fields of structs inside: see verify.
	c      *core
	start  int      // What the buffer held before,
	cap    int      // and its capacity.
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
	m := Mark{at: len(w.b), fields: w.fields, array: w.array}
	w.fields, w.array = required, false
	w.open(declared, 0xde)
	return m
}

// Array opens an array of required fields out of declared, as Map does: keys
// are then empty, and an absent field is nil, or nothing where no other field
// follows.
func (w *Writer) Array(required, declared int) Mark {
	m := Mark{at: len(w.b), fields: w.fields, array: w.array}
	w.array = true
	w.open(declared, 0xdc)
	return m
}

// isOpen is the header, of one byte, of a map or array of which End is still to
// come. Of a longer header the count is more than [MaxFields] until then.
const isOpen = 0xc1

// open leaves room for a header, one byte or three. An empty buffer gets room
// for a value of the size of the last.
func (w *Writer) open(declared int, long byte) {
	if cap(w.b) == 0 {
		w.b = make([]byte, 0, int(w.c.size.Load())+64)
	}
	if declared <= 15 {
		w.b = append(w.b, isOpen)
	} else {
		w.b = append(w.b, long, 0xff, 0xff)
	}
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
		if n, size = elements(w.b[at:], extra == ""); extra == "" {
			w.b = w.b[:at+size]
		}
	}
	if extra != "" {
		n += w.extra(m, extra)
	}
	if n > MaxFields {
		w.fail("", len(w.b), fmt.Errorf("%w: %d fields, at most %d", ErrTooLong, n, MaxFields))
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
		w.b = slices.Delete(w.b, at+1, at+3)
		w.moved(at, -2)
	case !wide && n > 15:
		w.b = slices.Insert(w.b, at+1, 0, 0)
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
	for i := len(w.extras) - 1; i >= 0 && w.extras[i].from > at; i-- {
		w.extras[i].from += by
		w.extras[i].end += by
	}
}

// key begins a required field.
func (w *Writer) key(key string) { w.b = append(w.b, key...) }

// present counts an optional field that is present, and stands for one in an
// array that is absent.
func (w *Writer) present(valid bool) bool {
	if valid {
		w.fields++
	} else if w.array {
		w.b = append(w.b, 0xc0)
	}
	return valid
}

// Key begins a required field whose value is a struct; the struct's append follows.
func (w *Writer) Key(key string) { w.key(key) }

// Opt begins an optional field whose value is a struct and tells whether the
// struct's append follows.
func (w *Writer) Opt(key string, valid bool) bool {
	if valid {
		w.key(key)
	}
	return w.present(valid)
}

// List begins a list of n structs, whose append functions follow.
func (w *Writer) List(key string, n int, p Presence) {
	if w.begin(key, n, p) {
		w.listHeader(n)
	}
}

// begin begins a list, map or bytes of length n and tells whether it is to be written.
func (w *Writer) begin(key string, n int, p Presence) bool {
	if p == Required {
		w.key(key)
		return true
	}
	return w.Opt(key, n != 0)
}

func (w *Writer) listHeader(n int) { w.count(n, 0x90, 0xdc) }

func (w *Writer) mapHeader(n int) { w.count(n, 0x80, 0xde) }

func (w *Writer) count(n int, fix, long byte) {
	if n > MaxList {
		w.fail("", len(w.b), fmt.Errorf("%w: %d elements, at most %d", ErrTooLong, n, MaxList))
		n = 0
	}
	if n <= 15 {
		w.b = append(w.b, fix|byte(n))
		return
	}
	w.b = append(w.b, long, byte(n>>8), byte(n))
}

// Entry begins the value of one key of a map of structs; the struct's append follows.
func (w *Writer) Entry(key string) { w.str(key) }

// fail keeps the first fault.
func (w *Writer) fail(name string, at int, err error) {
	if w.fault == nil {
		w.fault = &writeFault{at, name, err}
	}
}

// Close returns the buffer with the value appended, or the buffer as it was
// and an *[Error].
func (w *Writer) Close() ([]byte, error) {
	if w.fault == nil && len(w.b)-w.start <= MaxMessage && w.extras == nil && cap(w.b) == w.cap {
		return w.b, nil
	}
	return w.finish()
}

// finish is Close where something is unusual.
func (w *Writer) finish() ([]byte, error) {
	if n := len(w.b) - w.start; w.fault == nil && n > MaxMessage {
		err := fmt.Errorf("%w: %d bytes, at most %d", ErrTooLong, n, MaxMessage)
		return w.b[:w.start], &Error{Name: w.c.name, Offset: MaxMessage, Err: err}
	}
	if w.fault == nil && w.extras != nil {
		w.verify()
	}
	if w.fault == nil {
		w.c.size.Store(int32(len(w.b) - w.start))
		return w.b, nil
	}
	f := w.fault
	field := w.c.pathAt(w.b[w.start:f.at])
	if f.name != "" && field != "" {
		field += "."
	}
	return w.b[:w.start], &Error{Name: w.c.name, Field: field + f.name, Offset: f.at - w.start, Err: f.err}
}

// str writes a string value.
func (w *Writer) str(s string) {
	n, at := len(s), len(w.b)
	if n > 31 || cap(w.b)-at < 32 {
		w.longStr(s, MaxString)
		return
	}
	b := (*[32]byte)(w.b[at : at+32])
	b[0] = 0xa0 | byte(n)
	high := uint64(0)
	switch {
	case n > 16:
		w1, w2, w3, w4 := word(s, 0), word(s, 8), word(s, n-16), word(s, n-8)
		store(b[:], 1, w1)
		store(b[:], 9, w2)
		store(b[:], n-15, w3)
		store(b[:], n-7, w4)
		high = w1 | w2 | w3 | w4
	case n >= 8:
		w1, w2 := word(s, 0), word(s, n-8)
		store(b[:], 1, w1)
		store(b[:], n-7, w2)
		high = w1 | w2
	case n >= 4:
		w1, w2 := half(s, 0), half(s, n-4)
		store4(b[:], 1, w1)
		store4(b[:], n-3, w2)
		high = uint64(w1 | w2)
	case n > 0:
		c1, c2, c3 := s[0], s[n/2], s[n-1]
		b[1], b[1+n/2], b[n] = c1, c2, c3
		high = uint64(c1 | c2 | c3)
	}
	if high&highBits != 0 {
		w.longStr(s, MaxString)
		return
	}
	w.b = w.b[:at+1+n]
}

// longStr writes a string of any length and of any text.
func (w *Writer) longStr(s string, max int) {
	if len(s) > max {
		w.fail("", len(w.b), fmt.Errorf("%w: %d bytes, at most %d", ErrTooLong, len(s), max))
		return
	}
	b := appendStr(w.b, s)
	if text := b[len(b)-len(s):]; !isText(text) {
		w.fail("", len(w.b), ErrUTF8)
		return
	}
	w.b = b
}
