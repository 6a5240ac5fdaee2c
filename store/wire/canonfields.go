package wire

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
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
	base, baseUnknown := len(c.known), len(c.unknown)
	c.known = slices.Grow(c.known, len(l.fields))[:base+len(l.fields)]
	known := c.known[base:]
	clear(known)
	end, f := c.find(t, l, known)
	if f != nil {
		return i, f
	}
	unknown := c.unknown[baseUnknown:]
	if f := c.duplicates(unknown); f != nil {
		return i, f
	}
	wide := len(known)+len(unknown) > 15
	mark := c.open(wide)
	count := len(unknown)
	for n, s := range known {
		if s.end > 0 {
			c.out = append(c.out, c.src[s.from:s.end]...)
			count++
			continue
		}
		written, f := c.field(s, i, l.fields[n])
		if f != nil {
			return i, f.within(l.fields[n].name)
		}
		if written {
			count++
		}
	}
	for _, s := range unknown {
		c.raw(s.from, s.end)
	}
	c.known, c.unknown = c.known[:base], c.unknown[:baseUnknown]
	c.close(mark, count, 0x80, 0xde, wide)
	return end, nil
}

// find notes in known where the fields of the map t are, and unknown fields
// behind c.unknown. It returns the offset behind the map.
func (c *canon) find(t token, l *layout, known []span) (int, *fault) {
	pos, next := t.end, &l.first
	for range t.n {
		if f := next.Load(); f != nil {
			if n := ready(c.src[pos:], f); n > 0 && known[f.n].end == 0 && c.extras == nil {
				known[f.n] = span{pos, pos + n}
				pos, next = pos+n, &f.next
				continue
			}
		}
		key, f := c.keyAt(pos)
		if f != nil {
			return pos, f
		}
		name := c.src[key.body:key.end]
		end, err := skip(c.src, key.end, 0)
		if err != nil {
			return pos, bad(end, err).within(strings.ToValidUTF8(string(name), "\ufffd"))
		}
		switch n := l.find(name); {
		case n < 0 && !isText(name):
			return pos, bad(pos, ErrUTF8)
		case n < 0:
			c.unknown = append(c.unknown, span{pos, end})
		case known[n].end != 0:
			return pos, bad(pos, ErrDuplicate).within(string(name))
		case len(c.extras) > 0 && c.isExtra(pos):
			return pos, bad(pos, fmt.Errorf("%s is a field of the schema", name))
		default:
			f := l.fields[n]
			known[n] = span{key.end, isRaw}
			if next.Load() != f {
				next.Store(f)
			}
			next = &f.next
		}
		pos = end
	}
	return pos, nil
}

// keyAt reads the key of a map at pos.
func (c *canon) keyAt(pos int) (token, *fault) {
	t, err := tokenAt(c.src, pos)
	if err == nil && t.kind != tokStr {
		err = ErrKey
	}
	if err != nil {
		return t, bad(pos, err)
	}
	return t, nil
}

// ready returns the length of field f, key and value, if b begins with it as the
// canonical form has it, else 0: for most values it can say so.
func ready(b []byte, f *field) int {
	i := len(f.key)
	if len(b) < i+9 {
		return 0
	}
	if i >= 8 && i <= 16 {
		if load(b, 0) != word(f.key, 0) || load(b, i-8) != word(f.key, i-8) {
			return 0
		}
	} else if string(b[:i]) != f.key {
		return 0
	}
	head := b[i]
	i++
	n := int(head ^ 0xa0)
	switch f.kind {
	case kindString:
		if n > 31 {
			if n = int(b[i]); head != 0xd9 || n < 32 {
				return 0
			}
			i++
		}
		if n <= len(b)-i && n <= f.max && isASCII(b[i:i+n]) && (n > 0 || !f.opt) {
			return i + n
		}
	case kindDecimal:
		if n <= len(b)-i {
			if isShortDecimal(b, i, i+n) {
				return i + n
			}
			if _, _, ok := parseDecimal(b, i, i+n); ok {
				return i + n
			}
		}
	case kindTimestamp:
		if u := be.Uint64(b[i : i+8]); head == 0xcf && u >= 1<<32 && u <= math.MaxInt64 {
			return i + 8
		}
	}
	return 0
}

// isExtra tells whether what stands at pos must be an unknown field.
func (c *canon) isExtra(pos int) bool {
	i, _ := slices.BinarySearchFunc(c.extras, pos, func(s span, pos int) int { return s.end - pos - 1 })
	return i < len(c.extras) && c.extras[i].from <= pos
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
	mark := len(c.out)
	c.out = append(c.out, f.key...)
	_, zero, fl := c.value(s.from, &f.shape)
	if fl == nil && zero && f.opt && f.zeroIsAbsent() {
		c.out = c.out[:mark]
		return false, nil
	}
	return true, fl
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
