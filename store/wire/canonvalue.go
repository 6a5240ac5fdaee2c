package wire

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strconv"
)

// value rewrites the value at offset i, which is known to be whole; zero tells
// that it is empty or 0.
func (c *canon) value(i int, s *shape) (end int, zero bool, _ *fault) {
	if s.kind == kindStruct {
		end, f := c.fields(i, s.layout)
		return end, false, f
	}
	t, err := tokenAt(c.src, i)
	if err != nil {
		return i, false, bad(i, err)
	}
	switch s.kind {
	case kindList:
		return c.list(i, t, s)
	case kindMap:
		return c.mapOf(i, t, s)
	}
	if zero, err = c.scalar(t, s); err != nil {
		return i, zero, bad(i, err)
	}
	return t.end, zero, nil
}

// list rewrites a list.
func (c *canon) list(i int, t token, s *shape) (int, bool, *fault) {
	switch {
	case t.kind != tokArray:
		return i, false, wrong(i, "a list")
	case t.n > MaxList:
		return i, false, tooLong(i, t.n, MaxList, "elements")
	}
	c.out = appendHeader(c.out, t.n, 0x90, 0xdc)
	pos := t.end
	for n := range t.n {
		end, _, f := c.value(pos, s.elem)
		if f != nil {
			return i, false, f.within(index(n))
		}
		pos = end
	}
	return pos, t.n == 0, nil
}

func appendHeader(b []byte, n int, fix, long byte) []byte {
	if n <= 15 {
		return append(b, fix|byte(n))
	}
	return append(b, long, byte(n>>8), byte(n))
}

// An entry is one entry of a map in the input.
type entry struct {
	name       []byte
	key, value int
}

// mapOf rewrites a map with its keys sorted.
func (c *canon) mapOf(i int, t token, s *shape) (int, bool, *fault) {
	switch {
	case t.kind != tokMap:
		return i, false, wrong(i, "a map")
	case t.n > MaxList:
		return i, false, tooLong(i, t.n, MaxList, "entries")
	}
	base := len(c.entries)
	end, f := c.findEntries(t)
	if f != nil {
		return i, false, f
	}
	slices.SortStableFunc(c.entries[base:], func(a, b entry) int { return bytes.Compare(a.name, b.name) })
	c.out = appendHeader(c.out, t.n, 0x80, 0xde)
	for n := range t.n {
		e := c.entries[base+n]
		if n > 0 && bytes.Equal(c.entries[base+n-1].name, e.name) {
			return i, false, bad(max(e.key, c.entries[base+n-1].key), ErrDuplicate).within(key(e.name))
		}
		c.out = appendStr(c.out, e.name)
		if _, _, f := c.value(e.value, s.elem); f != nil {
			return i, false, f.within(key(e.name))
		}
	}
	clear(c.entries[base:])
	c.entries = c.entries[:base]
	return end, t.n == 0, nil
}

// findEntries notes the entries of the map t in c.entries.
func (c *canon) findEntries(t token) (int, *fault) {
	pos := t.end
	for range t.n {
		k, f := c.keyAt(pos)
		if f != nil {
			return pos, f
		}
		name := c.src[k.body:k.end]
		switch {
		case !isText(name):
			return pos, bad(pos, ErrUTF8)
		case len(name) > MaxString:
			return pos, tooLong(pos, len(name), MaxString, "bytes of a key")
		}
		end, err := skip(c.src, k.end, 0)
		if err != nil {
			return pos, bad(end, err).within(key(name))
		}
		c.entries = append(c.entries, entry{name, pos, k.end})
		pos = end
	}
	return pos, nil
}

// scalar rewrites the value of one token.
func (c *canon) scalar(t token, s *shape) (zero bool, err error) {
	var v int64
	switch s.kind {
	case kindString:
		return t.n == 0, c.str(t, s.max)
	case kindText:
		return c.text(t, s)
	case kindBool:
		if t.kind != tokBool {
			return false, fmt.Errorf("%w: not a bool", ErrType)
		}
		c.out = append(c.out, 0xc2|byte(t.u))
		return false, nil
	case kindInt, kindIntID:
		v, err = c.int(t)
		c.out = appendInt(c.out, v)
		return v == 0, err
	case kindTimestamp:
		v, err = c.timestamp(t)
		c.out = appendInt(c.out, v)
		return v == 0, err
	case kindFloat:
		f, err := c.float(t)
		c.out = appendFloat(c.out, f)
		return false, err
	case kindDecimal:
		return false, c.decimal(t)
	}
	return c.bytes(t, s.max)
}

// str rewrites a str.
func (c *canon) str(t token, limit int) error {
	if t.kind != tokStr {
		return fmt.Errorf("%w: not a string", ErrType)
	}
	s := c.src[t.body:t.end]
	if len(s) > limit {
		return errTooLong(len(s), limit, "bytes")
	}
	if !isText(s) {
		return ErrUTF8
	}
	c.out = appendStr(c.out, s)
	return nil
}

// text rewrites the text of an id of several parts.
func (c *canon) text(t token, s *shape) (zero bool, err error) {
	mark := len(c.out)
	if err := c.str(t, s.max); err != nil {
		return false, err
	}
	canonical, zero, err := s.text(c.src[t.body:t.end])
	c.out = appendStr(c.out[:mark], canonical)
	if err == nil && len(canonical) > s.max {
		err = errTooLong(len(canonical), s.max, "bytes")
	}
	return zero, err
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

// bytes rewrites a bin, or a str that is its base64.
func (c *canon) bytes(t token, limit int) (zero bool, err error) {
	body := c.src[t.body:t.end]
	switch t.kind {
	case tokBin:
	case tokStr:
		if body, err = base64Bytes(body); err != nil {
			return false, err
		}
	default:
		return false, fmt.Errorf("%w: not bytes", ErrType)
	}
	if len(body) > limit {
		return false, errTooLong(len(body), limit, "bytes")
	}
	c.out = appendBin(c.out, body)
	return len(body) == 0, nil
}
