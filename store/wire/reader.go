package wire

import "github.com/shopspring/decimal"

// A Reader hands the fields of one value to an emitted take function; it comes
// from [Codec.Reader]. It reads the canonical form and nothing else:
//
//	for r.Next() { p.take(&r) }
//	return r.Close()
//
// If a first pass meets anything unusual, Next rewrites the input and lets take
// run again, or ends with the error that Close returns.
type Reader struct {
	b     []byte // Input of this pass.
	i     int    // Offset of the next byte to read.
	left  int    // Fields of the open map or array not yet read, required ones of a map excluded.
	array bool
	isNil bool // Open array: its last element read was nil.
	bad   bool // This pass met something unusual.
	odd   bool // No keys are compared: array, bad or learn.
	in    *Interner
	c     *core
	learn *learner
	chunk chunk           // Memory of strings
	cells cells           // and of decimals.
	last  decimal.Decimal // Made last: quantities of one row are often equal.

	src   []byte // The whole input.
	state state
	depth int
	err   error
	canon *canon // Has the canonical form.
	used  int    // Bytes of src that the value takes.
	prev  int    // Open map of any key: offset and length of its last key; 0 is none.
}

type state uint8

const (
	begun state = iota
	first       // take is reading the input itself
	again       // take is reading the canonical form
	ended
)

// Next tells whether take is to run (again).
func (r *Reader) Next() bool {
	switch r.state {
	case begun:
		if looksLikeJSON(r.src) {
			return r.rewrite()
		}
		r.state = first
		r.b = r.src
		return true
	case first:
		if !r.bad && r.i <= MaxMessage {
			r.used = r.i
			r.state = ended
			return false
		}
		return r.rewrite()
	case again:
		r.state = ended
		if r.bad || r.i != len(r.b) {
			r.err = &Error{Name: r.c.name, Offset: r.i, Err: errUnread}
		}
	}
	return false
}

// rewrite puts the canonical form of the input in place of the input.
func (r *Reader) rewrite() bool {
	r.state = ended
	c := newCanon()
	used, err := c.rewrite(r.c, r.src)
	if err != nil {
		r.err = err
		c.free()
		return false
	}
	r.canon, r.used = c, used
	r.b, r.i, r.left, r.array, r.isNil, r.bad, r.odd, r.depth, r.prev = c.out, 0, 0, false, false, false, false, 0, 0
	r.state = again
	return true
}

// Close returns the input behind the value, or the whole input and an *[Error].
func (r *Reader) Close() ([]byte, error) {
	if r.canon != nil {
		r.canon.free()
	}
	if r.err != nil {
		return r.src, r.err
	}
	return r.src[r.used:], nil
}

// fail ends this pass; what follows reads nothing.
func (r *Reader) fail() {
	r.bad, r.odd = true, true
	r.b = r.b[:0]
	r.i, r.left = 0, 0
}

// Map opens a map of required fields out of declared.
func (r *Reader) Map(required, declared int) Mark {
	m := Mark{at: r.prev, fields: r.left, array: r.array, isNil: r.isNil}
	if r.learn != nil {
		r.learn.open(false)
		r.depth++
		return m
	}
	r.depth++
	r.array, r.odd = false, r.bad
	i := r.i
	switch {
	case i < len(r.b) && r.b[i]&0xf0 == 0x80:
		r.left = int(r.b[i]&0x0f) - required
		r.i = i + 1
	case i+2 < len(r.b) && r.b[i] == 0xde && (r.b[i+1] != 0 || r.b[i+2] > 15):
		r.left = int(r.b[i+1])<<8 | int(r.b[i+2]) - required
		r.i = i + 3
	default:
		r.fail()
		return m
	}
	if uint(r.left) > MaxFields {
		r.fail()
	}
	return m
}

// Array opens an array of required fields out of declared.
func (r *Reader) Array(required, declared int) Mark {
	m := Mark{at: r.prev, fields: r.left, array: r.array, isNil: r.isNil}
	if r.learn != nil {
		r.learn.open(true)
		r.depth++
		r.array = false
		return m
	}
	r.depth++
	r.array, r.odd, r.isNil = true, true, false
	i := r.i
	switch {
	case i < len(r.b) && r.b[i]&0xf0 == 0x90:
		r.left = int(r.b[i] & 0x0f)
		r.i = i + 1
	case i+2 < len(r.b) && r.b[i] == 0xdc && (r.b[i+1] != 0 || r.b[i+2] > 15):
		r.left = int(r.b[i+1])<<8 | int(r.b[i+2])
		r.i = i + 3
	default:
		r.fail()
		return m
	}
	if r.left < required || r.left > MaxFields {
		r.fail()
	}
	return m
}

// End reads the unknown fields and closes the map or array that m opened.
func (r *Reader) End(m Mark, extra *string) {
	r.depth--
	if r.learn != nil {
		r.learn.close()
		return
	}
	if r.left != 0 && !r.bad {
		r.extra(extra)
	} else if !r.bad {
		if r.array && r.isNil {
			r.fail() // An absent field at the end has no element.
		}
		if *extra != "" {
			*extra = ""
		}
	}
	r.left, r.array, r.prev, r.isNil = m.fields, m.array, m.at, m.isNil
	r.odd = m.array || r.bad
}

// extra reads the unknown fields. In the first pass they are checked if they
// are the row's own; those of a struct inside are left to the canonicaliser.
func (r *Reader) extra(extra *string) {
	rest, end, n := r.b[r.i:], 0, 0
	var err error
	switch {
	case r.array:
		end, n, err = walkElements(rest, r.left)
	case r.depth == 0:
		end, n, err = r.c.layout().walkExtra(rest, r.left)
	case r.state == again:
		end, n, err = (&layout{}).walkExtra(rest, r.left)
	}
	if err != nil || n != r.left {
		r.fail()
		return
	}
	if s := rest[:end]; string(s) != *extra {
		*extra = string(s)
	}
	r.i, r.left = r.i+end, 0
}

// at reads the key of a required field.
func (r *Reader) at(key string) bool {
	if r.isNext(key) {
		r.i += len(key)
		return true
	}
	return r.other(key)
}

// isNext tells whether key comes next. Where the reader is odd it does not say.
func (r *Reader) isNext(key string) bool {
	n := len(key)
	if n > len(r.b)-r.i || r.odd {
		return false
	}
	b := r.b[r.i:]
	if n-8 <= 8 && n >= 8 {
		return le.Uint64(b) == le.Uint64([]byte(key)) && le.Uint64(b[n-8:n]) == le.Uint64([]byte(key[n-8:]))
	}
	return string(b[:n]) == key
}

// near tells whether a key as long as this one may come next.
func (r *Reader) near(key string) bool {
	return r.odd || r.i < len(r.b) && r.b[r.i] == key[0]
}

// other is what at does where key does not come next.
func (r *Reader) other(key string) bool {
	switch {
	case r.learn != nil:
		return r.learn.field(key, false)
	case r.array && r.left > 0:
		r.isNil = false
		r.left--
		return true
	}
	r.fail()
	return false
}

// opt reads the key of an optional field, if that is what comes next.
func (r *Reader) opt(key string) bool {
	if !r.near(key) {
		return false
	}
	if r.isNext(key) {
		r.present(key)
		return true
	}
	return r.oddOpt(key)
}

// present reads the key of an optional field that comes next.
func (r *Reader) present(key string) {
	r.i += len(key)
	if r.left--; r.left < 0 {
		r.fail()
	}
}

// oddOpt reads an optional field that has no key, if it is there.
func (r *Reader) oddOpt(key string) bool {
	switch {
	case !r.odd:
		return false
	case r.learn != nil:
		return r.learn.field(key, true)
	case r.left == 0:
		return false
	}
	r.left--
	if r.isNil = r.i < len(r.b) && r.b[r.i] == 0xc0; r.isNil {
		r.i++
	}
	return !r.isNil
}

// begin reads the key of a field that may be Required or Optional.
func (r *Reader) begin(key string, p Presence) bool {
	if p == Required {
		return r.at(key)
	}
	return r.opt(key)
}

// Key reads the key of a required field whose value is a struct; the struct's take follows.
func (r *Reader) Key(key string) { r.at(key) }

// Opt reads the key of an optional field whose value is a struct, and tells
// whether the struct's take follows.
func (r *Reader) Opt(key string, valid *bool) bool {
	*valid = r.opt(key)
	return *valid || r.bad // What is read anew need not be emptied.
}

// miss ends a pass at a value that is not canonical, and tells the learner its kind.
func (r *Reader) miss(k kind, max int) {
	if r.learn != nil {
		r.learn.value(k, max)
		return
	}
	r.fail()
}
