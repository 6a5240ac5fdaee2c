package wire

import (
	"fmt"
	"strconv"
	"sync"
)

// A canon rewrites one value from any accepted form into canonical form. All
// rules about foreign input are in its methods. They take the offset of a
// value in src and return the offset behind it.
type canon struct {
	src     []byte
	out     []byte
	json    bool    // src was made from JSON.
	known   []span  // A stack: where the fields of open maps are, in the order of the schema.
	unknown []span  // A stack: unknown fields of open maps.
	entries []entry // A stack: entries of open maps.
	extras  []span  // Where no known field may stand, in the order of src; see verify.
	msg     []byte  // What JSON was turned into.
}

// A span is a part of the input; that of a known field is key and value. End 0 is none.
type span struct{ from, end int }

// isRaw is the end of a known field whose value, at from, is still to be rewritten.
const isRaw = -1

// A fault is an error with its offset in src, and its path.
type fault struct {
	at    int
	field string
	err   error
}

func (f *fault) Error() string { return f.err.Error() }

// within adds the name of what holds the bad value to its path.
func (f *fault) within(name string) *fault {
	if f.field != "" && f.field[0] != '[' {
		name += "."
	}
	f.field = name + f.field
	return f
}

// bad returns a fault.
func bad(at int, err error) *fault { return &fault{at: at, err: err} }

// wrong returns the fault of a value that is not what it should be.
func wrong(at int, what string) *fault { return bad(at, fmt.Errorf("%w: not %s", ErrType, what)) }

// tooLong returns the fault of too many things.
func tooLong(at, n, limit int, things string) *fault {
	return bad(at, errTooLong(n, limit, things))
}

func errTooLong(n, limit int, things string) error {
	return fmt.Errorf("%w: %d %s, at most %d", ErrTooLong, n, things, limit)
}

// index and key are the steps of a path into a list or a map.
func index(n int) string     { return "[" + strconv.Itoa(n) + "]" }
func key(name []byte) string { return "[" + strconv.Quote(string(name)) + "]" }

var canons = sync.Pool{New: func() any { return &canon{out: make([]byte, 0, 1024)} }}

// newCanon returns a canon from the pool.
func newCanon() *canon { return canons.Get().(*canon) }

// begin empties c for the value that src begins with.
func (c *canon) begin(src []byte) {
	c.src, c.out, c.known, c.unknown, c.entries = src, c.out[:0], c.known[:0], c.unknown[:0], c.entries[:0]
}

// free gives c back.
func (c *canon) free() {
	c.src, c.extras, c.json = nil, nil, false
	if cap(c.out)+cap(c.msg) <= maxPooled && cap(c.known)+cap(c.unknown)+cap(c.entries) <= 4096 {
		canons.Put(c)
	}
}

// rewrite puts the canonical form of the value that src begins with into
// c.out, and returns how many bytes of src it takes.
func (c *canon) rewrite(co *core, src []byte) (int, error) {
	c.begin(src)
	used := 0
	if looksLikeJSON(src) {
		var f *fault
		if c.msg, used, f = fromJSON(c.msg[:0], src[:min(len(src), maxJSON)]); f != nil {
			return 0, &Error{Name: co.name, Offset: f.at, Err: f.err}
		}
		c.src, c.json = c.msg, true
	}
	end, f := c.fields(0, co.layout())
	if n := max(end, len(c.out)); f == nil && n > MaxMessage {
		f = tooLong(0, n, MaxMessage, "bytes")
	}
	switch {
	case f != nil && c.json:
		return 0, &Error{Name: co.name, Field: f.field, Offset: jsonOffset(src, c.msg, f.at), Err: f.err}
	case f != nil:
		return 0, &Error{Name: co.name, Field: f.field, Offset: f.at, Err: f.err}
	case c.json:
		return used, nil
	}
	return end, nil
}

// maxJSON is the longest JSON that is read. It may be longer than its
// MessagePack form, most of all where it escapes every byte.
const maxJSON = 8 * MaxMessage

// verify tells where src, which is canonical otherwise, has a known field
// inside of the given spans.
func (c *core) verify(src []byte, extras []span) (int, error) {
	cn := newCanon()
	defer cn.free()
	cn.begin(src)
	cn.extras = extras
	if _, f := cn.fields(0, c.layout()); f != nil {
		return f.at, f.err
	}
	return 0, nil
}
