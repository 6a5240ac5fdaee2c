package wire

import "encoding/base64"

// Transcode appends to dst the stored form of msg, which is a canonical form
// that Append wrote. The zero format is msg itself.
func (c *Codec[V]) Transcode(dst, msg []byte, f Format) ([]byte, error) {
	return c.transcode(dst, msg, f)
}

func (c *core) transcode(dst, msg []byte, f Format) ([]byte, error) {
	if f == (Format{}) {
		return append(dst, msg...), nil
	}
	t := transcoder{src: msg, dst: dst, format: f}
	end, err := t.fields(0, c.layout())
	if err == nil && end < len(msg) {
		err = ErrTrailing
	}
	if err != nil {
		return dst, &Error{Name: c.name, Offset: end, Err: err}
	}
	return t.dst, nil
}

// A transcoder writes values of a canonical form in another. Its methods take
// the offset of a value and return the offset behind it, or that of a fault.
type transcoder struct {
	src, dst []byte
	format   Format
}

// text appends punctuation of JSON.
func (t *transcoder) text(s string) {
	if t.format.JSON {
		t.dst = append(t.dst, s...)
	}
}

// comma appends what stands before element n.
func (t *transcoder) comma(n int) {
	if n > 0 {
		t.text(",")
	}
}

// head copies a token where the form is MessagePack.
func (t *transcoder) head(from, to int) {
	if !t.format.JSON {
		t.dst = append(t.dst, t.src[from:to]...)
	}
}

// any writes a value of which nothing is known.
func (t *transcoder) any(i int) (end int, err error) {
	if t.format.JSON {
		t.dst, end, err = appendJSON(t.dst, t.src, i, 0)
		return end, err
	}
	end, err = skip(t.src, i, 0)
	if err == nil {
		t.head(i, end)
	}
	return end, err
}

// key writes the key of a map and returns its name.
func (t *transcoder) key(i int) (name []byte, end int, err error) {
	k, err := tokenAt(t.src, i)
	if err != nil || k.kind != tokStr {
		return nil, i, ErrKey
	}
	name = t.src[k.body:k.end]
	t.head(i, k.end)
	if t.format.JSON {
		t.dst = append(appendJSONKey(t.dst, name), ':')
	}
	return name, k.end, nil
}

// fields writes a row, struct or element.
func (t *transcoder) fields(i int, l *layout) (int, error) {
	head, err := tokenAt(t.src, i)
	if err != nil {
		return i, err
	}
	if l.array {
		return t.elements(i, head, l)
	}
	if head.kind != tokMap {
		return i, ErrType
	}
	t.head(i, head.end)
	t.text("{")
	i = head.end
	for n := range head.n {
		t.comma(n)
		var name []byte
		if name, i, err = t.key(i); err != nil {
			return i, err
		}
		if f := l.find(name); f >= 0 {
			i, err = t.value(i, &l.fields[f].shape)
		} else {
			i, err = t.any(i)
		}
		if err != nil {
			return i, err
		}
	}
	t.text("}")
	return i, nil
}

// elements writes an element of a series.
func (t *transcoder) elements(i int, head token, l *layout) (int, error) {
	if head.kind != tokArray {
		return i, ErrType
	}
	t.head(i, head.end)
	t.text("[")
	i = head.end
	for n := range head.n {
		t.comma(n)
		var err error
		if n < len(l.fields) && i < len(t.src) && t.src[i] != 0xc0 {
			i, err = t.value(i, &l.fields[n].shape)
		} else {
			i, err = t.any(i)
		}
		if err != nil {
			return i, err
		}
	}
	t.text("]")
	return i, nil
}

// value writes a value of shape s.
func (t *transcoder) value(i int, s *shape) (int, error) {
	if s.kind == kindStruct {
		return t.fields(i, s.layout)
	}
	head, err := tokenAt(t.src, i)
	if err != nil {
		return i, err
	}
	switch s.kind {
	case kindList:
		return t.list(i, head, s.elem)
	case kindMap:
		return t.mapOf(i, head, s.elem)
	}
	if err := t.scalar(i, head, s.kind); err != nil {
		return i, err
	}
	return head.end, nil
}

func (t *transcoder) list(i int, head token, elem *shape) (int, error) {
	if head.kind != tokArray {
		return i, ErrType
	}
	t.head(i, head.end)
	t.text("[")
	i = head.end
	for n := range head.n {
		t.comma(n)
		var err error
		if i, err = t.value(i, elem); err != nil {
			return i, err
		}
	}
	t.text("]")
	return i, nil
}

func (t *transcoder) mapOf(i int, head token, elem *shape) (int, error) {
	if head.kind != tokMap {
		return i, ErrType
	}
	t.head(i, head.end)
	t.text("{")
	i = head.end
	for n := range head.n {
		t.comma(n)
		var err error
		if _, i, err = t.key(i); err != nil {
			return i, err
		}
		if i, err = t.value(i, elem); err != nil {
			return i, err
		}
	}
	t.text("}")
	return i, nil
}

// scalar writes the value of one token.
func (t *transcoder) scalar(i int, head token, k kind) error {
	if k == kindTimestamp && head.kind == tokUint && t.format.ISO8601 {
		var buf [40]byte
		text := appendTimestamp(buf[:0], int64(head.u))
		if t.format.JSON {
			t.dst = appendJSONString(t.dst, text)
		} else {
			t.dst = appendStr(t.dst, text)
		}
		return nil
	}
	if !t.format.JSON {
		t.head(i, head.end)
		return nil
	}
	switch {
	case k == kindInt || k == kindIntID || k == kindTimestamp:
		if head.kind != tokUint && head.kind != tokInt {
			return ErrType
		}
		t.dst = append(t.dst, '"')
		t.dst = appendDigits(t.dst, head)
		t.dst = append(t.dst, '"')
		return nil
	case k == kindBytes:
		if head.kind != tokBin {
			return ErrType
		}
		t.dst = append(t.dst, '"')
		t.dst = base64.StdEncoding.AppendEncode(t.dst, t.src[head.body:head.end])
		t.dst = append(t.dst, '"')
		return nil
	}
	_, err := t.any(i)
	return err
}
