package wire

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

// fields rewrites the row, struct or element at offset i.
func (c *canon) fields(i int, l *layout) (int, *fault) {
	if l.array {
		return c.elements(i, l)
	}
	t, err := tokenAt(c.src, i)
	switch {
	case err != nil:
		return i, bad(i, err)
	case t.kind != tokMap:
		return i, wrong(i, "a map")
	case t.n > MaxFields:
		return i, tooLong(i, t.n, MaxFields, "fields")
	}
	base := len(c.spans)
	c.spans = slices.Grow(c.spans, len(l.fields))[:base+len(l.fields)]
	clear(c.spans[base:])
	end, f := c.find(t, l, base)
	if f != nil {
		return i, f
	}
	unknown := c.spans[base+len(l.fields):]
	if f := c.duplicates(unknown); f != nil {
		return i, f
	}
	wide := len(l.fields)+len(unknown) > 15
	mark := c.open(wide)
	count := len(unknown)
	for n, fd := range l.fields {
		written, f := c.field(c.spans[base+n], i, fd)
		if f != nil {
			return i, f.within(fd.name)
		}
		if written {
			count++
		}
	}
	for _, s := range c.spans[base+len(l.fields):] {
		c.raw(s.from, s.end)
	}
	c.spans = c.spans[:base]
	c.close(mark, count, 0x80, 0xde, wide)
	return end, nil
}

// find notes where the fields of the map t are: known ones from base of
// c.spans on, unknown ones behind. It returns the offset behind the map.
func (c *canon) find(t token, l *layout, base int) (int, *fault) {
	pos := t.end
	if c.orderOf != l {
		c.orderOf, c.order = l, c.order[:0]
	}
	for k := range t.n {
		if n, at := c.expected(k, pos, l); at > 0 {
			if end := skipShort(c.src, at); end > 0 && c.spans[base+n].end == 0 && c.unknown == nil {
				c.spans[base+n] = span{at, end}
				pos = end
				continue
			}
		}
		name, at, ok := shortStr(c.src, pos)
		if !ok {
			key, err := tokenAt(c.src, pos)
			if err == nil && key.kind != tokStr {
				err = ErrKey
			}
			if err != nil {
				return pos, bad(pos, err)
			}
			name, at = c.src[key.body:key.end], key.end
		}
		end := skipShort(c.src, at)
		if end < 0 {
			var err error
			if end, err = skip(c.src, at, 0); err != nil {
				return pos, bad(end, err).within(strings.ToValidUTF8(string(name), "\ufffd"))
			}
		}
		switch n := l.find(name); {
		case n < 0 && !utf8.Valid(name):
			return pos, bad(pos, ErrUTF8)
		case n < 0:
			c.spans = append(c.spans, span{pos, end})
		case c.spans[base+n].end != 0:
			return pos, bad(pos, ErrDuplicate).within(string(name))
		case len(c.unknown) > 0 && c.isUnknown(pos):
			return pos, bad(pos, fmt.Errorf("%s is a field of the schema", name))
		default:
			c.spans[base+n] = span{at, end}
			if k == len(c.order) {
				c.order = append(c.order, uint16(n))
			} else if k < len(c.order) {
				c.order[k] = uint16(n)
			}
		}
		pos = end
	}
	return pos, nil
}

// expected returns the number of the field that came k-th last time, and the
// offset of its value, if it comes at pos again.
func (c *canon) expected(k, pos int, l *layout) (n, at int) {
	if k >= len(c.order) {
		return 0, 0
	}
	n = int(c.order[k])
	key := l.fields[n].key
	if size := len(key); size >= 8 && size <= 16 && size <= len(c.src)-pos {
		if word(key, 0) == load(c.src, pos) && word(key, size-8) == load(c.src, pos+size-8) {
			return n, pos + size
		}
	} else if size <= len(c.src)-pos && string(c.src[pos:pos+size]) == key {
		return n, pos + size
	}
	return 0, 0
}

// isUnknown tells whether what stands at pos must be an unknown field.
func (c *canon) isUnknown(pos int) bool {
	i, _ := slices.BinarySearchFunc(c.unknown, pos, func(s span, pos int) int { return s.end - pos - 1 })
	return i < len(c.unknown) && c.unknown[i].from <= pos
}

// open leaves room for a header, one byte or three.
func (c *canon) open(wide bool) (mark int) {
	mark = len(c.out)
	c.out = append(c.out, 0)
	if wide {
		c.out = append(c.out, 0, 0)
	}
	return mark
}

// close writes a count into that room.
func (c *canon) close(mark, n int, fix, long byte, wide bool) {
	switch {
	case n > 15:
		c.out[mark], c.out[mark+1], c.out[mark+2] = long, byte(n>>8), byte(n)
		return
	case wide:
		copy(c.out[mark+1:], c.out[mark+3:])
		c.out = c.out[:len(c.out)-2]
	}
	c.out[mark] = fix | byte(n)
}

// raw copies unknown fields.
func (c *canon) raw(from, to int) {
	if !c.json {
		c.out = append(c.out, c.src[from:to]...)
		return
	}
	for from < to {
		c.out, from = settle(c.out, c.src, from)
	}
}

// duplicates refuses two unknown fields of the same name.
func (c *canon) duplicates(unknown []span) *fault {
	name := func(s span) []byte {
		t, _ := tokenAt(c.src, s.from)
		return c.src[t.body:t.end]
	}
	if len(unknown) <= manyNames {
		for i, s := range unknown {
			for _, other := range unknown[:i] {
				if bytes.Equal(name(s), name(other)) {
					return bad(s.from, ErrDuplicate).within(string(name(s)))
				}
			}
		}
		return nil
	}
	seen := make(map[string]bool, len(unknown))
	for _, s := range unknown {
		if seen[string(name(s))] {
			return bad(s.from, ErrDuplicate).within(string(name(s)))
		}
		seen[string(name(s))] = true
	}
	return nil
}

// field rewrites a field with its key, if it is there. At is where its map begins.
func (c *canon) field(s span, at int, f *field) (written bool, _ *fault) {
	if s.end == 0 || c.src[s.from] == 0xc0 {
		if f.opt {
			return false, nil
		}
		if s.end != 0 {
			at = s.from
		}
		return false, bad(at, ErrMissing)
	}
	if c.isShort(s, f) {
		if from := s.from - len(f.key); from >= 0 && c.src[from] == f.key[0] { // Key and value in one.
			c.out = append(c.out, c.src[from:s.end]...)
			return true, nil
		}
		c.out = append(append(c.out, f.key...), c.src[s.from:s.end]...)
		return true, nil
	}
	mark := len(c.out)
	c.out = append(c.out, f.key...)
	_, zero, fl := c.value(s.from, &f.shape)
	if fl == nil && zero && f.opt && f.zeroIsAbsent() {
		c.out = c.out[:mark]
		return false, nil
	}
	return true, fl
}

// isShort tells whether a field is present and canonical already; for most
// short values it can say so.
func (c *canon) isShort(s span, f *field) bool {
	b := c.src[s.from:s.end]
	switch f.kind {
	case kindString:
		switch {
		case b[0]&0xe0 == 0xa0:
			return (len(b) > 1 || !f.opt) && len(b)-1 <= f.max && isASCII(b[1:])
		case b[0] == 0xd9:
			return len(b) >= 2+32 && len(b)-2 <= f.max && isASCII(b[2:])
		}
	case kindDecimal:
		if b[0]&0xe0 != 0xa0 {
			return false
		}
		_, _, ok := parseDecimal(c.src, s.from+1, s.end)
		return ok
	case kindTimestamp:
		return b[0] == 0xcf && be.Uint64(b[1:])-1<<32 <= math.MaxInt64-1<<32
	}
	return false
}

// elements rewrites an element of a series: an array of its fields.
func (c *canon) elements(i int, l *layout) (int, *fault) {
	t, err := tokenAt(c.src, i)
	switch {
	case err != nil:
		return i, bad(i, err)
	case t.kind != tokArray:
		return i, wrong(i, "an array")
	case t.n > MaxFields:
		return i, tooLong(i, t.n, MaxFields, "fields")
	}
	wide := max(t.n, len(l.fields)) > 15
	mark := c.open(wide)
	pos, last, count := t.end, len(c.out), 0
	for n, f := range l.fields {
		if n >= t.n {
			if !f.opt {
				return i, bad(i, ErrMissing).within(f.name)
			}
			continue
		}
		end, present, fl := c.element(pos, f)
		if fl != nil {
			return i, fl.within(f.name)
		}
		if present {
			last, count = len(c.out), n+1
		}
		pos = end
	}
	if t.n <= len(l.fields) {
		c.out = c.out[:last]
		c.close(mark, count, 0x90, 0xdc, wide)
		return pos, nil
	}
	from := pos
	for n := len(l.fields); n < t.n; n++ {
		if pos, err = skip(c.src, pos, 0); err != nil {
			return i, bad(pos, err).within(index(n))
		}
	}
	c.raw(from, pos)
	c.close(mark, t.n, 0x90, 0xdc, wide)
	return pos, nil
}

// element rewrites one field of an element, nil if it is absent.
func (c *canon) element(pos int, f *field) (end int, present bool, _ *fault) {
	end, err := skip(c.src, pos, 0)
	if err != nil {
		return pos, false, bad(end, err)
	}
	mark, zero := len(c.out), true
	if c.src[pos] != 0xc0 {
		var fl *fault
		if _, zero, fl = c.value(pos, &f.shape); fl != nil {
			return pos, false, fl
		}
		zero = zero && f.opt && f.zeroIsAbsent()
	} else if !f.opt {
		return pos, false, bad(pos, ErrMissing)
	}
	if zero {
		c.out = append(c.out[:mark], 0xc0)
	}
	return end, !zero, nil
}
