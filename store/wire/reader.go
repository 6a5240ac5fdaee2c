package wire

import (
	"unicode/utf8"

	"github.com/shopspring/decimal"
)

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
	in    *Interner
	c     *core
	learn *learner
	chunk chunk           // Memory of strings.
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
	r.b, r.i, r.left, r.array, r.isNil, r.bad, r.depth, r.prev = c.out, 0, 0, false, false, false, 0, 0
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
	r.bad = true
	r.b = r.b[:0]
	r.i = 0
	r.left = 0
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
	r.array = false
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
	r.array, r.isNil = true, false
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

// isNext tells whether key comes next, which it never does in an array.
func (r *Reader) isNext(key string) bool {
	n := len(key)
	if n > len(r.b)-r.i || r.array {
		return false
	}
	b := r.b[r.i:]
	if n-8 <= 8 && n >= 8 {
		return le.Uint64(b) == le.Uint64([]byte(key)) && le.Uint64(b[n-8:n]) == le.Uint64([]byte(key[n-8:]))
	}
	return string(b[:n]) == key
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
	if r.isNext(key) {
		r.i += len(key)
		if r.left--; r.left >= 0 {
			return true
		}
		r.fail()
	}
	return r.absent(key)
}

// absent is what opt does where key does not come next.
func (r *Reader) absent(key string) bool {
	switch {
	case r.learn != nil:
		return r.learn.field(key, true)
	case r.array:
		return r.optElem()
	}
	return false
}

func (r *Reader) optElem() bool {
	if r.left == 0 {
		return false
	}
	r.left--
	if r.isNil = r.i < len(r.b) && r.b[r.i] == 0xc0; r.isNil {
		r.i++
		return false
	}
	return true
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

// strAt returns the bytes of the str that begins at r.i and the offset behind
// it; nil if it is not canonical.
func (r *Reader) strAt(max int) (s []byte, ok bool) {
	b, i := r.b, r.i
	if i >= len(b) {
		return nil, false
	}
	n := 0
	switch c := b[i]; {
	case c&0xe0 == 0xa0:
		n = int(c & 0x1f)
		i++
	case c == 0xd9 && i+1 < len(b):
		n = int(b[i+1])
		i += 2
		if n < 32 {
			return nil, false
		}
	case c == 0xda && i+2 < len(b):
		n = int(b[i+1])<<8 | int(b[i+2])
		i += 3
		if n < 1<<8 {
			return nil, false
		}
	case c == 0xdb && i+4 < len(b):
		u := uint32(b[i+1])<<24 | uint32(b[i+2])<<16 | uint32(b[i+3])<<8 | uint32(b[i+4])
		if u < 1<<16 || u > MaxMessage {
			return nil, false
		}
		n = int(u)
		i += 5
	default:
		return nil, false
	}
	if n > max || n > len(b)-i {
		return nil, false
	}
	r.i = i + n
	return b[i : i+n], true
}

// str reads a string value and tells whether it is another than old.
func (r *Reader) str(old string, max int) (string, bool) {
	b := r.b[r.i:]
	if len(b) < 2 {
		return r.longStr(old, max)
	}
	n, head := int(b[0])^0xa0, 1
	if b[0] == 0xd9 {
		n, head = int(b[1]), 2
		if n < 32 {
			n = len(b)
		}
	} else if n > 31 {
		return r.longStr(old, max)
	}
	if n > len(b)-head || n > max {
		return r.longStr(old, max)
	}
	s := b[head : head+n]
	r.i += head + n
	if sameWords(s, old) {
		return "", false
	}
	return r.newStr(s, old)
}

// longStr is str for strings of 256 bytes or more.
func (r *Reader) longStr(old string, max int) (string, bool) {
	s, ok := r.strAt(max)
	if !ok {
		r.miss(kindString, max)
		return "", false
	}
	return r.newStr(s, old)
}

// newStr returns s if it is another than old.
func (r *Reader) newStr(s []byte, old string) (string, bool) {
	if !isASCII(s) && !utf8.Valid(s) {
		r.fail()
		return "", false
	}
	if string(s) == old {
		return "", false
	}
	return r.text(s), true
}

// text returns s as a string. If the first string of a row, which is mostly its
// id, is another, then most are: they are cut from one chunk.
func (r *Reader) text(s []byte) string {
	switch {
	case len(s) == 0:
		return ""
	case r.in != nil:
		return r.in.str(s)
	case r.i-len(s) < firstString || r.chunk.b.Cap() > 0:
		return r.chunk.str(s, (len(r.b)-r.i+len(s))/2)
	}
	return string(s)
}

// firstString is more than the offset of the first string of a row, and
// less than that of most others.
const firstString = 32

// takeDecimal reads a decimal value.
func (r *Reader) takeDecimal(v *decimal.Decimal) {
	i := r.i + 1
	n := -1
	if i <= len(r.b) {
		n = int(r.b[r.i]) ^ 0xa0
	}
	if uint(n) > 31 || n > len(r.b)-i {
		r.longDecimal(v)
		return
	}
	r.i = i + n
	coef, scale, long, ok := parseDecimal(r.b, i, i+n)
	switch {
	case !ok:
		r.fail()
	case long:
		r.takeBig(v, r.b[i:i+n])
	case !sameDecimal(v, coef, scale):
		r.setDecimal(v, coef, scale)
	}
}

// longDecimal is takeDecimal for texts of 32 bytes or more.
func (r *Reader) longDecimal(v *decimal.Decimal) {
	s, ok := r.strAt(MaxDecimal)
	if !ok {
		r.miss(kindDecimal, 0)
		return
	}
	r.takeBig(v, s)
}

// setDecimal changes v.
func (r *Reader) setDecimal(v *decimal.Decimal, coef int64, scale int) {
	switch {
	case r.in != nil:
		*v = r.in.decimal(coef, scale)
	case sameDecimal(&r.last, coef, scale):
		*v = r.last
	default:
		*v = newDecimal(coef, scale)
		r.last = *v
	}
}

// takeBig reads a decimal of 19 digits or more.
func (r *Reader) takeBig(v *decimal.Decimal, s []byte) {
	var text [MaxDecimal]byte
	if old, ok := decimalText(text[:0], v); ok && string(old) == string(s) {
		return
	}
	d, err := decimal.NewFromString(string(s))
	if err != nil {
		r.fail()
		return
	}
	if t, ok := decimalText(text[:0], &d); !ok || string(t) != string(s) {
		r.fail()
		return
	}
	*v = d
}

// listLen reads the header of a list whose elements take at least least bytes each.
func (r *Reader) listLen(least int) int {
	return r.count(0x90, 0xdc, least)
}

func (r *Reader) count(fix, long byte, least int) int {
	b, i, n := r.b, r.i, 0
	switch {
	case i < len(b) && b[i]&0xf0 == fix:
		n = int(b[i] & 0x0f)
		i++
	case i+2 < len(b) && b[i] == long && (b[i+1] != 0 || b[i+2] > 15):
		n = int(b[i+1])<<8 | int(b[i+2])
		i += 3
	default:
		r.fail()
		return 0
	}
	if n > MaxList || n*least > len(b)-i {
		r.fail()
		return 0
	}
	r.i = i
	return n
}
