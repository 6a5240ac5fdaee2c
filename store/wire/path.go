package wire

import (
	"math"
	"strconv"
)

// pathAt returns the path of the value that would follow b, the canonical
// form of a value up to a fault. Maps and arrays that are still open have any count.
func (c *core) pathAt(b []byte) string {
	p := pather{b: b}
	p.fields(0, c.layout())
	return string(p.path)
}

type pather struct {
	b    []byte
	path []byte
}

// header returns the offset behind a header and its count.
func (p *pather) header(i int) (int, int) {
	switch c := p.b[i]; {
	case c == isOpen:
		return i + 1, math.MaxInt
	case c < 0xa0:
		return i + 1, int(c & 0x0f)
	case i+3 > len(p.b):
		return len(p.b), 0
	}
	n := int(p.b[i+1])<<8 | int(p.b[i+2])
	if n == math.MaxUint16 {
		n = math.MaxInt
	}
	return i + 3, n
}

// enter adds a step, and returns what takes it back.
func (p *pather) enter(sep string, name string) int {
	at := len(p.path)
	if at > 0 {
		p.path = append(p.path, sep...)
	}
	p.path = append(p.path, name...)
	return at
}

// fields walks a row, struct or element; it is false where b ends.
func (p *pather) fields(i int, l *layout) (int, bool) {
	if i >= len(p.b) {
		return i, false
	}
	i, n := p.header(i)
	for k := range n {
		if i >= len(p.b) && (!l.array || k >= len(l.fields)) {
			return i, false
		}
		f := (*field)(nil)
		if l.array {
			if k < len(l.fields) {
				f = l.fields[k]
			}
		} else {
			t, err := tokenAt(p.b, i)
			if err != nil {
				return i, false
			}
			if at := l.find(p.b[t.body:t.end]); at >= 0 {
				f = l.fields[at]
			}
			i = t.end
		}
		if f == nil {
			var err error
			if i, err = skip(p.b, i, 0); err != nil {
				return i, false
			}
			continue
		}
		at := p.enter(".", f.name)
		ok := true
		if i, ok = p.value(i, &f.shape); !ok {
			return i, false
		}
		p.path = p.path[:at]
	}
	return i, true
}

func (p *pather) value(i int, s *shape) (int, bool) {
	if i >= len(p.b) {
		return i, false
	}
	switch s.kind {
	case kindStruct:
		if p.b[i] == 0xc0 {
			return i + 1, true
		}
		return p.fields(i, s.layout)
	case kindList, kindMap:
		return p.entries(i, s)
	}
	end, err := skip(p.b, i, 0)
	return end, err == nil
}

func (p *pather) entries(i int, s *shape) (int, bool) {
	if p.b[i] == 0xc0 {
		return i + 1, true
	}
	i, n := p.header(i)
	for k := range n {
		step := "[" + strconv.Itoa(k) + "]"
		if s.kind == kindMap {
			t, err := tokenAt(p.b, i)
			if err != nil {
				return i, false
			}
			step = "[" + strconv.Quote(string(p.b[t.body:t.end])) + "]"
			i = t.end
		}
		at := p.enter("", step)
		ok := true
		if i, ok = p.value(i, s.elem); !ok {
			return i, false
		}
		p.path = p.path[:at]
	}
	return i, true
}
