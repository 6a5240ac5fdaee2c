package wire

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// A canon rewrites one value from any accepted form into canonical form. All
// rules about foreign input are here.
type canon struct {
	src  []byte
	path []step
	at   []span // Of nested maps: where the values of the known fields are.
	json bool   // src was made from JSON.
	only []span // Where no known field may stand, in the order of src.
}

// A step is one part of a path: a field or the key of a map, or an index.
type step struct {
	name  []byte
	field string
	index int
}

// A span is a value in the input; end 0 is none.
type span struct{ from, end int }

// A fault is an error at an offset of the input.
type fault struct {
	at  int
	err error
}

var canons = sync.Pool{New: func() any { return new(canon) }}

// canonical appends the canonical form of the value that src begins with to
// dst, and returns how many bytes of src it takes.
func (c *core) canonical(dst, src []byte) ([]byte, int, error) {
	cn := canons.Get().(*canon)
	defer canons.Put(cn)
	cn.src, cn.path, cn.at, cn.json = src, cn.path[:0], cn.at[:0], false
	used := -1
	if looksLikeJSON(src) {
		buf := bufs.Get().(*[]byte)
		defer putBuf(buf)
		msg, n, f := fromJSON((*buf)[:0], src[:min(len(src), maxJSON)])
		*buf = msg
		if f != nil {
			return dst, 0, &Error{Name: c.name, Offset: f.at, Err: f.err}
		}
		cn.src, cn.json, used = msg, true, n
	}
	dst, end, f := cn.fields(dst, 0, c.layout())
	if n := max(end, len(dst)); f == nil && n > MaxMessage {
		f = &fault{0, fmt.Errorf("%w: %d bytes, at most %d", ErrTooLong, n, MaxMessage)}
	}
	msg := cn.src
	cn.src = nil
	switch {
	case f != nil && cn.json:
		return dst, 0, &Error{Name: c.name, Field: cn.field(), Offset: jsonOffset(src, msg, f.at), Err: f.err}
	case f != nil:
		return dst, 0, &Error{Name: c.name, Field: cn.field(), Offset: f.at, Err: f.err}
	case cn.json:
		return dst, used, nil
	}
	return dst, end, nil
}

// verify tells where src, which is canonical otherwise, has a known field inside of the given spans.
func (c *core) verify(src []byte, unknown []span) (int, error) {
	cn := canons.Get().(*canon)
	buf := bufs.Get().(*[]byte)
	cn.src, cn.path, cn.at, cn.json, cn.only = src, cn.path[:0], cn.at[:0], false, unknown
	dst, _, f := cn.fields((*buf)[:0], 0, c.layout())
	*buf, cn.src, cn.only = dst, nil, nil
	putBuf(buf)
	canons.Put(cn)
	if f != nil {
		return f.at, f.err
	}
	return 0, nil
}

// maxJSON is the longest JSON that is read. It may be longer than its
// MessagePack form, most of all where it escapes every byte.
const maxJSON = 8 * MaxMessage

// field returns the path as text.
func (c *canon) field() string {
	var b []byte
	for _, s := range c.path {
		switch {
		case s.field != "":
			if len(b) > 0 {
				b = append(b, '.')
			}
			b = append(b, s.field...)
		case s.name != nil:
			b = append(b, '[')
			b = strconv.AppendQuote(b, string(s.name))
			b = append(b, ']')
		default:
			b = append(b, '[')
			b = strconv.AppendInt(b, int64(s.index), 10)
			b = append(b, ']')
		}
	}
	return string(b)
}

func (c *canon) push(s step) { c.path = append(c.path, s) }
func (c *canon) pop()        { c.path = c.path[:len(c.path)-1] }

// fields rewrites the row, struct or element at offset i.
func (c *canon) fields(dst []byte, i int, l *layout) ([]byte, int, *fault) {
	if l.array {
		return c.elements(dst, i, l)
	}
	t, err := tokenAt(c.src, i)
	if err != nil {
		return dst, i, &fault{i, err}
	}
	if t.kind != tokMap {
		return dst, i, &fault{i, fmt.Errorf("%w: not a map", ErrType)}
	}
	if t.n > MaxFields {
		return dst, i, &fault{i, fmt.Errorf("%w: %d fields, at most %d", ErrTooLong, t.n, MaxFields)}
	}
	base := len(c.at)
	defer func() { c.at = c.at[:base] }()
	for range l.fields {
		c.at = append(c.at, span{})
	}
	var extra []span
	pos := t.end
	for range t.n {
		key, err := tokenAt(c.src, pos)
		if err != nil {
			return dst, i, &fault{pos, err}
		}
		if key.kind != tokStr {
			return dst, i, &fault{pos, ErrKey}
		}
		name := c.src[key.body:key.end]
		end, err := skip(c.src, key.end, 0)
		if err != nil {
			c.push(step{field: strings.ToValidUTF8(string(name), "\ufffd")})
			return dst, i, &fault{end, err}
		}
		switch n := l.find(name); {
		case n < 0 && !utf8.Valid(name):
			return dst, i, &fault{pos, ErrUTF8}
		case n < 0:
			extra = append(extra, span{pos, end})
		case c.at[base+n].end != 0:
			c.push(step{field: string(name)})
			return dst, i, &fault{pos, ErrDuplicate}
		case len(c.only) > 0 && c.isUnknown(pos):
			return dst, i, &fault{pos, fmt.Errorf("%s is a field of the schema", name)}
		default:
			c.at[base+n] = span{key.end, end}
		}
		pos = end
	}
	mark := len(dst)
	dst = append(dst, 0)
	if len(l.fields)+len(extra) > 15 {
		dst = append(dst, 0, 0)
	}
	count := 0
	for n, f := range l.fields {
		s := c.at[base+n]
		wrote := false
		var fl *fault
		c.push(step{field: f.name})
		if dst, wrote, fl = c.value(dst, s, i, f); fl != nil {
			return dst, i, fl
		}
		c.pop()
		if wrote {
			count++
		}
	}
	if len(extra) > 0 {
		if fl := c.duplicates(extra); fl != nil {
			return dst, i, fl
		}
		for _, s := range extra {
			dst = c.raw(dst, s.from, s.end)
		}
		count += len(extra)
	}
	return closeHeader(dst, mark, count, 0x80, 0xde, len(l.fields)+len(extra) > 15), pos, nil
}

// isUnknown tells whether what stands at pos must be an unknown field.
func (c *canon) isUnknown(pos int) bool {
	i, _ := slices.BinarySearchFunc(c.only, pos, func(s span, pos int) int { return s.end - pos - 1 })
	return i < len(c.only) && c.only[i].from <= pos
}

// closeHeader writes a count where one byte or three were left for it.
func closeHeader(dst []byte, mark, n int, fix, long byte, wide bool) []byte {
	if n > 15 {
		dst[mark], dst[mark+1], dst[mark+2] = long, byte(n>>8), byte(n)
		return dst
	}
	dst[mark] = fix | byte(n)
	if wide {
		copy(dst[mark+1:], dst[mark+3:])
		dst = dst[:len(dst)-2]
	}
	return dst
}

// raw copies unknown fields.
func (c *canon) raw(dst []byte, from, to int) []byte {
	if !c.json {
		return append(dst, c.src[from:to]...)
	}
	for from < to {
		dst, from = settle(dst, c.src, from)
	}
	return dst
}

// duplicates refuses two unknown fields of the same name.
func (c *canon) duplicates(extra []span) *fault {
	if len(extra) < 2 {
		return nil
	}
	seen := make(map[string]bool, len(extra))
	for _, s := range extra {
		t, _ := tokenAt(c.src, s.from)
		name := string(c.src[t.body:t.end])
		if seen[name] {
			c.push(step{field: name})
			return &fault{s.from, ErrDuplicate}
		}
		seen[name] = true
	}
	return nil
}

// value rewrites the field f with key, if it is there. At is where its map begins.
func (c *canon) value(dst []byte, s span, at int, f *field) ([]byte, bool, *fault) {
	if s.end == 0 || c.src[s.from] == 0xc0 {
		if f.opt {
			return dst, false, nil
		}
		if s.end != 0 {
			at = s.from
		}
		return dst, false, &fault{at, ErrMissing}
	}
	mark := len(dst)
	dst = append(dst, f.key...)
	dst, zero, _, fl := c.write(dst, s.from, &f.shape)
	if fl == nil && zero && f.opt && f.zeroIsAbsent() {
		return dst[:mark], false, nil
	}
	return dst, true, fl
}

// elements rewrites an element of a series: an array of its fields.
func (c *canon) elements(dst []byte, i int, l *layout) ([]byte, int, *fault) {
	t, err := tokenAt(c.src, i)
	if err != nil {
		return dst, i, &fault{i, err}
	}
	if t.kind != tokArray {
		return dst, i, &fault{i, fmt.Errorf("%w: not an array", ErrType)}
	}
	if t.n > MaxFields {
		return dst, i, &fault{i, fmt.Errorf("%w: %d fields, at most %d", ErrTooLong, t.n, MaxFields)}
	}
	mark := len(dst)
	dst = append(dst, 0)
	wide := max(t.n, len(l.fields)) > 15
	if wide {
		dst = append(dst, 0, 0)
	}
	pos, last, count := t.end, len(dst), 0
	for n, f := range l.fields {
		c.push(step{field: f.name})
		if n >= t.n {
			if !f.opt {
				return dst, i, &fault{i, ErrMissing}
			}
			c.pop()
			continue
		}
		end, err := skip(c.src, pos, 0)
		if err != nil {
			return dst, i, &fault{end, err}
		}
		absent := c.src[pos] == 0xc0
		if absent && !f.opt {
			return dst, i, &fault{pos, ErrMissing}
		}
		if !absent {
			from := len(dst)
			var zero bool
			var fl *fault
			if dst, zero, _, fl = c.write(dst, pos, &f.shape); fl != nil {
				return dst, i, fl
			}
			if zero && f.opt && f.zeroIsAbsent() {
				absent, dst = true, dst[:from]
			}
		}
		if absent {
			dst = append(dst, 0xc0)
		} else {
			last, count = len(dst), n+1
		}
		c.pop()
		pos = end
	}
	if t.n > len(l.fields) {
		from := pos
		for n := len(l.fields); n < t.n; n++ {
			if pos, err = skip(c.src, pos, 0); err != nil {
				c.push(step{index: n})
				return dst, i, &fault{pos, err}
			}
		}
		dst = c.raw(dst, from, pos)
		count = t.n
	} else {
		dst = dst[:last]
	}
	return closeHeader(dst, mark, count, 0x90, 0xdc, wide), pos, nil
}

// write rewrites the value at offset i, which is whole, and returns the offset
// behind it; zero tells that it is empty or 0.
func (c *canon) write(dst []byte, i int, s *shape) (_ []byte, zero bool, end int, _ *fault) {
	if s.kind == kindStruct {
		dst, end, f := c.fields(dst, i, s.layout)
		return dst, false, end, f
	}
	t, err := tokenAt(c.src, i)
	if err != nil {
		return dst, false, i, &fault{i, err}
	}
	switch s.kind {
	case kindList:
		return c.list(dst, i, t, s)
	case kindMap:
		return c.mapOf(dst, i, t, s)
	}
	dst, zero, err = c.scalar(dst, t, s)
	if err != nil {
		return dst, zero, i, &fault{i, err}
	}
	return dst, zero, t.end, nil
}

// list rewrites a list.
func (c *canon) list(dst []byte, i int, t token, s *shape) ([]byte, bool, int, *fault) {
	if t.kind != tokArray {
		return dst, false, i, &fault{i, fmt.Errorf("%w: not a list", ErrType)}
	}
	if t.n > MaxList {
		return dst, false, i, &fault{i, fmt.Errorf("%w: %d elements, at most %d", ErrTooLong, t.n, MaxList)}
	}
	dst = appendHeader(dst, t.n, 0x90, 0xdc)
	pos := t.end
	for n := range t.n {
		c.push(step{index: n})
		var f *fault
		if dst, _, pos, f = c.write(dst, pos, s.elem); f != nil {
			return dst, false, i, f
		}
		c.pop()
	}
	return dst, t.n == 0, pos, nil
}

func appendHeader(dst []byte, n int, fix, long byte) []byte {
	if n <= 15 {
		return append(dst, fix|byte(n))
	}
	return append(dst, long, byte(n>>8), byte(n))
}

// mapOf rewrites a map with its keys sorted.
func (c *canon) mapOf(dst []byte, i int, t token, s *shape) ([]byte, bool, int, *fault) {
	if t.kind != tokMap {
		return dst, false, i, &fault{i, fmt.Errorf("%w: not a map", ErrType)}
	}
	if t.n > MaxList {
		return dst, false, i, &fault{i, fmt.Errorf("%w: %d entries, at most %d", ErrTooLong, t.n, MaxList)}
	}
	entries := make([]entry, 0, t.n)
	pos := t.end
	for range t.n {
		k, err := tokenAt(c.src, pos)
		if err == nil && k.kind != tokStr {
			err = ErrKey
		}
		if err != nil {
			return dst, false, i, &fault{pos, err}
		}
		name := c.src[k.body:k.end]
		if !utf8.Valid(name) {
			return dst, false, i, &fault{pos, ErrUTF8}
		}
		if len(name) > MaxString {
			return dst, false, i, &fault{pos, fmt.Errorf("%w: a key of %d bytes, at most %d", ErrTooLong, len(name), MaxString)}
		}
		end, err := skip(c.src, k.end, 0)
		if err != nil {
			c.push(step{name: name})
			return dst, false, i, &fault{end, err}
		}
		entries = append(entries, entry{name, pos, k.end})
		pos = end
	}
	sortEntries(entries)
	dst = appendHeader(dst, t.n, 0x80, 0xde)
	for n, e := range entries {
		c.push(step{name: e.name})
		if n > 0 && bytes.Equal(entries[n-1].name, e.name) {
			return dst, false, i, &fault{max(e.key, entries[n-1].key), ErrDuplicate}
		}
		dst = appendStr(dst, e.name)
		var f *fault
		if dst, _, _, f = c.write(dst, e.value, s.elem); f != nil {
			return dst, false, i, f
		}
		c.pop()
	}
	return dst, t.n == 0, pos, nil
}

func sortEntries(entries []entry) {
	slices.SortStableFunc(entries, func(a, b entry) int { return bytes.Compare(a.name, b.name) })
}

// An entry is one entry of a map in the input.
type entry struct {
	name       []byte
	key, value int
}

// scalar rewrites the value of one token.
func (c *canon) scalar(dst []byte, t token, s *shape) (_ []byte, zero bool, _ error) {
	switch s.kind {
	case kindString, kindText:
		if t.kind != tokStr {
			return dst, false, fmt.Errorf("%w: not a string", ErrType)
		}
		text := c.src[t.body:t.end]
		if len(text) > s.max {
			return dst, false, fmt.Errorf("%w: %d bytes, at most %d", ErrTooLong, len(text), s.max)
		}
		if !utf8.Valid(text) {
			return dst, false, ErrUTF8
		}
		if s.kind == kindText {
			canonical, zero, err := s.text(text)
			return appendStr(dst, canonical), zero, err
		}
		return appendStr(dst, text), len(text) == 0, nil
	case kindBool:
		if t.kind != tokBool {
			return dst, false, fmt.Errorf("%w: not a bool", ErrType)
		}
		return append(dst, 0xc2|byte(t.u)), false, nil
	case kindInt, kindIntID:
		v, err := c.int(t)
		return appendInt(dst, v), v == 0, err
	case kindFloat:
		v, err := c.float(t)
		return appendFloat(dst, v), false, err
	case kindDecimal:
		dst, err := c.decimal(dst, t)
		return dst, false, err
	case kindTimestamp:
		v, err := c.timestamp(t)
		return appendInt(dst, v), v == 0, err
	}
	return c.bytes(dst, t, s.max)
}

// int reads an int64 of any width, or its digits.
func (c *canon) int(t token) (int64, error) {
	switch t.kind {
	case tokUint:
		if t.u > math.MaxInt64 {
			return 0, ErrRange
		}
		return int64(t.u), nil
	case tokInt:
		return int64(t.u), nil
	}
	if s, ok := c.number(t); ok {
		return parseInt(s)
	}
	return 0, fmt.Errorf("%w: not an integer", ErrType)
}

func parseInt(s []byte) (int64, error) {
	if len(s) > 20 {
		return 0, ErrRange
	}
	v, err := strconv.ParseInt(string(s), 10, 64)
	switch {
	case err == nil && s[0] != '+':
		return v, nil
	case err != nil && err.(*strconv.NumError).Err == strconv.ErrRange:
		return 0, ErrRange
	}
	return 0, fmt.Errorf("%w: not an integer", ErrType)
}

// extNumber is the ext type in which numbers of JSON that are no integers
// come, as text.
const extNumber = 'N'

// number returns the text of a number that came as text.
func (c *canon) number(t token) ([]byte, bool) {
	return c.src[t.body:t.end], t.kind == tokStr || t.kind == tokExt && t.ext == extNumber
}

// float reads a float of any width, or an integer that a float64 holds exactly.
func (c *canon) float(t token) (v float64, err error) {
	switch t.kind {
	case tokFloat64:
		v = math.Float64frombits(t.u)
	case tokFloat32:
		v = float64(math.Float32frombits(uint32(t.u)))
	case tokUint:
		if v = float64(t.u); v >= 1<<64 || uint64(v) != t.u {
			return 0, ErrRange
		}
	case tokInt:
		if v = float64(int64(t.u)); int64(v) != int64(t.u) {
			return 0, ErrRange
		}
	case tokExt:
		s, ok := c.number(t)
		if !ok {
			return 0, fmt.Errorf("%w: not a number", ErrType)
		}
		if v, err = strconv.ParseFloat(string(s), 64); err != nil {
			return 0, ErrRange
		}
	default:
		return 0, fmt.Errorf("%w: not a number", ErrType)
	}
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, ErrNaN
	}
	return v, nil
}

// bytes reads a bin, or a str that is its base64.
func (c *canon) bytes(dst []byte, t token, limit int) ([]byte, bool, error) {
	body := c.src[t.body:t.end]
	switch t.kind {
	case tokBin:
	case tokStr:
		var err error
		if body, err = base64Bytes(body); err != nil {
			return dst, false, err
		}
	default:
		return dst, false, fmt.Errorf("%w: not bytes", ErrType)
	}
	if len(body) > limit {
		return dst, false, fmt.Errorf("%w: %d bytes, at most %d", ErrTooLong, len(body), limit)
	}
	return appendBin(dst, body), len(body) == 0, nil
}
